package ingress_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func order(file, more string) string {
	return fmt.Sprintf(`{"input_file_id":%q,"endpoint":"/v1/chat/completions","completion_window":"24h"%s}`, file, more)
}

func TestBatchRoutes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key, other := h.key(`{"user_id":"one"}`), h.key(`{"user_id":"two"}`)
	file := h.upload(key, "{}\n")
	answer, text := h.do("POST", "/v1/batches", key, order(file, `,"metadata":{"a":"b"},"output_expires_after":{"anchor":"created_at","seconds":3600}`))
	if answer.StatusCode != 200 {
		t.Fatalf("create: %d %s", answer.StatusCode, text)
	}
	got := object(t, text)
	id, _ := got["id"].(string)
	if !strings.HasPrefix(id, "batch_") || len(id) != len("batch_")+32 || got["expires_at"].(float64)-got["created_at"].(float64) != 24*3600 {
		t.Errorf("create: %s", text)
	}
	for _, moving := range []string{"id", "created_at", "expires_at"} {
		delete(got, moving)
	}
	want := map[string]any{
		"object": "batch", "endpoint": "/v1/chat/completions", "model": nil, "errors": nil, "input_file_id": file,
		"completion_window": "24h", "status": "validating", "output_file_id": nil, "error_file_id": nil,
		"in_progress_at": nil, "finalizing_at": nil, "completed_at": nil, "failed_at": nil, "expired_at": nil,
		"cancelling_at": nil, "cancelled_at": nil, "usage": nil, "metadata": map[string]any{"a": "b"},
		"request_counts": map[string]any{"total": 0.0, "completed": 0.0, "failed": 0.0},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("create (-got +want):\n%s", diff)
	}
	if answer, text := h.do("GET", "/v1/batches/"+id, key, ""); answer.StatusCode != 200 || object(t, text)["id"] != id {
		t.Errorf("get: %d %s", answer.StatusCode, text)
	}
	_, text = h.do("GET", "/v1/batches?limit=1", key, "")
	if list := object(t, text); list["first_id"] != id || list["last_id"] != id || list["has_more"] != false {
		t.Errorf("list: %s", text)
	}
	for range 2 {
		if answer, text := h.do("POST", "/v1/batches/"+id+"/cancel", key, ""); answer.StatusCode != 200 || object(t, text)["status"] != "cancelling" {
			t.Errorf("cancel: %d %s", answer.StatusCode, text)
		}
	}
	for _, route := range [][2]string{{"GET", "/v1/batches/" + id}, {"POST", "/v1/batches/" + id + "/cancel"}} {
		if answer, text := h.do(route[0], route[1], other, ""); answer.StatusCode != 404 || strings.Contains(text, "one") {
			t.Errorf("%v: %d %s", route, answer.StatusCode, text)
		}
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=a", "after=batch_x"} {
		if answer, text := h.do("GET", "/v1/batches?"+query, key, ""); answer.StatusCode != 400 {
			t.Errorf("%s: %d %s", query, answer.StatusCode, text)
		}
	}
}

func TestCreateBatchRefuses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{"user_id":"one"}`)
	file := h.upload(key, "{}\n")
	tests := []struct{ name, body, param string }{
		{"another's file", order("file-x", ""), "input_file_id"},
		{"number as file", `{"input_file_id":7}`, "input_file_id"},
		{"no endpoint", `{"input_file_id":"` + file + `"}`, "endpoint"},
		{"window is a number", strings.Replace(order(file, ""), `"24h"`, "24", 1), "completion_window"},
		{"window is null", strings.Replace(order(file, ""), `"24h"`, "null", 1), "completion_window"},
		{"window of 25h", strings.Replace(order(file, ""), `24h`, "25h", 1), "completion_window"},
		{"nested metadata", order(file, `,"metadata":{"a":{}}`), "metadata"},
		{"null in metadata", order(file, `,"metadata":{"a":null}`), "metadata"},
		{"list as metadata", order(file, `,"metadata":[]`), "metadata"},
		{"bad anchor", order(file, `,"output_expires_after":{"anchor":"x","seconds":3600}`), "output_expires_after[anchor]"},
		{"bad seconds", order(file, `,"output_expires_after":{"anchor":"created_at","seconds":1.5}`), "output_expires_after[seconds]"},
		{"bad policy", order(file, `,"output_expires_after":7`), "output_expires_after"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer, text := h.in(t).do("POST", "/v1/batches", key, tt.body)
			failure, _ := object(t, text)["error"].(map[string]any)
			if answer.StatusCode != 400 || failure["param"] != tt.param {
				t.Errorf("%d %s", answer.StatusCode, text)
			}
		})
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{}`)
	file := h.upload(key, "{}\n")
	ids := map[any]bool{}
	for range 3 {
		_, text := h.do("POST", "/v1/batches", key, order(file, ""), "Idempotency-Key", "k")
		ids[object(t, text)["id"]] = true
	}
	if len(ids) != 1 {
		t.Errorf("batches: %v", ids)
	}
}
