package dialect

import (
	"bytes"
	"slices"
)

// bytesPerToken is a fair guess for text and JSON, for what a provider did not count.
const bytesPerToken = 4

// CountInput estimates the input tokens of a request whose provider told no usage.
func (r *Request) CountInput() int64 { return CountTokens(r.Body) }

// CountTokens estimates the tokens of a text or of JSON.
func CountTokens(text []byte) int64 { return int64(len(text)+bytesPerToken-1) / bytesPerToken }

// CountOutput estimates the tokens of a whole answer whose provider told no usage.
func CountOutput(answer []byte) int64 { return int64(len(answer)) / bytesPerToken }

// Media are words in a body that stand for tokens which the body has no bytes for.
type Media struct {
	Images []string // each is at most one image
	Opaque []string // each may be any number of tokens: files, sound; one that begins with \ is an escape that may spell any word
	Mark   string   // stands in every body that has any of these, unless escaped; may be empty
}

const (
	// imageTokens is more than any model makes of one image: 48,169 with gpt-4o-mini's multiplier (OpenAI's vision guide, read
	// 2026-11).
	imageTokens = 50_000
	// addedTokens is more than a vendor adds of its own to a request with tools or a schema: up to 804 tokens at Anthropic (its page on
	// tool use, read 2026-11).
	addedTokens = 1024
	// anything is the input bound where bytes say nothing, and the model's own limit is not known: no model reads as much.
	anything = 1 << 22
)

// adding are words of what vendors add tokens to: tools, schemas and other formats.
var adding = [][]byte{[]byte("ools"), []byte("chema"), []byte("format")}

// Adds reports whether a body may have tools or a format, for Request.Adds.
func Adds(body []byte) bool {
	return slices.ContainsFunc(adding, func(word []byte) bool { return bytes.Contains(body, word) })
}

// InputBound is more than any model can make of the request: no token is shorter than a byte, but images and files may be tokens that
// the body has no bytes for. Most is what the model takes; 0 if that is not known. The first call is not for concurrent use.
func (r *Request) InputBound(most int64) int64 {
	if most <= 0 {
		most = anything
	}
	if r.bound == 0 {
		r.bound = r.textBound()
	}
	return min(r.bound, most)
}

// textBound is the bound for a model whose own limit is not known.
func (r *Request) textBound() int64 {
	bound := int64(len(r.Body)) + 64
	if r.Adds {
		bound += addedTokens
	}
	plain := r.Media.Mark != "" && !bytes.Contains(r.Body, []byte(r.Media.Mark))
	for _, word := range r.Media.Opaque {
		if (word[0] == '\\' || !plain) && bytes.Contains(r.Body, []byte(word)) {
			return anything
		}
	}
	if plain {
		return bound
	}
	for _, word := range r.Media.Images {
		bound += imageTokens * int64(bytes.Count(r.Body, []byte(word)))
	}
	return bound
}
