package door

import (
	"fmt"
	"os"
	"path/filepath"
)

// Name is the socket's file in the store's directory.
const Name = "admin.sock"

// pathBytesMax is the longest path of a socket on any system that this runs on, in bytes:
// sun_path has 104 on BSD and 108 on Linux, the zero at the end included.
const pathBytesMax = 103

// processDir is where Linux shows the open files of a process, each a way to its directory.
const processDir = "/proc/self/fd"

// reach gives do a path to the file called name in dir that is short enough for a socket: the
// plain one, or one through a descriptor of the directory. The working directory, which belongs
// to the whole process, stays as it is.
func reach(dir, name string, do func(path string) error) error {
	path := filepath.Join(dir, name)
	if len(path) <= pathBytesMax {
		return do(path)
	}
	if _, err := os.Stat(processDir); err != nil {
		return fmt.Errorf("the path of the socket, %s, has %d bytes, and this system allows %d: choose a shorter storePathRootDir", path, len(path), pathBytesMax)
	}
	open, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer open.Close()
	return do(fmt.Sprintf("%s/%d/%s", processDir, open.Fd(), name))
}
