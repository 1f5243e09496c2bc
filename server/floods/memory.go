package floods

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory reads a line of /proc/pid/status (proc_pid_status(5)), such as VmRSS or VmHWM, in bytes.
func Memory(pid int, name string) (int64, error) {
	status, err := os.ReadFile(proc(pid, "status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, name+": %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("no %s in %s", name, proc(pid, "status"))
}

// ForgetPeak makes VmHWM, the highest RSS so far, begin anew (proc_pid_clear_refs(5)).
func ForgetPeak(pid int) error { return os.WriteFile(proc(pid, "clear_refs"), []byte("5"), 0o200) }

func proc(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }
