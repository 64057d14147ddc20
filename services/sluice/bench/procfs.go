package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of CPU time in /proc/PID/stat: USER_HZ, which is 100 on Linux for every program (man 7 time).
const tick = 10 * time.Millisecond

// cpuTime is what a process has used so far, user and system.
func cpuTime(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(data)
}

// parseStat reads utime and stime, fields 14 and 15; the name in field 2 may hold blanks and parentheses.
func parseStat(data []byte) (time.Duration, error) {
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("stat has %d fields", len(fields))
	}
	user, err := strconv.ParseInt(string(fields[11]), 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * tick, err
}

// memory is resident memory in KiB, now and at its highest.
func memory(pid int) (rss, peak float64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	return parseStatus(data)
}

func parseStatus(data []byte) (rss, peak float64, err error) {
	for name, into := range map[string]*float64{"\nVmRSS:": &rss, "\nVmHWM:": &peak} {
		_, rest, ok := bytes.Cut(data, []byte(name))
		fields := bytes.Fields(rest)
		if !ok || len(fields) == 0 {
			return 0, 0, fmt.Errorf("status has no %q", name[1:])
		}
		if *into, err = strconv.ParseFloat(string(fields[0]), 64); err != nil {
			return 0, 0, err
		}
	}
	return rss, peak, nil
}
