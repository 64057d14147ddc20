package memstore_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
	"github.com/sluice-gateway/sluice/shared/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store { return memstore.New() })
}
