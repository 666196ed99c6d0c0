package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// portOwner names the process that listens on a port: "nginx (process 812)". It
// is empty where that cannot be seen, e.g. another user's.
func portOwner(port int) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		for _, inode := range listeners(table, port) {
			if pid := holder("socket:[" + inode + "]"); pid != "" {
				name, _ := os.ReadFile(filepath.Join("/proc", pid, "comm")) // nameless is good enough
				return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), pid)
			}
		}
	}
	return ""
}

// listeners are the inodes of the sockets that listen on a port.
func listeners(table string, port int) []string {
	data, err := os.ReadFile(table)
	if err != nil {
		return nil
	}
	var inodes []string
	for row := range strings.Lines(string(data)) {
		fields := strings.Fields(row)
		if len(fields) < 10 || fields[3] != "0A" { // 0A: listening
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		if number, err := strconv.ParseInt(hex, 16, 32); err == nil && int(number) == port {
			inodes = append(inodes, fields[9])
		}
	}
	return inodes
}

// holder is the process that has a socket open.
func holder(socket string) string {
	files, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil && target == socket {
			return strings.Split(file, "/")[2]
		}
	}
	return ""
}
