package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// formatKnown is the newest format this version reads and the one it writes. It counts up when
// what is stored can no longer be read by the version before.
const formatKnown = 1

const (
	formatFile  = "FORMAT"
	formatWords = "rocketmq-proxy store format "
	lockFile    = "LOCK" // Pebble's name for it
)

// checkFormat reads the format of the store in dir, before anything in it is changed. In a
// directory without a store it writes it.
func checkFormat(fs vfs.FS, dir string) error {
	path := fs.PathJoin(dir, formatFile)
	text, err := readSmall(fs, path)
	if errors.Is(err, os.ErrNotExist) {
		names, err := fs.List(dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			if strings.HasPrefix(name, "MANIFEST-") || strings.HasSuffix(name, ".sst") {
				return &DamagedError{File: formatFile, Offset: -1, Err: fmt.Errorf("it is missing although %s is there", name)}
			}
		}
		return writeSmall(fs, dir, formatFile, formatWords+strconv.Itoa(formatKnown)+"\n")
	}
	if err != nil {
		return err
	}
	digits, ok := strings.CutPrefix(strings.TrimSuffix(text, "\n"), formatWords)
	found, err := strconv.Atoi(digits)
	if !ok || err != nil || found < 1 {
		return &DamagedError{File: formatFile, Offset: 0, Err: fmt.Errorf("%q is no format", text)}
	}
	if found > formatKnown {
		return &NewerError{Dir: dir, Found: found, Known: formatKnown}
	}
	return nil
}

func readSmall(fs vfs.FS, path string) (string, error) {
	f, err := fs.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 256))
	return string(b), err
}

// writeSmall replaces the file called name at once: written beside, synced, renamed, and the
// directory synced.
func writeSmall(fs vfs.FS, dir, name, text string) error {
	path := fs.PathJoin(dir, name)
	f, err := fs.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(text))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := fs.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(fs, dir)
}

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
