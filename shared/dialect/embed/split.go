package embed

import (
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Split cuts e into parts of at most most inputs each, in order. They share e's memory.
func Split(e *dialect.Embedding, most int) []dialect.Embedding { return split(e, most, 0) }

// Parts cuts e into what single requests to a model may carry.
func Parts(d Dialect, e *dialect.Embedding, model string) []dialect.Embedding {
	return split(e, d.MaxInputs(model), d.MaxBytes(model))
}

// split keeps texts and tokens apart: an embedding has one or the other. A part has more than maxBytes only if a single input has.
func split(e *dialect.Embedding, most, maxBytes int) []dialect.Embedding {
	var parts []dialect.Embedding
	for from := 0; from < len(e.Inputs); {
		to := last(from, len(e.Inputs), most, maxBytes, func(i int) int { return len(e.Inputs[i]) })
		part := *e
		part.Inputs, part.Tokens = e.Inputs[from:to:to], nil
		parts, from = append(parts, part), to
	}
	for from := 0; from < len(e.Tokens); {
		to := last(from, len(e.Tokens), most, maxBytes, func(i int) int { return bytesPerToken * len(e.Tokens[i]) })
		part := *e
		part.Inputs, part.Tokens = nil, e.Tokens[from:to:to]
		parts, from = append(parts, part), to
	}
	return parts
}

// bytesPerToken is a fair guess for what tokens become as text.
const bytesPerToken = 4

// last returns where the part ends that begins at from, at least one input behind it.
func last(from, end, most, maxBytes int, size func(int) int) int {
	end = min(end, from+max(most, 1))
	total := size(from)
	for to := from + 1; to < end; to++ {
		if total += size(to); maxBytes > 0 && total > maxBytes {
			return to
		}
	}
	return end
}

// Join puts the answers to parts together, in order. The usage is the sum if each part has one; it is counted by us if any part's is.
func Join(parts []*dialect.Vectors) *dialect.Vectors {
	if len(parts) == 1 {
		return parts[0]
	}
	joined := &dialect.Vectors{}
	source := gateway.UsageReported
	for _, part := range parts {
		joined.Values = append(joined.Values, part.Values...)
		if source != "" && part.Usage.Source != gateway.UsageReported {
			source = part.Usage.Source
		}
		joined.Usage.InputTokens += part.Usage.InputTokens
		joined.Usage.OutputTokens += part.Usage.OutputTokens
	}
	if joined.Usage.Source = source; source == "" || len(parts) == 0 {
		joined.Usage = gateway.Usage{}
	}
	return joined
}
