package cl100k_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect/embed/cl100k"
)

// OpenAI's file of the vocabulary, written again from the table, has the checksum that OpenAI's own library demands.
func TestVocabularyIsOpenAIs(t *testing.T) {
	t.Parallel()
	sum := sha256.New()
	for id := range int64(cl100k.Ordinary) {
		text, ok := cl100k.Append(nil, id)
		if !ok || len(text) == 0 {
			t.Fatalf("token %d is %q, %t", id, text, ok)
		}
		fmt.Fprintf(sum, "%s %d\n", base64.StdEncoding.EncodeToString(text), id)
	}
	const want = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		t.Errorf("the vocabulary's SHA-256 is %s, want %s", got, want)
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		ids  []int64
		want string
	}{
		{"words", []int64{15339, 1917}, "hello world"}, // tiktoken's own example
		{"a sentence", []int64{83, 1609, 5963, 374, 2294, 0}, "tiktoken is great!"},
		{"a character in pieces", []int64{9468, 239, 235}, "👍"},
		{"a special token", []int64{15339, 100257}, "hello<|endoftext|>"},
		{"the last special one", []int64{100276}, "<|endofprompt|>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := []byte(nil)
			for _, id := range c.ids {
				var ok bool
				if got, ok = cl100k.Append(got, id); !ok {
					t.Fatalf("%d is no token", id)
				}
			}
			if string(got) != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	for _, id := range []int64{-1, -1 << 63, 100256, 100261, 100275, 100277, 199_998, 1 << 31, 1<<63 - 1} {
		if got, ok := cl100k.Append([]byte("x"), id); ok || string(got) != "x" {
			t.Errorf("token %d is %q, %t", id, got, ok)
		}
	}
}

// BenchmarkAppend decodes 8,192 tokens, the longest input of OpenAI's models, without the unpacking that comes first.
func BenchmarkAppend(b *testing.B) {
	dst, _ := cl100k.Append(nil, 0)
	for b.Loop() {
		dst = dst[:0]
		for id := range int64(8192) {
			dst, _ = cl100k.Append(dst, id*12)
		}
	}
	b.SetBytes(int64(len(dst)))
}
