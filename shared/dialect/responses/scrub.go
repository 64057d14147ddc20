package responses

import (
	"bytes"
	"strings"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// maxCallID is OpenAI's limit for a call's id (API document, read 2026-11).
const maxCallID = 64

// scrubbed is an input without what only this gateway understands, for a conversation that began with another vendor's model: thoughts
// that OpenAI did not seal and would refuse, ids that it never gave, and signatures inside the ids of calls. It is nil if there is
// nothing of that, which is the usual case and costs a few searches.
func scrubbed(input *jsonedit.Field) []byte {
	if input.Kind != jsonedit.Array {
		return nil
	}
	marked := bytes.Contains(input.Raw, []byte(ours)) || bytes.Contains(input.Raw, []byte(llm.PackMark))
	if !marked && !bytes.Contains(input.Raw, []byte(`"reasoning"`)) {
		return nil
	}
	changed := false
	out := jsonedit.EditEach(input.Raw, func(raw []byte) []byte {
		clean := scrubItem(raw)
		changed = changed || !bytes.Equal(clean, raw)
		return clean
	})
	if !changed {
		return nil
	}
	return out
}

// scrubItem is an item as OpenAI takes it, raw itself if nothing differs, nil if it is worth nothing there.
func scrubItem(raw []byte) []byte {
	fields := [...]jsonedit.Field{{Name: "type"}, {Name: "id"}, {Name: "call_id"}, {Name: "encrypted_content"}}
	if len(raw) == 0 || raw[0] != '{' || !jsonedit.Find(raw, fields[:]) {
		return raw
	}
	kind, _ := fields[0].Text()
	id, _ := fields[1].Text()
	sealed, _ := fields[3].Text()
	isOurs := strings.Contains(id, ours)
	if kind == "reasoning" {
		_, signature := unseal(sealed)
		if sealed != "" && signature.Maker != llm.MakerOpenAI || sealed == "" && (id == "" || isOurs) {
			return nil
		}
	}
	var edits []jsonedit.Edit
	if isOurs {
		edits = append(edits, fields[1].Delete())
	}
	if call, ok := fields[2].Text(); ok && strings.Contains(call, llm.PackMark) {
		call, _ = llm.Unpack(call)
		edits = append(edits, fields[2].SetString(llm.FitID(call, maxCallID)))
	}
	if len(edits) == 0 {
		return raw
	}
	return jsonedit.Replace(nil, raw, edits...)
}

// sealedMark stands before the signature of a thought that has no text for anybody but its maker.
const sealedMark = "sealed:"

// seal is the signature of a thought for encrypted_content.
func seal(p *llm.Part) string {
	text := p.Signature.Text(llm.MakerOpenAI)
	if p.Signature.Maker == llm.MakerOpenAI {
		_, text = cutID(text) // this dialect's items have a field for it
	}
	if p.Kind == llm.Sealed && text != "" && p.Signature.Maker != llm.MakerOpenAI {
		return sealedMark + text
	}
	return text
}

// unseal reads what seal wrote.
func unseal(text string) (isSealed bool, s llm.Signature) {
	rest, marked := strings.CutPrefix(text, sealedMark)
	return marked, llm.ReadSignature(rest, llm.MakerOpenAI)
}
