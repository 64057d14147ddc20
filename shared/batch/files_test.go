package batch_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func kindOf(err error) gateway.Kind {
	var e *gateway.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return 0
}

func TestUploadRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, purpose string
		life          time.Duration
		content       io.Reader
		kind          gateway.Kind
	}{
		{"no purpose", "", 0, strings.NewReader("x"), gateway.KindInvalid},
		{"unknown purpose", "batch_output", 0, strings.NewReader("x"), gateway.KindInvalid},
		{"life too short", "batch", time.Minute, strings.NewReader("x"), gateway.KindInvalid},
		{"life too long", "batch", 31 * 24 * time.Hour, strings.NewReader("x"), gateway.KindInvalid},
		{"empty", "batch", 0, strings.NewReader(""), gateway.KindInvalid},
		{"too large", "batch", 0, bytes.NewReader(make([]byte, 101)), gateway.KindTooLarge},
		{"cut", "batch", 0, io.MultiReader(strings.NewReader("x"), iotest.ErrReader(io.ErrUnexpectedEOF)), gateway.KindInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(d *batch.Deps) { d.Settings.MaxFileBytes = 100 })
			_, err := w.files.Upload(t.Context(), alice, "f", tt.purpose, tt.life, tt.content)
			if kindOf(err) != tt.kind {
				t.Errorf("got %v", err)
			}
			for info := range w.blobs.List(t.Context(), "") {
				t.Errorf("%s is left", info.Name)
			}
		})
	}
}

func TestFilesBelongToTheirOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	f := w.upload("hello")
	if f.Object != "file" || f.Bytes != 5 || f.Purpose != "batch" || f.ExpiresAt == nil || *f.ExpiresAt-f.CreatedAt != 30*24*3600 {
		t.Errorf("file: %+v", f)
	}
	if got, err := w.files.Get(t.Context(), admin, f.ID); err != nil || !cmp.Equal(got, f) {
		t.Errorf("the admin sees %+v, %v", got, err)
	}
	if got := w.content(&f.ID); got != "hello" {
		t.Errorf("content: %q", got)
	}
	for _, id := range []string{f.ID, "file-unknown", "", "../x", strings.Repeat("f", 10_000)} {
		_, get := w.files.Get(t.Context(), bob, id)
		_, _, content := w.files.Content(t.Context(), bob, id)
		_, remove := w.files.Delete(t.Context(), bob, id)
		for _, err := range []error{get, content, remove} {
			if kindOf(err) != gateway.KindNotFound {
				t.Errorf("another's %.20s: %v", id, err)
			}
		}
	}
	if _, err := w.files.Get(t.Context(), alice, f.ID); err != nil {
		t.Errorf("it was deleted by another: %v", err)
	}
}

func TestDeletedFileIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	f := w.upload("hello")
	got, err := w.files.Delete(t.Context(), alice, f.ID)
	if want := (batch.Deleted{ID: f.ID, Object: "file", Deleted: true}); err != nil || got != want {
		t.Fatalf("delete: %+v, %v", got, err)
	}
	if _, err := w.files.Get(t.Context(), alice, f.ID); kindOf(err) != gateway.KindNotFound {
		t.Errorf("get: %v", err)
	}
	if _, err := w.files.Delete(t.Context(), alice, f.ID); kindOf(err) != gateway.KindNotFound {
		t.Errorf("delete again: %v", err)
	}
	for info := range w.blobs.List(t.Context(), "") {
		t.Errorf("%s is left", info.Name)
	}
}

func TestFilesExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		f, err := w.files.Upload(t.Context(), alice, "f", "user_data", time.Hour, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if _, err := w.files.Get(t.Context(), alice, f.ID); kindOf(err) != gateway.KindNotFound {
			t.Errorf("get: %v", err)
		}
		time.Sleep(time.Hour)
		if err := w.engine.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for info := range w.blobs.List(t.Context(), "") {
			t.Errorf("%s is left", info.Name)
		}
	})
}

func TestListFiles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		var ids []string
		for range 5 {
			time.Sleep(time.Second)
			ids = append(ids, w.upload("x").ID)
		}
		if _, err := w.files.Upload(t.Context(), bob, "f", "batch", 0, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := w.files.Delete(t.Context(), alice, ids[2]); err != nil {
			t.Fatal(err)
		}
		tests := []struct {
			name      string
			who       gateway.Principal
			page      batch.Page
			purpose   string
			ascending bool
			want      []string
			more      bool
		}{
			{"newest first", alice, batch.Page{}, "", false, []string{ids[4], ids[3], ids[1], ids[0]}, false},
			{"oldest first", alice, batch.Page{Limit: 2}, "batch", true, []string{ids[0], ids[1]}, true},
			{"after", alice, batch.Page{After: ids[3], Limit: 2}, "", false, []string{ids[1], ids[0]}, false},
			{"other purpose", alice, batch.Page{}, "evals", false, nil, false},
		}
		for _, tt := range tests {
			got, err := w.files.List(t.Context(), tt.who, tt.page, tt.purpose, tt.ascending)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			var found []string
			for _, f := range got.Data {
				found = append(found, f.ID)
			}
			if diff := cmp.Diff(found, tt.want); diff != "" || got.HasMore != tt.more {
				t.Errorf("%s: more %t (-got +want):\n%s", tt.name, got.HasMore, diff)
			}
		}
		if got, err := w.files.List(t.Context(), admin, batch.Page{}, "", false); err != nil || len(got.Data) != 5 {
			t.Errorf("the admin sees %d files, %v", len(got.Data), err)
		}
		for _, page := range []batch.Page{{Limit: -1}, {Limit: 10_001}, {After: "file-unknown"}} {
			if _, err := w.files.List(t.Context(), alice, page, "", false); kindOf(err) != gateway.KindInvalid {
				t.Errorf("%+v: %v", page, err)
			}
		}
		if _, err := w.files.List(t.Context(), bob, batch.Page{After: ids[0]}, "", false); kindOf(err) != gateway.KindInvalid {
			t.Errorf("another's cursor: %v", err)
		}
	})
}
