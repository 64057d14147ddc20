//go:build !unix

package sqlitestore

import "errors"

// lock refuses: without flock nothing would keep a second process out.
func lock(string) (unlock func() error, err error) {
	return nil, errors.New("sqlitestore: this system cannot lock a data folder")
}
