package llm

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// FitID is a tool call's id for a vendor that takes letters, digits, - and _ up to a length of most (32 at least). An id that does not
// fit becomes another one, always the same, so that calls and results still find each other.
func FitID(id string, most int) string {
	fits := id != "" && len(id) <= most
	for i := 0; fits && i < len(id); i++ {
		c := id[i] | 0x20
		fits = c >= 'a' && c <= 'z' || id[i] >= '0' && id[i] <= '9' || id[i] == '-' || id[i] == '_'
	}
	if fits {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(sum[:12])
}

// CallID is an id for the n-th tool call of an answer whose vendor gave it none.
func CallID(answer string, n int) string {
	sum := sha256.Sum256([]byte(answer + "#" + strconv.Itoa(n)))
	return "call_" + hex.EncodeToString(sum[:12])
}

// AnswerTool is the name of the tool that a model is made to call where its vendor has no JSON format for answers: what it is called
// with is the answer. A decoder turns its calls into text.
const AnswerTool = "sluice_answer"
