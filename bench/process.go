package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// cpuTime is what processes have used, threads that have ended included.
type cpuTime struct{ user, system time.Duration }

// clockTick is the unit of times in /proc: USER_HZ is 100 on all of Linux's architectures but alpha.
const clockTick = 10 * time.Millisecond

// readCPU sums up over processes and their children.
func readCPU(pids []int) (t cpuTime) {
	for _, pid := range family(pids) {
		if s, err := readStat(pid); err == nil {
			t.user += s.user
			t.system += s.system
		}
	}
	return t
}

// stat is what is used of /proc/PID/stat.
type stat struct {
	parent int
	cpuTime
}

func readStat(pid int) (stat, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parseStat(b)
}

// parseStat reads the fields behind the command's name, which may have any bytes in it (proc(5)).
func parseStat(b []byte) (s stat, err error) {
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 13 {
		return s, fmt.Errorf("a stat of %d fields", len(fields))
	}
	var n [3]int64
	for i, at := range [3]int{1, 11, 12} {
		if n[i], err = strconv.ParseInt(string(fields[at]), 10, 64); err != nil {
			return s, err
		}
	}
	return stat{int(n[0]), cpuTime{time.Duration(n[1]) * clockTick, time.Duration(n[2]) * clockTick}}, nil
}

// family is the processes with all that they started, and so on.
func family(pids []int) []int {
	if len(pids) == 0 {
		return nil
	}
	in := map[int]bool{}
	all := append([]int(nil), pids...)
	for _, pid := range pids {
		in[pid] = true
	}
	names, _ := filepath.Glob("/proc/[0-9]*")
	parents := map[int]int{}
	for _, name := range names {
		if pid, err := strconv.Atoi(filepath.Base(name)); err == nil {
			if s, err := readStat(pid); err == nil {
				parents[pid] = s.parent
			}
		}
	}
	for grown := true; grown; {
		grown = false
		for pid, parent := range parents {
			if in[parent] && !in[pid] {
				in[pid], grown = true, true
				all = append(all, pid)
			}
		}
	}
	return all
}

// PSS is the memory of processes and their children, in bytes: what several share is counted once. 0 if
// it cannot be read.
func PSS(pids []int) (n int64) {
	for _, pid := range family(pids) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err == nil {
			n += parsePSS(b)
		}
	}
	return n
}

func parsePSS(b []byte) int64 {
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte("Pss:")); ok {
			kib, _ := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// CheckProcesses reports a process that is not there, or whose memory may not be read.
func CheckProcesses(pids []int) error {
	for _, pid := range pids {
		if _, err := readStat(pid); err != nil {
			return fmt.Errorf("process %d: %w", pid, err)
		}
	}
	return nil
}
