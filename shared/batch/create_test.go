package batch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	mine := w.upload(input(1)).ID
	wrong, err := w.files.Upload(t.Context(), alice, "f", "user_data", 0, strings.NewReader(input(1)))
	if err != nil {
		t.Fatal(err)
	}
	deleted := w.upload(input(1)).ID
	if _, err := w.files.Delete(t.Context(), alice, deleted); err != nil {
		t.Fatal(err)
	}
	pairs := map[string]string{}
	for i := range 17 {
		pairs[fmt.Sprint(i)] = ""
	}
	tests := []struct {
		name, param string
		who         gateway.Principal
		change      func(*batch.Order)
	}{
		{"no file", "input_file_id", alice, func(o *batch.Order) { o.InputFileID = "" }},
		{"unknown file", "input_file_id", alice, func(o *batch.Order) { o.InputFileID = "file-unknown" }},
		{"strange file", "input_file_id", alice, func(o *batch.Order) { o.InputFileID = "a/b" }},
		{"another's file", "input_file_id", bob, func(*batch.Order) {}},
		{"deleted file", "input_file_id", alice, func(o *batch.Order) { o.InputFileID = deleted }},
		{"wrong purpose", "input_file_id", alice, func(o *batch.Order) { o.InputFileID = wrong.ID }},
		{"no endpoint", "endpoint", alice, func(o *batch.Order) { o.Endpoint = "" }},
		{"unknown endpoint", "endpoint", alice, func(o *batch.Order) { o.Endpoint = "/v1/responses" }},
		{"no window", "completion_window", alice, func(o *batch.Order) { o.CompletionWindow = "" }},
		{"other window", "completion_window", alice, func(o *batch.Order) { o.CompletionWindow = "25h" }},
		{"many pairs", "metadata", alice, func(o *batch.Order) { o.Metadata = pairs }},
		{"long key", "metadata", alice, func(o *batch.Order) { o.Metadata = map[string]string{strings.Repeat("k", 65): ""} }},
		{"long value", "metadata", alice, func(o *batch.Order) { o.Metadata = map[string]string{"k": strings.Repeat("v", 513)} }},
		{"short life", "output_expires_after[seconds]", alice, func(o *batch.Order) { o.OutputExpiresAfter = time.Second }},
		{"long idempotency key", "Idempotency-Key", alice, func(o *batch.Order) { o.IdempotencyKey = strings.Repeat("k", 256) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := batch.Order{InputFileID: mine, Endpoint: chatURL, CompletionWindow: "24h"}
			tt.change(&o)
			_, err := w.batches.Create(t.Context(), tt.who, o)
			if e := gateway.AsError(err); e.Kind != gateway.KindInvalid || e.Param != tt.param {
				t.Errorf("got %v with param %q", err, e.Param)
			}
		})
	}
}

func TestCreateWithIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := batch.Order{
		InputFileID: w.upload(input(1)).ID, Endpoint: chatURL, CompletionWindow: "24h", IdempotencyKey: "k",
		Metadata: map[string]string{"a": "b"},
	}
	first, err := w.batches.Create(t.Context(), alice, o)
	if err != nil {
		t.Fatal(err)
	}
	if first.Status != "validating" || string(first.Metadata) != `{"a":"b"}` || first.ExpiresAt == nil || *first.ExpiresAt != first.CreatedAt+24*3600 {
		t.Errorf("batch: %+v", first)
	}
	again, err := w.batches.Create(t.Context(), alice, o)
	if diff := cmp.Diff(again, first); diff != "" || err != nil {
		t.Errorf("again: %v\n%s", err, diff)
	}
	o.Metadata = nil
	if _, err := w.batches.Create(t.Context(), alice, o); kindOf(err) != gateway.KindInvalid {
		t.Errorf("another order: %v", err)
	}
	if other, err := w.batches.Create(t.Context(), admin, o); err != nil || other.ID == first.ID {
		t.Errorf("another owner: %s, %v", other.ID, err)
	}
}

func TestListBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	f := w.upload(input(1)).ID
	made := map[string]bool{}
	for range 5 {
		made[w.create(f).ID] = true
	}
	var found []string
	for page := (batch.Page{Limit: 2}); ; {
		got, err := w.batches.List(t.Context(), alice, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range got.Data {
			found = append(found, b.ID)
			delete(made, b.ID)
		}
		if !got.HasMore {
			break
		}
		page.After = *got.LastID
	}
	if len(found) != 5 || len(made) != 0 {
		t.Errorf("found %v", found)
	}
	if got, err := w.batches.List(t.Context(), bob, batch.Page{}); err != nil || len(got.Data) != 0 || got.FirstID != nil {
		t.Errorf("another sees %+v, %v", got, err)
	}
	for _, page := range []batch.Page{{Limit: -1}, {Limit: 101}, {After: "batch_unknown"}} {
		if _, err := w.batches.List(t.Context(), alice, page); kindOf(err) != gateway.KindInvalid {
			t.Errorf("%+v: %v", page, err)
		}
	}
}
