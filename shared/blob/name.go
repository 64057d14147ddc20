package blob

import (
	"fmt"
	"io/fs"
	"strings"
)

const (
	maxName   = 512 // bytes
	nameMarks = "-_.:=@+/"
)

// CheckName refuses a name that is not of the form that Bucket promises. Every driver calls it.
func CheckName(name string) error {
	foreign := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(nameMarks, r)
	}
	if len(name) > maxName || !fs.ValidPath(name) || name == "." || strings.ContainsFunc(name, foreign) {
		return fmt.Errorf("bad object name %.100q", name)
	}
	return nil
}
