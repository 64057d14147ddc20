package messages

// cacheControl marks what comes up to a block as worth caching.
type cacheControl struct {
	Type string `json:"type"`
	TTL  string `json:"ttl,omitempty"`
}

// maxMarkers is how many Anthropic takes in one request (its page on prompt caching, read 2026-11).
const maxMarkers = 4

// marker is the mark for a part; 5m is what Anthropic means by none.
func marker(cache string) *cacheControl {
	switch cache {
	case "":
		return nil
	case "1h":
		return &cacheControl{"ephemeral", "1h"}
	default:
		return &cacheControl{Type: "ephemeral"}
	}
}

// limitMarkers keeps the last markers, which cover what the earlier ones do. Those for an hour must come before those for less.
func (r *request) limitMarkers() {
	var all []**cacheControl
	note := func(c **cacheControl) {
		if *c != nil {
			all = append(all, c)
		}
	}
	for _, t := range r.Tools {
		note(&t.CacheControl)
	}
	noteBlocks(r.System, note)
	for i := range r.Messages {
		noteBlocks(r.Messages[i].Content, note)
	}
	for len(all) > maxMarkers {
		*all[0] = nil
		all = all[1:]
	}
	short := false
	for _, c := range all {
		if short = short || (*c).TTL == ""; short {
			*c = &cacheControl{Type: "ephemeral"}
		}
	}
}

// noteBlocks finds the markers of blocks, inner ones first as they stand first in the prompt.
func noteBlocks(blocks []block, note func(**cacheControl)) {
	for i := range blocks {
		b := &blocks[i]
		noteBlocks(b.Content, note)
		if b.Type == "thinking" || b.Type == "redacted_thinking" { // cannot be marked
			b.CacheControl = nil
		}
		note(&b.CacheControl)
	}
}
