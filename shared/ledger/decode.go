package ledger

import (
	"fmt"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/store"
)

// decoder reads facts: a report reads tens of thousands of them, in which few texts come again and again. It takes a sixth of the
// time that encoding/json does.
type decoder struct {
	fields [16]jsonedit.Field
	texts  map[string]string
	fact   Fact
}

func newDecoder() *decoder {
	d := &decoder{texts: map[string]string{}}
	for i, name := range [len(d.fields)]string{
		"day", "key", "user", "team", "org", "model", "provider", "key_alias",
		"spend", "doubt", "attempts", "successes", "failures", "input_tokens", "output_tokens", "cached_tokens",
	} {
		d.fields[i].Name = name
	}
	return d
}

// read decodes a fact into one that is good until the next.
func (d *decoder) read(doc store.Doc) (*Fact, error) {
	if !jsonedit.Find(doc.JSON, d.fields[:]) {
		return nil, fmt.Errorf("decode fact %s: not an object", doc.ID)
	}
	f := &d.fact
	*f = Fact{}
	texts := [...]*string{&f.Day, &f.Key, &f.User, &f.Team, &f.Org, &f.Model, &f.Provider, &f.Alias}
	for i, into := range texts {
		*into = d.text(&d.fields[i])
	}
	var spend, doubt int64
	for i, into := range [...]*int64{&spend, &doubt, &f.Attempts, &f.Successes, &f.Failures, &f.InputTokens, &f.OutputTokens, &f.CachedTokens} {
		*into, _ = d.fields[len(texts)+i].Int() // absent counts as zero, as in Sum
	}
	f.Spend, f.Doubt = gateway.NanoUSD(spend), gateway.NanoUSD(doubt)
	return f, nil
}

// text is the value of a string field, the same string for the same bytes.
func (d *decoder) text(f *jsonedit.Field) string {
	if f.Kind != jsonedit.String {
		return ""
	}
	if known, ok := d.texts[string(f.Raw)]; ok {
		return known
	}
	value, _ := f.Text()
	d.texts[string(f.Raw)] = value
	return value
}
