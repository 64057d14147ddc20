package embed

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/embed/cl100k"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Detokenize is e with texts in place of tokens, for vendors that take texts only. Tokens are taken for cl100k_base's: all of OpenAI's
// embedding models have that vocabulary, and clients such as LangChain fall back to it for models they do not know. Half a character,
// where a client cut between tokens, becomes U+FFFD. The error is a gateway.Error that names the input.
func Detokenize(e *dialect.Embedding) (*dialect.Embedding, error) {
	if len(e.Tokens) == 0 {
		return e, nil
	}
	text := *e
	text.Inputs, text.Tokens = make([]string, 0, len(e.Inputs)+len(e.Tokens)), nil
	text.Inputs = append(text.Inputs, e.Inputs...)
	var buffer []byte
	for i, tokens := range e.Tokens {
		buffer = buffer[:0]
		for _, token := range tokens {
			var ok bool
			if buffer, ok = cl100k.Append(buffer, token); !ok {
				return nil, noToken(i, len(e.Tokens), token)
			}
		}
		text.Inputs = append(text.Inputs, strings.ToValidUTF8(string(buffer), "\ufffd"))
	}
	return &text, nil
}

func noToken(i, n int, token int64) error {
	at := place(i)
	if n == 1 {
		at = whole // it may be the whole list: nobody knows any more
	}
	const text = "%s has %d, which is no token of cl100k_base: this model's provider takes texts. Send texts, or tokens of that vocabulary."
	e := gateway.Invalid(at.String(), text, at, token)
	e.Code = "invalid_token"
	return e
}
