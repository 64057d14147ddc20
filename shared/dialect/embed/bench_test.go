package embed_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/embed"
)

// batch is 100 vectors of 1,536 dimensions.
func batch() *dialect.Vectors {
	v := &dialect.Vectors{Values: make([][]float32, 100)}
	for i := range v.Values {
		for j := range 1536 {
			v.Values[i] = append(v.Values[i], float32(math.Sin(float64(i*7919+j)))/39)
		}
	}
	return v
}

func BenchmarkEncode(b *testing.B) {
	v := batch()
	for name, inBase64 := range map[string]bool{"float": false, "base64": true} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(int64(len(embed.Encode("m", v, inBase64))))
			}
		})
	}
}

// BenchmarkDecodeEmbedding reads Cohere's answer with a batch.
func BenchmarkDecodeEmbedding(b *testing.B) {
	body := []byte(`{"embeddings":{"float":[`)
	for i, element := range bytes.Split(embed.Encode("m", batch(), false), []byte(`"embedding":[`))[1:] {
		if i > 0 {
			body = append(body, ',')
		}
		values, _, _ := bytes.Cut(element, []byte("]"))
		body = append(append(append(body, '['), values...), ']')
	}
	body = append(body, "]}}"...)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (embed.Cohere{}).DecodeEmbedding(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, body := range map[string]string{
		"texts":  `{"model":"m","input":[` + repeat(`"`+strings.Repeat("word ", 200)+`"`, 100) + `]}`,
		"tokens": `{"model":"m","input":[` + repeat(`[`+repeat("15339", 200)+`]`, 100) + `]}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := embed.Decode([]byte(body)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
