package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/services/sluice/cli"
)

const twoLines = `{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{}}` + "\r\n" +
	`{"custom_id":"2","method":"POST","url":"/v1/chat/completions","body":{}}` // without a newline at the end

// batches is a gateway with one batch, which is in the next of its states at every look.
type batches struct {
	t      *testing.T
	states []string // JSON of the batch; the last one stays
	looks  atomic.Int64
	files  map[string]string // content by id
	broken atomic.Int64      // how many calls fail first
	// what was sent
	upload, create string
}

func (b *batches) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && b.broken.Add(-1) >= 0 {
		http.Error(w, "away", http.StatusServiceUnavailable)
		return
	}
	switch id, content := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/v1/files/"), "/content"); {
	case r.Method == http.MethodPost && r.URL.Path == "/v1/files":
		file, header, err := r.FormFile("file")
		if err != nil {
			b.t.Errorf("upload: %v", err)
			return
		}
		data, _ := io.ReadAll(file)
		b.upload = fmt.Sprintf("%s %s %s", r.FormValue("purpose"), header.Filename, data)
		_, _ = io.WriteString(w, `{"id":"file-in","object":"file"}`)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/batches":
		body, _ := io.ReadAll(r.Body)
		b.create = string(body)
		_, _ = io.WriteString(w, `{"id":"batch_1","object":"batch","status":"validating"}`)
	case r.Method == http.MethodGet && r.URL.Path == "/v1/batches/batch_1":
		_, _ = io.WriteString(w, b.states[min(int(b.looks.Add(1)), len(b.states))-1])
	case content && b.files[id] != "":
		_, _ = io.WriteString(w, b.files[id])
	default:
		http.NotFound(w, r)
	}
}

func state(status string, total, completed, failed int, more string) string {
	return fmt.Sprintf(`{"id":"batch_1","status":%q,"request_counts":{"total":%d,"completed":%d,"failed":%d}%s}`, status, total, completed, failed, more)
}

const (
	outFile  = `,"output_file_id":"file-out","error_file_id":null`
	bothFile = `,"output_file_id":"file-out","error_file_id":"file-err"`
)

func TestBatchRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		states []string
		broken int64
		stale  bool // files of an earlier run lie there
		code   int
		out    string // content; "-": no file
		errs   string
		note   []string
	}{
		"all succeed": {states: []string{state("validating", 0, 0, 0, ""), state("in_progress", 2, 1, 0, ""), state("completed", 2, 2, 0, outFile)},
			stale: true, out: "results\n", errs: "-",
			note: []string{"batch_1 created", "validating  0/0 lines\n", "in_progress  1/2 lines", "completed  2/2 lines", "2 lines done in 0s: "}},
		"one fails": {states: []string{state("completed", 2, 1, 1, bothFile)}, code: 2, out: "results\n", errs: "errors\n",
			note: []string{"sluice: 1 of 2 lines failed: see ", "out.errors.jsonl"}},
		"all fail": {states: []string{state("completed", 2, 0, 2, `,"output_file_id":null,"error_file_id":"file-err"`)}, stale: true,
			code: 2, out: "", errs: "errors\n", note: []string{"2 of 2 lines failed"}},
		"invalid input": {states: []string{state("failed", 0, 0, 0, `,"errors":{"data":[{"code":"invalid_json_line","message":"not JSON","line":7},{"code":"empty_file","message":"nothing","line":null}]}`)},
			code: 3, out: "-", errs: "-", note: []string{"sluice: batch batch_1 failed\n", "in.jsonl:7: not JSON (invalid_json_line)\n", "in.jsonl: nothing (empty_file)\n"}},
		"expired":   {states: []string{state("expired", 2, 1, 1, bothFile)}, code: 3, out: "results\n", errs: "errors\n", note: []string{"batch batch_1 has expired after 2 of 2 lines"}},
		"cancelled": {states: []string{state("cancelling", 2, 1, 0, ""), state("cancelled", 2, 1, 0, outFile)}, code: 3, out: "results\n", errs: "-", note: []string{"was cancelled after 1 of 2 lines"}},
		"away for a while": {states: []string{state("in_progress", 2, 0, 0, ""), state("completed", 2, 2, 0, outFile)}, broken: 4,
			out: "results\n", errs: "-", note: []string{"2 lines done"}},
		"away for good": {states: []string{""}, broken: 1 << 40, code: 1, out: "-", errs: "-",
			note: []string{"answered 503", "resume with: sluice batch wait batch_1 -o "}},
		"file gone":  {states: []string{state("completed", 2, 2, 0, `,"output_file_id":"file-none"`)}, code: 1, out: "-", errs: "-", note: []string{"404"}},
		"no batch":   {states: []string{`{}`}, code: 1, out: "-", errs: "-", note: []string{"holds no batch"}},
		"not a JSON": {states: []string{`<html>`}, code: 1, out: "-", errs: "-", note: []string{"is --url right?"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in, out, errs := filepath.Join(dir, "in.jsonl"), filepath.Join(dir, "out.jsonl"), filepath.Join(dir, "out.errors.jsonl")
			write(t, in, twoLines)
			if c.stale {
				write(t, out, "stale")
				write(t, errs, "stale")
			}
			b := &batches{t: t, states: c.states, files: map[string]string{"file-out": "results\n", "file-err": "errors\n"}}
			b.broken.Store(c.broken)
			got := sluice(t.Context(), cli.Options{Pause: 10 * time.Microsecond}, "", "batch", "run", in, "-o", out, "--url", serve(t, b.ServeHTTP))
			if got.code != c.code || got.out != "" {
				t.Errorf("code %d, want %d\n%s%s", got.code, c.code, got.out, got.note)
			}
			contains(t, "note", got.note, c.note...)
			if want := "batch in.jsonl " + twoLines; b.upload != want {
				t.Errorf("uploaded %q", b.upload)
			}
			if want := `{"completion_window":"24h","endpoint":"/v1/chat/completions","input_file_id":"file-in"}`; b.create != want {
				t.Errorf("created %s", b.create)
			}
			files := map[string]string{"in.jsonl": twoLines, "out.jsonl": c.out, "out.errors.jsonl": c.errs}
			for name, content := range files {
				if content == "-" {
					delete(files, name)
				}
			}
			if diff := cmp.Diff(folder(t, dir), files); diff != "" {
				t.Errorf("files, got (-), want (+):\n%s", diff)
			}
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// folder is every file in dir with its content.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(data)
	}
	return files
}

func TestBatchRunInputs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ content, flag, endpoint, fault string }{
		"blank lines first": {"\n \r\n" + `{"url":"/v1/embeddings"}` + "\nnot JSON", "", "/v1/embeddings", ""},
		"named endpoint":    {`{}`, "/v1/responses", "/v1/responses", ""},
		"empty":             {"", "", "", "has no lines"},
		"blank":             {"\n\n", "", "", "has no lines"},
		"not JSON":          {"\nhello", "", "", "in.jsonl:2: a line must be a JSON object"},
		"a list":            {"[]", "", "", "in.jsonl:1: a line must be a JSON object"},
		"no url":            {"{}", "", "", "in.jsonl:1: the line has no url; name one with --endpoint"},
		"endless line":      {`{"url":"` + strings.Repeat("x", 17<<20), "", "", "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in := filepath.Join(dir, "in.jsonl")
			write(t, in, c.content)
			b := &batches{t: t, states: []string{state("completed", 1, 1, 0, outFile)}, files: map[string]string{"file-out": "x"}}
			args := []string{"batch", "run", in, "-o", filepath.Join(dir, "o"), "--url", serve(t, b.ServeHTTP)}
			if c.flag != "" {
				args = append(args, "--endpoint", c.flag)
			}
			got := sluice(t.Context(), cli.Options{}, "", args...)
			if c.fault != "" {
				contains(t, "note", got.note, c.fault)
				if got.code != 1 || b.upload != "" {
					t.Errorf("code %d, uploaded %q", got.code, b.upload)
				}
				return
			}
			if got.code != 0 || !strings.Contains(b.create, `"endpoint":"`+c.endpoint+`"`) {
				t.Errorf("%+v, created %s", got, b.create)
			}
		})
	}
}

// TestBatchInterrupt stops the command at each of its steps, as Ctrl-C does.
func TestBatchInterrupt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at   string // method and path of the call during which it happens
		want string
	}{
		"upload":   {"POST /v1/files", "sluice: interrupted\n"},
		"create":   {"POST /v1/batches", "sluice: interrupted\n`sluice batch list` shows whether the batch was created\n"},
		"wait":     {"GET /v1/batches/batch_1", "sluice: interrupted; the batch goes on. Resume with:\n  sluice batch wait batch_1 -o "},
		"download": {"GET /v1/files/file-out/content", "sluice: interrupted; the batch goes on. Resume with:\n  sluice batch wait batch_1 -o "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b := &batches{t: t, states: []string{state("completed", 2, 2, 0, outFile)}}
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method+" "+r.URL.Path == c.at {
					_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client goes
					cancel()
					<-r.Context().Done()
					return
				}
				b.ServeHTTP(w, r)
			})
			dir := t.TempDir()
			in := filepath.Join(dir, "in.jsonl")
			write(t, in, twoLines)
			got := sluice(ctx, cli.Options{}, "", "batch", "run", in, "-o", filepath.Join(dir, "my out.jsonl"), "--errors", filepath.Join(dir, "e"), "--url", url)
			if got.code != 1 {
				t.Errorf("code %d", got.code)
			}
			contains(t, "note", got.note, c.want)
			if strings.Contains(c.want, "Resume") {
				contains(t, "note", got.note, "-o '"+dir+"/my out.jsonl' --errors "+dir+"/e --url "+url)
			}
			if files := folder(t, dir); len(files) != 1 {
				t.Errorf("files left: %v", files)
			}
		})
	}
}

// TestBatchInterruptBetween stops it while it sleeps between two looks.
func TestBatchInterruptBetween(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b := &batches{t: t, states: []string{state("in_progress", 2, 0, 0, "")}}
	url := serve(t, b.ServeHTTP)
	var out, note safeBuffer
	code := make(chan int)
	go func() {
		code <- execute(ctx, cli.Options{Pause: time.Hour}, strings.NewReader(""), &out, &note, "batch", "wait", "batch_1", "--url", url)
	}()
	for deadline := time.After(10 * time.Second); !strings.Contains(note.String(), "in_progress"); {
		select {
		case <-deadline:
			t.Fatal("nothing was shown")
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if got := <-code; got != 1 {
		t.Errorf("code %d", got)
	}
	contains(t, "note", note.String(), "Resume with:\n  sluice batch wait batch_1 --url "+url)
}

// TestBatchCutDownload loses the connection in the middle of a file: it is fetched again, and never seen half.
func TestBatchCutDownload(t *testing.T) {
	t.Parallel()
	b := &batches{t: t, states: []string{state("completed", 2, 2, 0, outFile)}, files: map[string]string{"file-out": "whole\n"}}
	var tries atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/content") && tries.Add(1) < 3 {
			w.Header().Set("Content-Length", "6")
			_, _ = io.WriteString(w, "who")
			return
		}
		b.ServeHTTP(w, r)
	})
	dir := t.TempDir()
	got := sluice(t.Context(), cli.Options{}, "", "batch", "wait", "batch_1", "-o", filepath.Join(dir, "o.jsonl"), "--url", url)
	if diff := cmp.Diff(folder(t, dir), map[string]string{"o.jsonl": "whole\n"}); got.code != 0 || diff != "" {
		t.Errorf("%+v\n%s", got, diff)
	}
}

func TestBatchWaitOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state string
		code  int
		want  string
	}{
		{state("completed", 2, 2, 0, outFile), 0, "2 lines done in 0s\n"},
		{state("completed", 2, 1, 1, bothFile), 2, "sluice: 1 of 2 lines failed\n"},
		{state("failed", 0, 0, 0, `,"errors":{"data":[{"line":1}]}`), 3, "input:1: no message (no code)"},
	} {
		b := &batches{t: t, states: []string{c.state}}
		got := sluice(t.Context(), cli.Options{}, "", "batch", "wait", "batch_1", "--url", serve(t, b.ServeHTTP))
		if got.code != c.code || !strings.Contains(got.note, c.want) {
			t.Errorf("%+v, want %d %q", got, c.code, c.want)
		}
	}
}

func TestBatchOnTerminal(t *testing.T) {
	t.Parallel()
	b := &batches{t: t, states: []string{state("validating", 0, 0, 0, ""), state("in_progress", 200, 50, 1, ""), state("completed", 200, 200, 0, outFile)}}
	o := cli.Options{IsTerminal: func(io.Writer) bool { return true }}
	got := sluice(t.Context(), o, "", "batch", "wait", "batch_1", "--url", serve(t, b.ServeHTTP))
	if got.code != 0 {
		t.Errorf("%+v", got)
	}
	contains(t, "bar", got.note, "in_progress, 1 failed", "(51/200,", "completed 100%", "(200/200,", "\n200 lines done")
}

func TestBatchListAndCancel(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.String() {
		case "GET /v1/batches?after=batch_0&limit=2":
			_, _ = io.WriteString(w, `{"data":[{"id":"batch_1","status":"in_progress","endpoint":"/v1/embeddings","created_at":1767225600,`+
				`"request_counts":{"total":10,"completed":3,"failed":1}},{"id":"batch_2","status":"vali\u001bcdating\t","created_at":0}],"has_more":true}`)
		case "POST /v1/batches/a%2Fb/cancel":
			_, _ = io.WriteString(w, `{"id":"a/b","status":"cancelling"}`)
		default:
			t.Errorf("called %s %s", r.Method, r.URL)
		}
	})
	got := sluice(t.Context(), cli.Options{}, "", "batch", "list", "--limit", "2", "--after", "batch_0", "--url", url)
	want := result{"" +
		"BATCH    STATUS       DONE  FAILED  LINES  CREATED           ENDPOINT\n" +
		"batch_1  in_progress  3     1       10     2026-01-01 00:00  /v1/embeddings\n" +
		"batch_2  validating   0     0       0      1970-01-01 00:00  \n",
		"more: sluice batch list --after batch_2\n", 0}
	if diff := cmp.Diff(got, want, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("got (-), want (+):\n%s", diff)
	}
	got = sluice(t.Context(), cli.Options{}, "", "batch", "list", "--limit", "2", "--after", "batch_0", "--json", "--url", url)
	var all []map[string]any
	if err := json.Unmarshal([]byte(got.out), &all); err != nil || len(all) != 2 {
		t.Errorf("--json: %s", got.out)
	}
	if got := sluice(t.Context(), cli.Options{}, "", "batch", "cancel", "a/b", "--url", url); got != (result{"a/b cancelling\n", "", 0}) {
		t.Errorf("%+v", got)
	}
}
