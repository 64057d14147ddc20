package ingress

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// writeList streams a JSON array, however long, without holding it. An error before the first item is an ordinary one;
// later the array is left open, so that nobody takes it for whole.
func writeList(w http.ResponseWriter, items func(yield func(any) bool) error) error {
	return stream(w, "[", items, func() ([]byte, error) { return []byte("]"), nil })
}

// writeObject streams a JSON object whose first field is such an array; rest are the others, told when it is whole.
func writeObject(w http.ResponseWriter, field string, items func(yield func(any) bool) error, rest func() map[string]any) error {
	return stream(w, `{"`+field+`":[`, items, func() ([]byte, error) {
		text, err := json.Marshal(rest())
		if err != nil {
			return nil, err
		}
		text[0] = ','
		return append([]byte("]"), text...), nil
	})
}

func stream(w http.ResponseWriter, head string, items func(yield func(any) bool) error, tail func() ([]byte, error)) error {
	begun := false
	begin := func() {
		begun = true
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, head) // the next one fails as well
	}
	var broken error
	err := items(func(item any) bool {
		text, err := json.Marshal(item)
		if err != nil {
			broken = err
			return false
		}
		if begun {
			text = append([]byte{','}, text...)
		} else {
			begin()
		}
		_, broken = w.Write(text)
		return broken == nil
	})
	var end []byte
	if err = errors.Join(err, broken); err == nil {
		end, err = tail()
	}
	switch {
	case err != nil && begun:
		panic(http.ErrAbortHandler)
	case err != nil:
		return err
	case !begun:
		begin()
	}
	_, _ = w.Write(end)
	return nil
}
