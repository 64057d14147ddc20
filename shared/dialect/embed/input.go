package embed

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// place is an input for a message: its index, or whole.
type place int

const whole place = -1

func (p place) String() string {
	if p == whole {
		return "input"
	}
	return fmt.Sprintf("input[%d]", int(p))
}

// readInput reads a text, a list of texts, a list of tokens, or a list of those.
func readInput(e *dialect.Embedding, f *jsonedit.Field) error {
	switch {
	case !f.Given():
		return gateway.Invalid(f.Name, "%s is required.", f.Name)
	case f.Kind == jsonedit.String:
		return readText(e, whole, f.Raw)
	case f.Kind != jsonedit.Array:
		return dialect.WrongType(f, "a string or a list")
	}
	for first := range jsonedit.Elements(f.Raw) {
		kind := jsonedit.KindOf(first[0])
		if kind == jsonedit.Number {
			room := maxTokens
			return readTokens(e, whole, f.Raw, &room)
		}
		return readList(e, f.Raw, kind)
	}
	return gateway.Invalid(f.Name, "%s must not be empty.", f.Name)
}

// readList reads a list whose elements are all of one kind.
func readList(e *dialect.Embedding, raw []byte, want jsonedit.Kind) error {
	room, at := maxTokens, place(0)
	for element := range jsonedit.Elements(raw) {
		if at == maxInputs {
			return gateway.Invalid("input", "input must have at most %d elements.", maxInputs)
		}
		var err error
		switch is := jsonedit.KindOf(element[0]); {
		case is != want, is != jsonedit.String && is != jsonedit.Array:
			err = wrongElement(at.String(), is)
		case is == jsonedit.String:
			err = readText(e, at, element)
		default:
			err = readTokens(e, at, element, &room)
		}
		if err != nil {
			return err
		}
		at++
	}
	return nil
}

func wrongElement(path string, is jsonedit.Kind) error {
	const text = "%s must not be %s: all elements are strings, or all are tokens, or all are lists of tokens."
	e := gateway.Invalid(path, text, path, strings.ToLower(is.String()))
	e.Code = "invalid_type"
	return e
}

func readText(e *dialect.Embedding, at place, raw []byte) error {
	text, ok := jsonedit.Unquote(raw)
	if !ok || text == "" {
		return gateway.Invalid(at.String(), "%s must not be an empty string.", at)
	}
	e.Inputs = append(e.Inputs, text)
	return nil
}

// readTokens reads one input that is a list of tokens. Room is how many more tokens the request may have.
func readTokens(e *dialect.Embedding, at place, raw []byte, room *int) error {
	var tokens []int64
	for element := range jsonedit.Elements(raw) {
		if *room--; *room < 0 {
			return gateway.Invalid("input", "input must have at most %d tokens.", maxTokens)
		}
		token, ok := jsonedit.Int(element)
		if !ok || token < 0 || token > maxToken {
			return badToken(fmt.Sprintf("%s[%d]", at, len(tokens)), element)
		}
		tokens = append(tokens, token)
	}
	if len(tokens) == 0 {
		return gateway.Invalid(at.String(), "%s must not be empty.", at)
	}
	e.Tokens = append(e.Tokens, tokens)
	return nil
}

func badToken(path string, element []byte) error {
	if is := jsonedit.KindOf(element[0]); is != jsonedit.Number {
		return wrongElement(path, is)
	}
	return gateway.Invalid(path, "%s must be a whole number from 0 to %d.", path, int64(maxToken))
}
