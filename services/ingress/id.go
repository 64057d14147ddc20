package ingress

import (
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
)

// callIDs makes the ids of calls, which name their ledger entries. An id is unlike any other process's, and ids that
// follow one another lie in few places: one, so that a B-tree writes few pages, or up to 16, far enough apart for a store that
// splits its documents by id.
type callIDs struct {
	process string
	places  uint64
	n       atomic.Uint64
}

func newCallIDs(places int) *callIDs {
	return &callIDs{process: strings.ReplaceAll(uuid.NewString(), "-", "")[:20], places: uint64(min(max(places, 1), 16))}
}

// next returns an id such as "c-0123456789abcdef0123-0000002a".
func (c *callIDs) next() string {
	n := c.n.Add(1)
	id := make([]byte, 0, 32)
	id = strconv.AppendUint(id, n%c.places, 16)
	id = append(id, '-')
	id = append(id, c.process...)
	id = append(id, '-')
	count := strconv.FormatUint(n/c.places, 16)
	for range max(0, 8-len(count)) {
		id = append(id, '0')
	}
	return string(append(id, count...))
}
