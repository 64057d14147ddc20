//go:build !unix

package sqlitestore

import (
	"errors"
	"os"
)

// lock refuses: without flock nothing would keep a second process out.
func lock(string) (*os.File, error) {
	return nil, errors.New("sqlitestore: this system cannot lock a data folder")
}
