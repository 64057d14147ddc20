// Package response keeps what /v1/responses answered, so that its caller can fetch, continue and delete it, whichever model it was. A
// conversation is a chain: each response names the one before it.
package response

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

const (
	// life is how long OpenAI keeps a response (its guide on conversation state, read 2026-11).
	life = 30 * 24 * time.Hour
	// pageBytes is the text of one document: quotes in it are escaped, so that it may be twice as long there.
	pageBytes = store.MaxDocBytes/2 - 10_000
	// maxChain is the longest conversation that can be continued, in responses.
	maxChain = 1000
	maxID    = 120 // bytes of an id
)

// Responses are all documents of the package.
var Responses = store.Collection{Name: "responses", TTL: "expires"}

// Stored is a response with what it answered.
type Stored struct {
	ID         string
	Model      string // as the caller named it
	Deployment string // that knows the response by this id itself; empty: none does
	Previous   string // the response that this one continues; may be empty
	Body       json.RawMessage
	Input      json.RawMessage // a list of items
	Items      []string        // ids of its items, by which Find finds it
}

// page is a document. The first has all but what of the text is too long for it.
type page struct {
	Owner      string `json:"owner,omitempty"`
	Key        string `json:"key,omitempty"`
	Model      string `json:"model,omitempty"`
	Deployment string `json:"deployment,omitempty"`
	Previous   string `json:"previous,omitempty"`
	Pages      int64  `json:"pages,omitempty"` // that follow
	BodyBytes  int64  `json:"body_bytes,omitempty"`
	Expires    int64  `json:"expires"`        // Unix seconds
	Text       string `json:"text,omitempty"` // body and input
	In         string `json:"in,omitempty"`   // the document is an item's: the response that has it
}

// Keeper keeps responses. Safe for concurrent use.
type Keeper struct {
	Store store.Store
	Now   func() time.Time
}

func ref(id string, n int) store.Ref {
	if n > 0 {
		id = fmt.Sprintf("%s.%d", id, n)
	}
	return Responses.Ref(id)
}

// Put stores a response of the principal's. It is durable when Put returns. Putting it again is fine.
func (k *Keeper) Put(ctx context.Context, p gateway.Principal, s *Stored) error {
	if !isID(s.ID) {
		return gateway.Errorf(gateway.KindUpstream, "The provider's answer is invalid: its id cannot be stored.")
	}
	texts := split(string(s.Body) + string(s.Input))
	expires := k.Now().Add(life).Unix()
	for _, item := range s.Items {
		doc := page{Owner: p.Owner().String(), Expires: expires, In: s.ID}
		if _, err := k.Store.Create(ctx, ref(item, 0), doc); err != nil && !errors.Is(err, store.ErrExists) {
			return fmt.Errorf("store response: %w", err)
		}
	}
	for n := len(texts) - 1; n >= 0; n-- { // the first comes last: with it the response is there
		doc := page{Expires: expires, Text: texts[n]}
		if n == 0 {
			doc.Owner, doc.Key, doc.Model, doc.Deployment, doc.Previous = p.Owner().String(), p.KeyHash, s.Model, s.Deployment, s.Previous
			doc.Pages, doc.BodyBytes = int64(len(texts)-1), int64(len(s.Body))
		}
		if _, err := k.Store.Create(ctx, ref(s.ID, n), doc); err != nil && !errors.Is(err, store.ErrExists) {
			return fmt.Errorf("store response: %w", err)
		}
	}
	return nil
}

// split cuts a text into pages, never inside a character.
func split(text string) (pages []string) {
	for len(text) > pageBytes {
		cut := pageBytes
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		pages, text = append(pages, text[:cut]), text[cut:]
	}
	return append(pages, text)
}

// Get reads a response. What is another owner's is KindNotFound.
func (k *Keeper) Get(ctx context.Context, p gateway.Principal, id string) (*Stored, error) {
	first, err := k.first(ctx, p, id)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	text.WriteString(first.Text)
	for n := range first.Pages {
		var more page
		if _, err := k.Store.Get(ctx, ref(id, int(n)+1), &more); err != nil {
			return nil, gone(err, id)
		}
		text.WriteString(more.Text)
	}
	whole := text.String()
	if int64(len(whole)) < first.BodyBytes {
		return nil, notFound(id)
	}
	return &Stored{
		ID: id, Model: first.Model, Deployment: first.Deployment, Previous: first.Previous,
		Body: json.RawMessage(whole[:first.BodyBytes]), Input: json.RawMessage(whole[first.BodyBytes:]),
	}, nil
}

func (k *Keeper) first(ctx context.Context, p gateway.Principal, id string) (doc page, err error) {
	if !isID(id) {
		return doc, notFound(id)
	}
	if _, err := k.Store.Get(ctx, ref(id, 0), &doc); err != nil {
		return doc, gone(err, id)
	}
	if doc.In != "" || !k.shows(p, &doc) {
		return doc, notFound(id)
	}
	return doc, nil
}

func (k *Keeper) shows(p gateway.Principal, doc *page) bool {
	return doc.Owner != "" && p.Sees(gateway.OwnerFrom(doc.Owner)) && doc.Expires > k.Now().Unix()
}

// Find reads the response that an item is of.
func (k *Keeper) Find(ctx context.Context, p gateway.Principal, item string) (*Stored, error) {
	if !isID(item) {
		return nil, notFound(item)
	}
	var doc page
	if _, err := k.Store.Get(ctx, ref(item, 0), &doc); err != nil {
		return nil, gone(err, item)
	}
	if doc.In == "" || !k.shows(p, &doc) {
		return nil, notFound(item)
	}
	return k.Get(ctx, p, doc.In)
}

// isID accepts what a provider or we ourselves name a response.
func isID(id string) bool {
	return id != "" && len(id) <= maxID && !strings.ContainsFunc(id, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	})
}

func gone(err error, id string) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound(id)
	}
	return fmt.Errorf("read response: %w", err)
}

func notFound(id string) error {
	return gateway.Errorf(gateway.KindNotFound, "Response with id '%.64s' not found.", strings.ToValidUTF8(id, "?"))
}

// Thread is the conversation that ends with a response, the oldest first.
func (k *Keeper) Thread(ctx context.Context, p gateway.Principal, id string) ([]*Stored, error) {
	var chain []*Stored
	for id != "" {
		if len(chain) == maxChain {
			return nil, gateway.Invalid("previous_response_id", "The conversation has more than %d responses.", maxChain)
		}
		s, err := k.Get(ctx, p, id)
		if err != nil {
			return nil, err
		}
		chain = append(chain, s)
		id = s.Previous
	}
	slices.Reverse(chain)
	return chain, nil
}

// Delete removes a response.
func (k *Keeper) Delete(ctx context.Context, p gateway.Principal, id string) error {
	first, err := k.first(ctx, p, id)
	if err != nil {
		return err
	}
	for n := range first.Pages + 1 {
		if err := k.Store.Delete(ctx, ref(id, int(n))); err != nil {
			return fmt.Errorf("delete response: %w", err)
		}
	}
	return nil
}
