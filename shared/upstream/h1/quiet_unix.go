//go:build unix

package h1

import "syscall"

// quiet reports whether a non-blocking read of the socket finds neither bytes nor its end. What it takes does not matter:
// such a connection is given up.
func quiet(fd uintptr) bool {
	var b [1]byte
	_, err := syscall.Read(int(fd), b[:])
	return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
}
