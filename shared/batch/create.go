package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// completionWindow is how long a batch may take.
const completionWindow = 24 * time.Hour

// Order is what a caller asks for with a new batch.
type Order struct {
	InputFileID        string
	Endpoint           string
	CompletionWindow   string // "24h"
	Metadata           map[string]string
	OutputExpiresAfter time.Duration // from the creation of the result files; 0 is 30 days
	IdempotencyKey     string        // the same key of the same owner makes one batch only; empty makes a new one
}

// Limits of metadata, in pairs and characters (Batch API reference, read 2026-11).
const (
	maxPairs          = 16
	maxMetadataKey    = 64
	maxMetadataValue  = 512
	maxIdempotencyKey = 255
)

// check answers KindInvalid for what can be known to be wrong without asking anybody.
func (o Order) check() error {
	switch {
	case o.InputFileID == "":
		return gateway.Invalid("input_file_id", "Missing required parameter: 'input_file_id'.")
	case o.Endpoint == "":
		return gateway.Invalid("endpoint", "Missing required parameter: 'endpoint'.")
	case ops[o.Endpoint] == "":
		known := strings.Join(slices.Sorted(maps.Keys(ops)), ", ")
		return gateway.Invalid("endpoint", "'%s' is not one of %s.", clip(o.Endpoint), known)
	case o.CompletionWindow == "":
		return gateway.Invalid("completion_window", "Missing required parameter: 'completion_window'.")
	case o.CompletionWindow != "24h":
		return gateway.Invalid("completion_window", "'%s' is not one of 24h.", clip(o.CompletionWindow))
	case len(o.Metadata) > maxPairs:
		return gateway.Invalid("metadata", "metadata has more than %d pairs.", maxPairs)
	case len(o.IdempotencyKey) > maxIdempotencyKey:
		return gateway.Invalid("Idempotency-Key", "Idempotency-Key is longer than %d bytes.", maxIdempotencyKey)
	}
	for k, v := range o.Metadata {
		if utf8.RuneCountInString(k) > maxMetadataKey || utf8.RuneCountInString(v) > maxMetadataValue {
			return gateway.Invalid("metadata", "A metadata key is longer than %d characters, or its value than %d.", maxMetadataKey, maxMetadataValue)
		}
	}
	return checkLife("output_expires_after", o.OutputExpiresAfter)
}

// Create makes a batch of an uploaded file. What is wrong inside the file shows later, as a batch that failed.
func (b *Batches) Create(ctx context.Context, p gateway.Principal, o Order) (Batch, error) {
	if err := o.check(); err != nil {
		return Batch{}, err
	}
	doc, err := b.newBatch(p, o)
	if err != nil {
		return Batch{}, err
	}
	events := doc.enter(validating, b.Now())
	err = b.insist(ctx, func() error {
		return b.Store.Tx(ctx, func(tx store.Tx) error { return b.place(tx, p, &doc, events) })
	})
	if errors.Is(err, store.ErrExists) {
		return b.again(ctx, p, doc)
	}
	if err != nil {
		return Batch{}, asError(fmt.Errorf("create batch: %w", err))
	}
	b.send(ctx, events)
	if err := b.tell(ctx, hint{TypeValidate, doc.ID, 0}); err != nil {
		b.Log.WarnContext(ctx, "the sweeper will start the batch", "batch", doc.ID, "error", err)
	}
	return doc.object(tally{}), nil
}

func (b *Batches) newBatch(p gateway.Principal, o Order) (batchDoc, error) {
	now := b.Now()
	doc := batchDoc{
		ID: "batch_" + randomID(32), Owner: p.Owner().String(), Key: p.KeyHash, KeyAlias: p.KeyAlias, User: p.UserID,
		Team: p.TeamID, Tags: p.Tags, Endpoint: o.Endpoint, Input: o.InputFileID,
		OutputTTL: int64(o.OutputExpiresAfter.Seconds()), Created: now.UnixMicro(),
		ExpiresAt: now.Add(completionWindow).Unix(), Hinted: now.Unix(),
	}
	if o.Metadata != nil {
		text, err := json.Marshal(o.Metadata)
		if err != nil {
			return doc, asError(err)
		}
		doc.Metadata = string(text)
	}
	if o.IdempotencyKey != "" {
		doc.ID = "batch_" + derivedID(32, "idempotency", p.Owner().String(), o.IdempotencyKey)
		doc.Request = derivedID(32, o.InputFileID, o.Endpoint, doc.Metadata, o.OutputExpiresAfter.String())
	}
	return doc, nil
}

// place creates the batch if its file is there.
func (b *Batches) place(tx store.Tx, p gateway.Principal, doc *batchDoc, events []event.Event) error {
	if !isID(doc.Input) {
		return noInput(doc.Input)
	}
	var f fileDoc
	_, err := tx.Get(files.Ref(doc.Input), &f)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	var before batchDoc
	if _, found := tx.Get(doc.ref(), &before); found == nil {
		return store.ErrExists
	}
	switch {
	case err != nil, !p.Sees(gateway.OwnerFrom(f.Owner)), f.gone(b.Now().Unix()):
		return noInput(doc.Input)
	case f.Purpose != "batch":
		return gateway.Invalid("input_file_id", "The file's purpose must be 'batch', not '%s'.", f.Purpose)
	}
	doc.Blob = f.Blob
	if err := b.Events.Put(tx, events...); err != nil {
		return err
	}
	return tx.Create(doc.ref(), doc)
}

func noInput(id string) error {
	e := gateway.Invalid("input_file_id", "No such File object: %s", clip(id))
	e.Code = "file_not_found"
	return e
}

// again answers a repeated creation with the batch of the first: the caller's own repetition, or ours.
func (b *Batches) again(ctx context.Context, p gateway.Principal, doc batchDoc) (Batch, error) {
	first, err := b.load(ctx, p, doc.ID)
	if err != nil {
		return Batch{}, err
	}
	if first.Request != doc.Request {
		return Batch{}, gateway.Invalid("Idempotency-Key", "This Idempotency-Key was used for another batch.")
	}
	return b.object(ctx, &first)
}
