package e2e_test

import "syscall"

// diesWithUs makes the kernel kill a child when this process ends, however it ends.
func diesWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
