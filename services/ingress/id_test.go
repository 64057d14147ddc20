package ingress

import (
	"sync"
	"testing"
)

func TestCallIDsAreUnique(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]bool{}
	var all sync.WaitGroup
	for _, ids := range []*callIDs{newCallIDs(), newCallIDs()} {
		for range 4 {
			all.Go(func() {
				for range 1000 {
					id := ids.next()
					mu.Lock()
					if seen[id] || len(id) != 31 {
						t.Errorf("id %q", id)
					}
					seen[id] = true
					mu.Unlock()
				}
			})
		}
	}
	all.Wait()
}
