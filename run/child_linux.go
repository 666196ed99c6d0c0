package main

import "syscall"

// group puts a program into a process group of its own, so that Ctrl-C reaches
// only the launcher, and has the kernel stop it should the launcher be killed.
func group() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
