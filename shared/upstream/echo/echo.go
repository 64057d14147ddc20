// Package echo is the built-in model: an OpenAI-compatible upstream that needs no account and no network. Its answers are
// deterministic, its streams come in real chunks, and its usage is what it counted. Markers in the prompt make it call tools,
// think, refuse, fail or dawdle, so that apps can be tried with whatever a provider may do. It is reached like every upstream,
// through an http.RoundTripper.
package echo

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
)

// created is the time that every answer bears, so that equal questions get equal answers.
const created = 1_700_000_000

const (
	contextWindow = 1 << 20  // tokens of a prompt and of an answer; keeps what one request occupies within bounds
	maxAnswer     = 60 << 20 // bytes of text in an answer, all of its choices together; the gateway takes no more than 64 MiB
)

// Transport answers requests itself.
type Transport struct{}

var _ http.RoundTripper = Transport{}

// RoundTrip answers the three generation routes; it never dials. It returns early when the request's context ends.
func (Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	for _, route := range routes {
		if strings.HasSuffix(r.URL.Path, route.suffix) {
			return route.answer(r.Context(), body)
		}
	}
	return invalid("", "echo does not serve %s.", r.URL.Path).with(http.StatusNotFound).response()
}

var routes = []struct {
	suffix string
	answer func(context.Context, []byte) (*http.Response, error)
}{{"/chat/completions", chat}, {"/completions", completions}, {"/embeddings", embeddings}}

// words are echo's tokens: each with the white space before it.
func words(text string) []string { return slices.Collect(eachWord(text)) }

func countWords(text string) (n int) {
	for range eachWord(text) {
		n++
	}
	return n
}

func eachWord(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := 0
		for i, r := range text {
			if i > start && r == ' ' && text[i-1] != ' ' {
				if !yield(text[start:i]) {
					return
				}
				start = i
			}
		}
		if start < len(text) {
			yield(text[start:])
		}
	}
}

// eachToken cuts JSON, which has few spaces, into pieces of four characters.
func eachToken(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, n := 0, 0
		for i := range text {
			if n == 4 {
				if !yield(text[start:i]) {
					return
				}
				start, n = i, 0
			}
			n++
		}
		if start < len(text) {
			yield(text[start:])
		}
	}
}

// said is what echo says to a text.
func said(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		text = "(nothing)"
	}
	return "You said: " + text
}

func identify(prefix string, body []byte) string {
	sum := sha256.Sum256(body)
	return fmt.Sprintf("%s-echo-%x", prefix, sum[:8])
}

// quote writes a JSON string as people would: without escapes for HTML.
func quote(text string) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string into memory: cannot fail
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
