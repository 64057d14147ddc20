package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Sizes of a part as JSON, in bytes: what results are gathered up to, and what becomes an object instead of a document.
const (
	partBytes  = 800 << 10
	spillBytes = 900 << 10
)

// spillPrefix is where a batch's large parts are.
func spillPrefix(batchID string) string { return "parts/" + batchID + "/" }

// spill moves a part that is too large for a document to an object that the document names.
func (r *run) spill(ctx context.Context, s *step) error {
	text, err := json.Marshal(&s.part)
	if err != nil {
		return fmt.Errorf("encode part: %w", err)
	}
	if len(text) <= spillBytes {
		return nil
	}
	name := spillPrefix(r.batch.ID) + s.id
	err = r.insist(ctx, func() error {
		_, err := r.Blobs.Create(ctx, name, bytes.NewReader(text))
		return err
	})
	if err != nil && !errors.Is(err, blob.ErrExists) { // it exists if an answer was lost
		return fmt.Errorf("spill part: %w", err)
	}
	s.part.Results, s.part.Entries, s.part.Blob = nil, "", name
	return nil
}

// parts reads the parts that a chunk names, in that order.
func (e *Engine) parts(ctx context.Context, c *chunkDoc) ([]partDoc, error) {
	if len(c.Parts) == 0 {
		return nil, nil
	}
	all := make(map[string]partDoc, len(c.Parts))
	for doc, err := range e.Store.Query(ctx, store.Query{Collection: parts, Eq: map[string]any{"chunk": c.id()}}) {
		var p partDoc
		if err == nil {
			err = doc.Decode(&p)
		}
		if err != nil {
			return nil, fmt.Errorf("read parts of chunk %d: %w", c.N, err)
		}
		all[doc.ID] = p
	}
	named := make([]partDoc, 0, len(c.Parts))
	for _, id := range c.Parts {
		p, ok := all[id]
		if !ok {
			return nil, fmt.Errorf("%w: part %s is missing", errBroken, id)
		}
		if p.Blob != "" {
			if err := e.unspill(ctx, &p); err != nil {
				return nil, err
			}
		}
		named = append(named, p)
	}
	return named, nil
}

func (e *Engine) unspill(ctx context.Context, p *partDoc) error {
	in, err := e.Blobs.Open(ctx, p.Blob, 0, -1)
	if err != nil {
		return fmt.Errorf("open part %s: %w", p.Blob, err)
	}
	defer in.Close()
	if err := json.NewDecoder(in).Decode(p); err != nil {
		return fmt.Errorf("read part %s: %w", p.Blob, err)
	}
	return nil
}

// results decodes a part's results.
func (p *partDoc) results() ([]result, error) {
	rs := make([]result, len(p.Results))
	for i, text := range p.Results {
		if err := json.Unmarshal(text, &rs[i]); err != nil {
			return nil, fmt.Errorf("decode result: %w", err)
		}
	}
	return rs, nil
}

// answered tells which lines have a result in the parts.
func answered(ps []partDoc) (map[int]bool, error) {
	have := map[int]bool{}
	for i := range ps {
		rs, err := ps[i].results()
		if err != nil {
			return nil, err
		}
		for j := range rs {
			have[rs[j].Line] = true
		}
	}
	return have, nil
}
