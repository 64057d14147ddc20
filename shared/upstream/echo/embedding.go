package echo

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"strings"
)

// dimensions of an embedding when the caller names none.
const dimensions = 64

func embeddings(_ context.Context, body []byte) (*http.Response, error) {
	var request struct {
		Model          string `json:"model"`
		Input          any    `json:"input"`
		EncodingFormat string `json:"encoding_format"`
		Dimensions     int    `json:"dimensions"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return invalid("", "input cannot be read: %v", err).response()
	}
	if request.Dimensions < 0 || request.Dimensions > 4096 {
		return invalid("dimensions", "dimensions must be from 1 to 4096").response()
	}
	inputs, tokens := texts(request.Input), 0
	if f := markedError(inputs); f != nil {
		return f.response()
	}
	data := make([]map[string]any, len(inputs))
	for i, text := range inputs {
		tokens += countWords(text)
		v := vector(text, request.Dimensions)
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": v}
		if request.EncodingFormat == "base64" {
			data[i]["embedding"] = packed(v)
		}
	}
	return plain(map[string]any{
		"object": "list", "data": data, "model": request.Model,
		"usage": map[string]int{"prompt_tokens": tokens, "total_tokens": tokens},
	})
}

// texts reads a string, a list of strings, or token ids, which stand for themselves.
func texts(input any) []string {
	switch in := input.(type) {
	case string:
		return []string{in}
	case []any:
		var out []string
		var ids strings.Builder
		for _, item := range in {
			switch item := item.(type) {
			case string:
				out = append(out, item)
			case float64:
				ids.WriteString("token ")
			case []any:
				out = append(out, strings.Repeat("token ", len(item)))
			}
		}
		if ids.Len() > 0 {
			out = append(out, ids.String())
		}
		return out
	default:
		return nil
	}
}

// vector is a unit vector derived from the text's hash: equal texts have equal vectors, and that is all it says.
func vector(text string, n int) []float32 {
	if n == 0 {
		n = dimensions
	}
	v, norm := make([]float32, n), 0.0
	seed := sha256.Sum256([]byte(text))
	for i := range v {
		if i%16 == 0 && i > 0 {
			seed = sha256.Sum256(seed[:])
		}
		x := float64(int16(binary.LittleEndian.Uint16(seed[i%16*2:]))) / math.MaxInt16
		v[i], norm = float32(x), norm+x*x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(norm))
	}
	return v
}

func packed(v []float32) string {
	raw := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
