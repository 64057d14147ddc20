package firestorestore_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/storetest"
)

func TestSuite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return open(t, newProject(), storetest.Collections()...)
	})
}
