package messages

import (
	"bytes"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// scrub takes out of messages the thoughts that are another vendor's or have no seal: a conversation may have begun elsewhere, and Anthropic
// refuses them for good. What is left is as its sender wrote it.
func scrub(messages []byte) (out []byte, changed bool) {
	if !bytes.Contains(messages, []byte("thinking")) {
		return messages, false
	}
	out = jsonedit.EditEach(messages, func(m []byte) []byte {
		f := [...]jsonedit.Field{{Name: "role"}, {Name: "content"}}
		if !jsonedit.Find(m, f[:]) || f[1].Kind != jsonedit.Array || !isText(&f[0], "assistant") {
			return m
		}
		lost := false
		content := jsonedit.EditEach(f[1].Raw, func(block []byte) []byte {
			if isForeign(block) {
				lost = true
				return nil
			}
			return block
		})
		if !lost {
			return m
		}
		changed = true
		if len(content) == len("[]") {
			return nil
		}
		return jsonedit.Replace(nil, m, f[1].Set(content))
	})
	if !changed {
		return messages, false
	}
	return out, true
}

// endsBare reports whether messages end with the results of tool calls that no thought stands before.
func endsBare(messages []byte) bool {
	var asked, last []byte
	for m := range jsonedit.Elements(messages) {
		asked, last = last, m
	}
	results := firstBlock(last, "user")
	if !isText(&results, "tool_result") {
		return false
	}
	kind := firstBlock(asked, "assistant")
	return kind.Given() && !isText(&kind, "thinking") && !isText(&kind, "redacted_thinking")
}

// firstBlock is the type of the first block of a message of the role.
func firstBlock(m []byte, role string) (kind jsonedit.Field) {
	f := [...]jsonedit.Field{{Name: "role"}, {Name: "content"}}
	if !jsonedit.Find(m, f[:]) || !isText(&f[0], role) {
		return kind
	}
	for block := range jsonedit.Elements(f[1].Raw) {
		of := [...]jsonedit.Field{{Name: "type"}}
		jsonedit.Find(block, of[:])
		return of[0]
	}
	return kind
}

// isForeign reports whether a block is a thought that Anthropic has not sealed.
func isForeign(block []byte) bool {
	f := [...]jsonedit.Field{{Name: "type"}, {Name: "signature"}, {Name: "data"}}
	if !jsonedit.Find(block, f[:]) {
		return false
	}
	seal := &f[1]
	switch {
	case isText(&f[0], "thinking"):
	case isText(&f[0], "redacted_thinking"):
		seal = &f[2]
	default:
		return false
	}
	text, _ := seal.Text()
	return llm.ReadSignature(text, llm.MakerAnthropic).By(llm.MakerAnthropic) == ""
}
