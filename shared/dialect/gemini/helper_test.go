package gemini_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/gemini"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

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
