package e2e_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// flaw is what is wrong with a line of an input file.
type flaw struct {
	code string
	line int
}

// A batch whose file is wrong fails with what is wrong, line by line; what is only unusual works.
func TestBatchInput(t *testing.T) {
	one, two := batchLine("a", chatModel, "one"), batchLine("b", chatModel, "two")
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	text := func(s string) []byte { return []byte(s) }
	without := func(old, new string) []byte { return bytes.Replace(two, text(old), text(new), 1) }
	inputs := map[string]struct {
		content []byte
		flaws   []flaw // none: it completes
		lines   int    // of the output
	}{
		"plain":               {join(one, two), nil, 2},
		"byte order mark":     {join(text("\xef\xbb\xbf"), one, two), nil, 2},
		"CR LF":               {bytes.ReplaceAll(join(one, two), text("\n"), text("\r\n")), nil, 2},
		"blank lines":         {join(text("\n  \n"), one, text("\r\n\t\n"), two, text("\n\n")), nil, 2},
		"no line end":         {bytes.TrimSpace(join(one, two)), nil, 2},
		"duplicate custom_id": {join(one, two, one), []flaw{{"duplicate_custom_id", 3}}, 0},
		"bad line":            {join(one, text("{\"custom_id\": \n"), two), []flaw{{"invalid_json_line", 2}}, 0},
		"no object":           {join(one, text("[1]\n")), []flaw{{"invalid_json_line", 2}}, 0},
		"too long a line":     {join(batchLine("long", chatModel, strings.Repeat("x", 9<<20)), two), []flaw{{"line_too_long", 1}}, 0},
		"another url":         {join(one, without("/v1/chat/completions", "/v1/embeddings")), []flaw{{"url_mismatch", 2}}, 0},
		"GET":                 {join(one, without("POST", "GET")), []flaw{{"invalid_method", 2}}, 0},
		"stream":              {join(one, without(`"model"`, `"stream":true,"model"`)), []flaw{{"invalid_request", 2}}, 0},
		"no custom_id":        {join(one, without(`"custom_id":"b",`, "")), []flaw{{"missing_required_parameter", 2}}, 0},
		"no model":            {join(one, without(fmt.Sprintf(`,"model":%q`, chatModel), ""), one), []flaw{{"missing_required_parameter", 2}, {"duplicate_custom_id", 3}}, 0},
		"only blank lines":    {text("\n \n"), []flaw{{"empty_file", 0}}, 0},
		"zip":                 {text("PK\x03\x04nonsense"), []flaw{{"invalid_json_line", 1}}, 0},
	}
	onBothEngines(t, func(t *testing.T, g *sluice) {
		key := g.newKey(t, nil)
		ids := map[string]string{}
		for name, in := range inputs {
			ids[name] = g.createBatch(t, key, in.content).ID
		}
		for name, in := range inputs {
			b := g.await(t, key, ids[name], batchLimit)
			var got []flaw
			for _, e := range b.Errors.Data {
				got = append(got, flaw{e.Code, e.Line})
				if e.Message == "" {
					t.Errorf("%s: %s says nothing", name, e.Code)
				}
			}
			want := "completed"
			if len(in.flaws) > 0 {
				want = "failed"
			}
			if b.Status != want || !slices.Equal(got, in.flaws) {
				t.Errorf("%s: the batch is %s with %v, want %s with %v", name, b.Status, got, want, in.flaws)
			}
			if n := len(g.results(t, key, b.OutputFileID)); n != in.lines || b.Counts.Completed != in.lines {
				t.Errorf("%s: the output has %d lines and the counts are %+v, want %d", name, n, b.Counts, in.lines)
			}
		}
		narrow := g.newKey(t, map[string]any{"models": []string{otherModel}})
		b := g.await(t, narrow, g.createBatch(t, narrow, one).ID, batchLimit)
		if b.Status != "failed" || len(b.Errors.Data) != 1 || b.Errors.Data[0].Code != "model_not_found" {
			t.Errorf("a model that the key may not call: %+v", b)
		}
		g.checkBooks(t)
	})
}
