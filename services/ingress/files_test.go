package ingress_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const boundary = "----a-boundary"

// form is a multipart body of parts, each given as its header's attributes and its content.
func form(parts ...string) string {
	var b strings.Builder
	for i := 0; i < len(parts); i += 2 {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n", boundary, parts[i], parts[i+1])
	}
	return b.String() + "--" + boundary + "--\r\n"
}

func (h *house) postForm(key, body string) (*http.Response, string) {
	h.t.Helper()
	return h.do("POST", "/v1/files", key, body, "Content-Type", "multipart/form-data; boundary="+boundary)
}

func (h *house) upload(key, content string) string {
	h.t.Helper()
	answer, text := h.postForm(key, form(`name="purpose"`, "batch", `name="file"; filename="in.jsonl"`, content))
	var file struct{ ID string }
	if err := json.Unmarshal([]byte(text), &file); err != nil || answer.StatusCode != 200 || file.ID == "" {
		h.t.Fatalf("upload: %d %s", answer.StatusCode, text)
	}
	return file.ID
}

// object decodes a JSON answer.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return o
}

func TestUploadTakesFieldsInAnyOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{}`)
	file := []string{`name="file"; filename="../in.jsonl"`, "{}\n"}
	purpose := []string{`name="purpose"`, "batch"}
	life := []string{`name="expires_after[anchor]"`, "created_at", `name="expires_after[seconds]"`, "3600"}
	for name, parts := range map[string][][]string{
		"purpose first": {purpose, life, file}, "file first": {file, life, purpose}, "unknown field": {purpose, life, {`name="x"`, "y"}, file},
	} {
		var all []string
		for _, p := range parts {
			all = append(all, p...)
		}
		answer, text := h.postForm(key, form(all...))
		if answer.StatusCode != 200 {
			t.Fatalf("%s: %d %s", name, answer.StatusCode, text)
		}
		got := object(t, text)
		if got["expires_at"].(float64)-got["created_at"].(float64) != 3600 {
			t.Errorf("%s: expires_after was not heeded: %s", name, text)
		}
		delete(got, "id")
		delete(got, "created_at")
		delete(got, "expires_at")
		want := map[string]any{
			"object": "file", "bytes": 3.0, "filename": "in.jsonl", "purpose": "batch", "status": "processed", "status_details": nil,
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
	}
}

func TestUploadRefuses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{}`)
	file, purpose := []string{`name="file"; filename="f"`, "x"}, []string{`name="purpose"`, "batch"}
	join := func(parts ...[]string) string {
		var all []string
		for _, p := range parts {
			all = append(all, p...)
		}
		return form(all...)
	}
	whole := join(purpose, file)
	many := [][]string{purpose, file}
	for i := range 20 {
		many = append(many, []string{fmt.Sprintf(`name="x%d"`, i), ""})
	}
	tests := []struct{ name, contentType, body, param string }{
		{"no form", "application/json", "{}", ""},
		{"no boundary", "multipart/form-data", whole, ""},
		{"long boundary", "multipart/form-data; boundary=" + strings.Repeat("b", 10_000), whole, ""},
		{"no parts", "", form(), "file"},
		{"no file", "", join(purpose), "file"},
		{"no filename", "", join(purpose, []string{`name="file"`, "x"}), "file"},
		{"empty file", "", join(purpose, []string{`name="file"; filename="f"`, ""}), "file"},
		{"two files", "", join(purpose, file, file), "file"},
		{"no purpose", "", join(file), "purpose"},
		{"unknown purpose", "", join(file, []string{`name="purpose"`, "fun"}), "purpose"},
		{"two purposes", "", join(purpose, purpose, file), "purpose"},
		{"many parts", "", join(many...), ""},
		{"long field", "", join(purpose, []string{`name="x"`, strings.Repeat("y", 2000)}, file), ""},
		{"bad anchor", "", join(purpose, file, []string{`name="expires_after[anchor]"`, "now"}), "expires_after[anchor]"},
		{"bad seconds", "", join(purpose, file, []string{`name="expires_after[anchor]"`, "created_at", `name="expires_after[seconds]"`, "soon"}), "expires_after[seconds]"},
		{"short life", "", join(purpose, file, []string{`name="expires_after[anchor]"`, "created_at", `name="expires_after[seconds]"`, "60"}), "expires_after[seconds]"},
		{"cut in the file", "", join(purpose, []string{`name="file"; filename="f"`, strings.Repeat("x", 5000)})[:3000], "file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := h.in(t)
			contentType := tt.contentType
			if contentType == "" {
				contentType = "multipart/form-data; boundary=" + boundary
			}
			answer, text := h.do("POST", "/v1/files", key, tt.body, "Content-Type", contentType)
			failure, _ := object(t, text)["error"].(map[string]any)
			if answer.StatusCode != 400 || failure["type"] != "invalid_request_error" {
				t.Fatalf("%d %s", answer.StatusCode, text)
			}
			if param, _ := failure["param"].(string); param != tt.param {
				t.Errorf("param is %q, want %q", param, tt.param)
			}
		})
	}
	_, text := h.do("GET", "/v1/files", key, "")
	if list := object(t, text); len(list["data"].([]any)) != 0 {
		t.Errorf("files are left: %s", text)
	}
}

func TestFileRoutes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key, other := h.key(`{"user_id":"one"}`), h.key(`{"user_id":"two"}`)
	id := h.upload(key, "hello")
	answer, text := h.do("GET", "/v1/files/"+id+"/content", key, "")
	if answer.StatusCode != 200 || text != "hello" || answer.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("content: %d %q %v", answer.StatusCode, text, answer.Header)
	}
	_, text = h.do("GET", "/v1/files?purpose=batch&limit=1&order=asc", key, "")
	if list := object(t, text); list["object"] != "list" || list["first_id"] != id || list["last_id"] != id || list["has_more"] != false {
		t.Errorf("list: %s", text)
	}
	for _, route := range [][2]string{
		{"GET", "/v1/files/" + id}, {"GET", "/v1/files/" + id + "/content"}, {"DELETE", "/v1/files/" + id}, {"GET", "/v1/files/file-x"},
	} {
		answer, text := h.do(route[0], route[1], other, "")
		failure, _ := object(t, text)["error"].(map[string]any)
		if message, _ := failure["message"].(string); answer.StatusCode != 404 || failure["param"] != "id" || !strings.HasPrefix(message, "No such File object: file-") {
			t.Errorf("%v: %d %s", route, answer.StatusCode, text)
		}
	}
	for _, query := range []string{"limit=0", "limit=-1", "limit=1000000000", "limit=a", "order=up", "after=file-x"} {
		if answer, text := h.do("GET", "/v1/files?"+query, key, ""); answer.StatusCode != 400 {
			t.Errorf("%s: %d %s", query, answer.StatusCode, text)
		}
	}
	_, text = h.do("DELETE", "/v1/files/"+id, key, "")
	if diff := cmp.Diff(object(t, text), map[string]any{"id": id, "object": "file", "deleted": true}); diff != "" {
		t.Errorf("delete (-got +want):\n%s", diff)
	}
	if answer, _ := h.do("GET", "/v1/files/"+id, key, ""); answer.StatusCode != 404 {
		t.Errorf("deleted: %d", answer.StatusCode)
	}
}
