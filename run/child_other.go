//go:build !linux

package main

import "syscall"

// group puts a program into a process group of its own, so that Ctrl-C reaches
// only the launcher.
func group() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
