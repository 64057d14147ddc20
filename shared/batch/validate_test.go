package batch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/event"
)

func body(text string) string {
	return fmt.Sprintf(`{"custom_id":"a","method":"POST","url":%q,"body":%s}`, chatURL, text)
}

func TestFilesThatDoNotValidate(t *testing.T) {
	t.Parallel()
	a, b := good("a"), good("b")
	tests := []struct {
		name, file string
		want       string // code, param, line
	}{
		{"blank lines only", "\n \r\n\t", "empty_file"},
		{"mark only", "\ufeff", "empty_file"},
		{"no json", a + "\nnope\n" + b, "invalid_json_line :2"},
		{"array", "[]", "invalid_json_line :1"},
		{"two values", a + a, "invalid_json_line :1"},
		{"carriage returns only", a + "\r" + b + "\r", "invalid_json_line :1"},
		{"not utf-8", strings.Replace(a, `"a"`, "\"\xff\"", 1), "invalid_json_line :1"},
		{"utf-16", "\xff\xfe{\x00}\x00", "invalid_json_line :1"},
		{"utf-16 without mark", "{\x00}\x00", "invalid_json_line :1"},
		{"gzip", "\x1f\x8b\x08\x00", "invalid_json_line :1"},
		{"zip", "PK\x03\x04", "invalid_json_line :1"},
		{"pdf", "%PDF-1.7", "invalid_json_line :1"},
		{"second mark", "\ufeff\ufeff" + a, "invalid_json_line :1"},
		{"deep", body(strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)), "invalid_json_line :1"},
		{"no custom_id", strings.Replace(a, "custom_id", "customid", 1), "missing_required_parameter custom_id:1"},
		{"other case", strings.Replace(a, "custom_id", "Custom_ID", 1), "missing_required_parameter custom_id:1"},
		{"null custom_id", strings.Replace(a, `"a"`, "null", 1), "missing_required_parameter custom_id:1"},
		{"empty custom_id", strings.Replace(a, `"a"`, `""`, 1), "missing_required_parameter custom_id:1"},
		{"number custom_id", strings.Replace(a, `"a"`, "7", 1), "invalid_request custom_id:1"},
		{"long custom_id", good(strings.Repeat("x", 513)), "invalid_request custom_id:1"},
		{"custom_id given twice", strings.Replace(a, `{`, `{"custom_id":"z",`, 1), "invalid_request custom_id:1"},
		{"get", strings.Replace(a, "POST", "GET", 1), "invalid_method method:1"},
		{"lower case", strings.Replace(a, "POST", "post", 1), "invalid_method method:1"},
		{"other url", strings.Replace(a, chatURL, "/v1/embeddings", 1), "url_mismatch url:1"},
		{"absolute url", strings.Replace(a, chatURL, "https://evil"+chatURL, 1), "url_mismatch url:1"},
		{"no body", fmt.Sprintf(`{"custom_id":"a","method":"POST","url":%q}`, chatURL), "missing_required_parameter body:1"},
		{"string body", body(`"{}"`), "invalid_request body:1"},
		{"no model", body(`{}`), "missing_required_parameter body.model:1"},
		{"model given twice", body(`{"model":"m","model":"m2"}`), "invalid_request body:1"},
		{"stream", body(`{"model":"m","stream":true}`), "invalid_request body.stream:1"},
		{"stream as text", body(`{"model":"m","stream":"no"}`), "invalid_request body.stream:1"},
		{"unknown model", body(`{"model":"no-such"}`), "model_not_found body.model:1"},
		{"same custom_id", a + "\n" + b + "\n\n" + a, "duplicate_custom_id custom_id:4"},
		{"long line", a + "\n" + good(strings.Repeat("y", 2000)) + "\n" + b, "line_too_long :2"},
		{"too many lines", input(6), "too_many_tasks :6"},
		{"several", "x\n" + a + "\ny", "invalid_json_line :1, invalid_json_line :3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(d *batch.Deps) { d.Settings.MaxLines, d.Settings.MaxLineBytes = 5, 1000 })
			b := w.run(tt.file)
			if b.Status != "failed" || b.FailedAt == nil || b.Errors == nil || b.OutputFileID != nil || b.ErrorFileID != nil {
				t.Fatalf("batch: %+v", b)
			}
			var got []string
			for _, f := range b.Errors.Data {
				text := f.Code
				if f.Line != nil {
					param := ""
					if f.Param != nil {
						param = *f.Param
					}
					text += fmt.Sprintf(" %s:%d", param, *f.Line)
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(strings.Join(got, ", "), tt.want); diff != "" {
				t.Errorf("faults (-got +want):\n%s", diff)
			}
			if w.vendor.calls() != 0 || w.mail.told()[event.BatchFailed] != 1 {
				t.Errorf("%d calls, events %v", w.vendor.calls(), w.mail.told())
			}
		})
	}
}

func TestFaultsAreLimited(t *testing.T) {
	t.Parallel()
	b := newWorld(t, nil).run(strings.Repeat("x\n", 500))
	if n := len(b.Errors.Data); n != 100 {
		t.Errorf("%d faults", n)
	}
}

func TestDuplicateNamesBothLines(t *testing.T) {
	t.Parallel()
	b := newWorld(t, nil).run(good("a") + "\n\n" + good("a"))
	if m := b.Errors.Data[0].Message; !strings.Contains(m, "line 1 ") || !strings.Contains(m, "line 3.") {
		t.Errorf("message: %s", m)
	}
}

func TestFilesThatValidate(t *testing.T) {
	t.Parallel()
	a, b := good("a"), good("b")
	tests := map[string]struct {
		file string
		want []string
	}{
		"mark":             {"\ufeff" + a + "\n", []string{"a"}},
		"crlf":             {a + "\r\n" + b + "\r\n", []string{"a", "b"}},
		"no last line end": {a + "\n" + b, []string{"a", "b"}},
		"blank lines":      {"\n\n" + a + "\n \t\r\n" + b + "\n\n", []string{"a", "b"}},
		"several models":   {a + "\n" + strings.Replace(b, `"m"`, `"m2"`, 1), []string{"a", "b"}},
		"stream off":       {body(`{"model":"m","stream":false}`), []string{"a"}},
		"differ by case, form and space": {
			good("é") + "\n" + good("e\u0301") + "\n" + good("A") + "\n" + a + "\n" + good("a ") + "\n" + good("__proto__") + "\n" + good("=cmd()"),
			[]string{"é", "e\u0301", "A", "a", "a ", "__proto__", "=cmd()"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(d *batch.Deps) { d.Settings.ChunkLines = 1 })
			b := w.run(tt.file)
			if diff := cmp.Diff(customIDs(w.output(b.OutputFileID)), tt.want); diff != "" {
				t.Errorf("batch %+v\n(-got +want):\n%s", b, diff)
			}
		})
	}
}

func TestModelIsShownIfThereIsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if b := w.run(input(3)); b.Model == nil || *b.Model != "m" {
		t.Errorf("model: %v", b.Model)
	}
	if b := w.run(good("a") + "\n" + strings.Replace(good("b"), `"m"`, `"m2"`, 1)); b.Model != nil {
		t.Errorf("model: %v", *b.Model)
	}
}
