package responses

import (
	"slices"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// elements cuts a list, which must be valid JSON, into what it holds.
func elements(list []byte) [][]byte { return slices.Collect(jsonedit.Elements(list)) }
