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
	for _, ids := range []*callIDs{newCallIDs(0), newCallIDs(0), newCallIDs(16), newCallIDs(100)} {
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
