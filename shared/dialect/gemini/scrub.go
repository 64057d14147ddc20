package gemini

import (
	"bytes"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// scrub makes contents fit for Google where a conversation began elsewhere: signatures of others go, and the thoughts that they seal. A model
// that wants a signature on the first call of a turn gets the one that stands for none. What is left is as its sender wrote it.
func scrub(contents []byte, wantsSignature bool) (out []byte, changed bool) {
	if !bytes.Contains(contents, []byte("ignature")) && !(wantsSignature && bytes.Contains(contents, []byte("unction"))) {
		return contents, false
	}
	out = jsonedit.EditEach(contents, func(c []byte) []byte {
		f := [...]jsonedit.Field{{Name: "role"}, {Name: "parts"}}
		if role := &f[0]; !jsonedit.Find(c, f[:]) || f[1].Kind != jsonedit.Array || string(role.Raw) != `"model"` {
			return c
		}
		turn := scrubber{wants: wantsSignature}
		parts := jsonedit.EditEach(f[1].Raw, turn.part)
		if !turn.changed {
			return c
		}
		changed = true
		if len(parts) == len("[]") {
			return nil
		}
		return jsonedit.Replace(nil, c, f[1].Set(parts))
	})
	if !changed {
		return contents, false
	}
	return out, true
}

// scrubber goes through the parts of one turn of the model's.
type scrubber struct{ wants, called, changed bool }

func (s *scrubber) part(p []byte) []byte {
	f := [...]jsonedit.Field{
		{Name: "thoughtSignature"}, {Name: "thought_signature"}, {Name: "thought"}, {Name: "functionCall"}, {Name: "function_call"},
	}
	if !jsonedit.Find(p, f[:]) {
		return p
	}
	seal, isCall := &f[0], f[3].Given() || f[4].Given()
	if f[1].Given() {
		seal = &f[1]
	}
	first := isCall && !s.called
	s.called = s.called || isCall
	text, _ := seal.Text()
	signature, _ := readSignature(text)
	foreign := seal.Given() && signature.By(llm.MakerGemini) == ""
	thought, _ := f[2].Bool()
	switch {
	case foreign && thought:
		s.changed = true
		return nil
	case first && s.wants && (foreign || !seal.Given()):
		s.changed = true
		return jsonedit.Replace(nil, p, seal.SetString(skipSignature))
	case foreign:
		s.changed = true
		return jsonedit.Replace(nil, p, seal.Delete())
	default:
		return p
	}
}
