package diskblob

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"github.com/sluice-gateway/sluice/shared/blob"
)

func TestFullDiskIsErrFull(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		err := wrap("create", "a", errors.Join(&fs.PathError{Op: "write", Err: errno}, nil))
		if !errors.Is(err, blob.ErrFull) || !errors.Is(err, errno) {
			t.Errorf("%v becomes %v; want ErrFull", errno, err)
		}
	}
}
