package llm

// efforts are words for how much a model thinks, and the tokens that they stand for where a vendor counts tokens (those that
// Google's own OpenAI interface uses; its documentation, read 2026-11). From least to most.
var efforts = []struct {
	word   string
	tokens int64
}{{"minimal", 1024}, {"low", 1024}, {"medium", 8192}, {"high", 24576}, {"xhigh", 32768}, {"max", 32768}}

// IsEffort reports whether a word says how much to think; none is one.
func IsEffort(word string) bool {
	if word == "none" {
		return true
	}
	for _, e := range efforts {
		if e.word == word {
			return true
		}
	}
	return false
}

// Tokens is how many tokens may be thought, for a vendor that counts them: 0 if the caller said nothing of thinking, wants none, or
// leaves it to the model.
func (r Reasoning) Tokens() int64 {
	if r.Off || r.Auto {
		return 0
	}
	if r.Budget > 0 {
		return r.Budget
	}
	for _, e := range efforts {
		if e.word == r.Effort {
			return e.tokens
		}
	}
	return 0
}

// Word is how much to think, for a vendor that knows words: empty if the caller said nothing or leaves it to the model.
func (r Reasoning) Word() string {
	switch {
	case r.Off:
		return "none"
	case r.Effort != "" || r.Budget == 0:
		return r.Effort
	case r.Budget <= 1024:
		return "low"
	case r.Budget <= 8192:
		return "medium"
	default:
		return "high"
	}
}
