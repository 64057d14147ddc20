//go:build !linux

package e2e_test

import "syscall"

// diesWithUs can promise nothing here; t.Cleanup ends the children of tests that end.
func diesWithUs() *syscall.SysProcAttr { return nil }
