package memblob_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/blob/blobtest"
	"github.com/sluice-gateway/sluice/shared/blob/memblob"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(*testing.T) blob.Bucket { return memblob.New() })
}
