package embed

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Limits of OpenAI's (API document, read 2026-11), but for the largest token and the largest number of dimensions: those only keep
// numbers sane.
const (
	maxInputs     = 2048
	maxTokens     = 300_000 // of all inputs
	maxToken      = 1 << 31
	maxDimensions = 1 << 20
)

// Fields of a body that are an embedding's own.
const (
	fInput = dialect.Steering + iota
	fEncodingFormat
	fDimensions
	fInputType
	fieldCount
)

// Decode reads the body of OpenAI's request; input_type is Cohere's and NVIDIA's addition to it. Unknown are the names of fields that
// have no meaning here: Unknown refuses them where they must not be left out. The error is a gateway.Error that names the field.
func Decode(body []byte) (e *dialect.Embedding, unknown []string, err error) {
	var (
		fields [fieldCount]jsonedit.Field
		head   dialect.Request
	)
	fields[fInput].Name, fields[fEncodingFormat].Name = "input", "encoding_format"
	fields[fDimensions].Name, fields[fInputType].Name = "dimensions", "input_type"
	if _, err := dialect.Look(&head, body, fields[:], dialect.Hint{Model: "any"}); err != nil {
		return nil, nil, err // the model is not ours to check
	}
	e = &dialect.Embedding{User: head.User}
	if e.Base64, err = readFormat(&fields[fEncodingFormat]); err != nil {
		return nil, nil, err
	}
	if e.Dimensions, err = dialect.ReadCount(&fields[fDimensions], maxDimensions); err != nil {
		return nil, nil, err
	}
	if e.Purpose, err = readPurpose(&fields[fInputType]); err != nil {
		return nil, nil, err
	}
	if err := readInput(e, &fields[fInput]); err != nil {
		return nil, nil, err
	}
	return e, others(body, fields[:]), nil
}

// others are the names of the members that are none of fields.
func others(body []byte, fields []jsonedit.Field) []string {
	edits := make([]jsonedit.Edit, len(fields))
	for i := range fields {
		edits[i] = fields[i].Delete()
	}
	var rest map[string]json.RawMessage
	if json.Unmarshal(jsonedit.Replace(nil, body, edits...), &rest) != nil || len(rest) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(rest))
}

func readFormat(f *jsonedit.Field) (isBase64 bool, err error) {
	if !f.Given() {
		return false, nil
	}
	word, ok := f.Text()
	switch {
	case !ok:
		return false, dialect.WrongType(f, "a string")
	case word != "float" && word != "base64":
		return false, gateway.Invalid(f.Name, "%s must be float or base64.", f.Name)
	}
	return word == "base64", nil
}

// purposes has the words that callers use: Cohere's own, and those of NVIDIA and Voyage for the same (their API documents, read 2026-11).
var purposes = map[string]string{
	SearchDocument: SearchDocument, SearchQuery: SearchQuery, Classification: Classification, Clustering: Clustering,
	"passage": SearchDocument, "document": SearchDocument, "query": SearchQuery,
}

func readPurpose(f *jsonedit.Field) (string, error) {
	if !f.Given() {
		return "", nil
	}
	word, ok := f.Text()
	if !ok {
		return "", dialect.WrongType(f, "a string")
	}
	known := purposes[word]
	if known == "" {
		return "", gateway.Invalid(f.Name, "%s must be one of %s.", f.Name, strings.Join(slices.Sorted(maps.Keys(purposes)), ", "))
	}
	return known, nil
}
