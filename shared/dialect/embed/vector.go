package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

var errNoVector = errors.New("a vector is not a list of numbers")

// vector reads a list of numbers. Unlike a []float32 it takes no null for a number.
type vector []float32

func (v *vector) UnmarshalJSON(raw []byte) error {
	if raw[0] != '[' {
		return errNoVector
	}
	values := make(vector, 0, len(raw)/bytesPerNumber)
	for element := range jsonedit.Elements(raw) {
		x, err := strconv.ParseFloat(string(element), 32)
		if jsonedit.KindOf(element[0]) != jsonedit.Number || err != nil {
			return errNoVector
		}
		values = append(values, float32(x))
	}
	*v = values
	return nil
}

// count reads a whole number of tokens; absent, it is negative. Vertex writes some as 5.0.
type count int64

func (c *count) UnmarshalJSON(raw []byte) error {
	n, ok := jsonedit.Int(raw)
	if !ok {
		n = -1
	}
	*c = count(n)
	return nil
}

// usage is what a vendor told; the source stays empty if it told none that can be believed.
func (c *count) usage() gateway.Usage {
	if c == nil || *c < 0 {
		return gateway.Usage{}
	}
	u, _ := dialect.CheckUsage(gateway.Usage{InputTokens: int64(*c)})
	return u
}

// read reads an answer into a struct of vectors and counts.
func read(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return dialect.InvalidAnswer("it is no list of vectors").WithCause(err)
	}
	return nil
}

// made checks vectors that were read.
func made(values []vector, u gateway.Usage) (*dialect.Vectors, error) {
	v := &dialect.Vectors{Values: make([][]float32, len(values)), Usage: u}
	for i := range values {
		v.Values[i] = values[i]
	}
	if err := believe(v); err != nil {
		return nil, err
	}
	return v, nil
}

// believe refuses answers without vectors, and vectors that are empty, of different lengths, or not finite.
func believe(v *dialect.Vectors) error {
	if len(v.Values) == 0 {
		return dialect.InvalidAnswer("it has no vectors")
	}
	for i, values := range v.Values {
		if len(values) == 0 || len(values) != len(v.Values[0]) {
			return dialect.InvalidAnswer(fmt.Sprintf("vector %d has %d dimensions", i, len(values)))
		}
		for _, x := range values {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return dialect.InvalidAnswer(fmt.Sprintf("vector %d has values that are not finite", i))
			}
		}
	}
	return nil
}

// Check reports whether v can be the answer to e: one vector for each input.
func Check(e *dialect.Embedding, v *dialect.Vectors) error {
	if got, want := len(v.Values), len(e.Inputs)+len(e.Tokens); got != want {
		return dialect.InvalidAnswer(fmt.Sprintf("it has %d vectors for %d inputs", got, want))
	}
	return believe(v)
}
