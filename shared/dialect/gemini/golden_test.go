package gemini_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/gemini"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

var update = flag.Bool("update", false, "write the golden files anew")

// each runs a test for each recording of a folder.
func each(t *testing.T, pattern string, test func(t *testing.T, file string, text []byte)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings %s: %v", pattern, err)
	}
	for _, file := range files {
		if strings.Contains(file, ".golden") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			test(t, file, text)
		})
	}
}

// golden compares a value, as indented JSON, with a golden file.
func golden(t *testing.T, file string, value any) {
	t.Helper()
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(slim(t, value)); err != nil {
		t.Fatal(err)
	}
	goldenText(t, file, got.Bytes())
}

func goldenText(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// slim leaves out what is zero, for golden files to be read.
func slim(t *testing.T, value any) any {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	return pruned(tree)
}

func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if inner = pruned(inner); inner == nil || inner == "" || inner == false || inner == json.Number("0") {
				delete(v, name)
			} else {
				v[name] = inner
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = pruned(v[i])
		}
	}
	return v
}

func peek(t *testing.T, body string, hint dialect.Hint) *dialect.Request {
	t.Helper()
	r, err := gemini.Peek(gateway.OpGemini, []byte(body), hint)
	if err != nil {
		t.Fatalf("Peek: %v", err)
	}
	return r
}

// frames reads all frames of a stream; rest is how it ended.
func frames(t *testing.T, r io.Reader) (out []dialect.Frame, rest error) {
	t.Helper()
	reader := dialect.SSE.Open(r)
	defer reader.Close()
	for {
		f, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, dialect.Frame{Raw: bytes.Clone(f.Raw), Name: f.Name, Data: bytes.Clone(f.Data)})
	}
}
