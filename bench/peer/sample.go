package peer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the processor time, user and system, that all threads of the process
// have used, those that ended included. It comes from the process's own CPU
// clock, which counts nanoseconds: /proc/PID/stat counts ticks of 10 ms.
//
// Work the kernel does for the process on another's time (the receiving half
// of a loopback write runs in the writer) is on the other's account.
func (p *Process) CPU() (time.Duration, error) {
	const processCPUClock = 2 // CPUCLOCK_SCHED; see clock_getcpuclockid(3)
	id := int32(^p.pid<<3 | processCPUClock)
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0, fmt.Errorf("cpu clock of %s: %w", p.Name, err)
	}
	return time.Duration(ts.Nano()), nil
}

// RSS is the resident memory, in bytes.
func (p *Process) RSS() (uint64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := bytes.Fields(lines.Bytes()); len(fields) > 1 && string(fields[0]) == "VmRSS:" {
			kilobytes, err := strconv.ParseUint(string(fields[1]), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("no VmRSS")
}

var debugClient = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// Vars decodes the process's /debug/vars into v.
func (p *Process) Vars(v any) error {
	answer, err := debugClient.Get("http://" + p.Addrs["admin"] + "/debug/vars")
	if err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: /debug/vars: %s", p.Name, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(v)
}

// CountsMallocs says whether the process counts its heap objects at all.
func (p *Process) CountsMallocs() bool { return p.Addrs["admin"] != "" }

// Mallocs is how many heap objects the process has allocated, without those of
// this and earlier reads.
func (p *Process) Mallocs() (uint64, error) {
	var vars struct {
		MemStats *struct{ Mallocs uint64 } `json:"memstats"`
	}
	if err := p.Vars(&vars); err != nil {
		return 0, err
	}
	if vars.MemStats == nil {
		return 0, fmt.Errorf("%s: /debug/vars has no memstats", p.Name)
	}
	return vars.MemStats.Mallocs, nil
}

// MallocsPerRead is how many allocations one call of Mallocs itself costs the
// process.
func (p *Process) MallocsPerRead() uint64 { return p.readCost }

// calibrate finds the cost of a read while the process is idle.
func (p *Process) calibrate() {
	if !p.CountsMallocs() {
		return
	}
	var last uint64
	for range 4 { // the first ones also pay for what is made once
		n, err := p.Mallocs()
		if err != nil {
			return // Mallocs will say so when it matters
		}
		p.readCost = n - last
		last = n
	}
}
