package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

// callLimit bounds one call of a test: the books of a soak are long, and the emulator is slow.
var callLimit = sized(5*time.Minute, time.Minute)

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes a call with a body of bytes; an error means that no whole answer came.
func send(ctx context.Context, method, url, key, contentType string, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, text}, err
}

// call makes a call with a JSON body, or none if in is nil.
func (g *sluice) call(t testing.TB, key, method, path string, in any) answer {
	t.Helper()
	var body []byte
	contentType := ""
	if in != nil {
		contentType = "application/json"
		var err error
		if body, err = json.Marshal(in); err != nil {
			t.Fatal(err)
		}
	}
	a, err := send(t.Context(), method, g.url+path, key, contentType, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// must makes a call that has to succeed and decodes its answer.
func must[T any](t testing.TB, g *sluice, key, method, path string, in any) (out T) {
	t.Helper()
	a := g.call(t, key, method, path, in)
	if a.status != http.StatusOK {
		t.Fatalf("%s %s: status %d: %.1000s", method, path, a.status, a.body)
	}
	a.decode(t, &out)
	return out
}

// ask is for what is asked again if it fails: a report of a soak may meet an emulator that stalls.
func ask[T any](t testing.TB, g *sluice, path string) (out T, err error) {
	a, err := send(t.Context(), http.MethodGet, g.url+path, masterKey, "", nil)
	switch {
	case err != nil:
		return out, err
	case a.status != http.StatusOK:
		return out, fmt.Errorf("GET %s: status %d: %.1000s", path, a.status, a.body)
	}
	return out, json.Unmarshal(a.body, &out)
}

func (a answer) decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("decode %.1000q: %v", a.body, err)
	}
}

// newKey makes a virtual key with the fields of a /key/generate request. The provider must never see it.
func (g *sluice) newKey(t testing.TB, fields map[string]any) string {
	t.Helper()
	if fields == nil {
		fields = map[string]any{}
	}
	key := must[struct{ Key string }](t, g, masterKey, http.MethodPost, "/key/generate", fields).Key
	if !strings.HasPrefix(key, "sk-") {
		t.Fatalf("the new key does not begin with sk-, it has %d bytes", len(key))
	}
	g.provider.AddCanaries(key)
	return key
}

// chatBody is a plain request.
func chatBody(model, text string) map[string]any {
	return map[string]any{"model": model, "messages": []any{map[string]any{"role": "user", "content": text}}}
}

// batch is OpenAI's Batch object, as far as it is looked at.
type batch struct {
	ID           string
	Status       string
	OutputFileID string `json:"output_file_id"`
	ErrorFileID  string `json:"error_file_id"`
	Errors       struct {
		Data []struct {
			Code, Message string
			Param         string
			Line          int
		}
	}
	Counts struct{ Total, Completed, Failed int } `json:"request_counts"`
	Usage  struct {
		InputTokens  int64 `json:"input_tokens"`
		OutputTokens int64 `json:"output_tokens"`
	}
}

func (b batch) final() bool {
	return strings.Contains(" completed failed expired cancelled ", " "+b.Status+" ")
}

// upload stores a file for a batch and returns its id.
func (g *sluice) upload(t testing.TB, key string, content []byte) string {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("purpose", "batch"); err != nil {
		t.Fatal(err)
	}
	part, err := form.CreateFormFile("file", "in.jsonl")
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	a, err := send(t.Context(), http.MethodPost, g.url+"/v1/files", key, form.FormDataContentType(), body.Bytes())
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("upload: status %d, %v: %.1000s", a.status, err, a.body)
	}
	var file struct{ ID string }
	a.decode(t, &file)
	return file.ID
}

// createBatch makes a batch of lines.
func (g *sluice) createBatch(t testing.TB, key string, content []byte) batch {
	t.Helper()
	return must[batch](t, g, key, http.MethodPost, "/v1/batches", map[string]string{
		"input_file_id": g.upload(t, key, content), "endpoint": "/v1/chat/completions", "completion_window": "24h",
	})
}

// await waits for a batch's end. The gateway may be away in between.
func (g *sluice) await(t testing.TB, key, id string, limit time.Duration) (b batch) {
	t.Helper()
	eventually(t, limit, "the end of "+id, func() error {
		a, err := send(t.Context(), http.MethodGet, g.url+"/v1/batches/"+id, key, "", nil)
		if err != nil {
			return err
		}
		if a.status != http.StatusOK {
			return fmt.Errorf("status %d: %.500s", a.status, a.body)
		}
		b = batch{}
		a.decode(t, &b)
		if !b.final() {
			return fmt.Errorf("it is %s: %+v", b.Status, b.Counts)
		}
		return nil
	})
	return b
}

// content reads a file; without an id it is empty.
func (g *sluice) content(t testing.TB, key, id string) []byte {
	t.Helper()
	if id == "" {
		return nil
	}
	a := g.call(t, key, http.MethodGet, "/v1/files/"+id+"/content", nil)
	if a.status != http.StatusOK {
		t.Fatalf("content of %s: status %d: %.1000s", id, a.status, a.body)
	}
	return a.body
}

// line is one line of a result file.
type line struct {
	ID       string
	CustomID string `json:"custom_id"`
	Response *struct {
		StatusCode int    `json:"status_code"`
		RequestID  string `json:"request_id"`
		Body       json.RawMessage
	}
	Error *struct{ Code, Message string }
}

// results reads the lines of a result file.
func (g *sluice) results(t testing.TB, key, file string) (lines []line) {
	t.Helper()
	for text := range bytes.Lines(g.content(t, key, file)) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatalf("line %d of %s: %v", len(lines)+1, file, err)
		}
		lines = append(lines, l)
	}
	return lines
}

// batchLine is one line of an input file.
func batchLine(customID, model, text string) []byte {
	body, _ := json.Marshal(map[string]any{ // maps of strings always encode
		"custom_id": customID, "method": "POST", "url": "/v1/chat/completions", "body": chatBody(model, text),
	})
	return append(body, '\n')
}
