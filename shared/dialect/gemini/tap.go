package gemini

import (
	"bytes"
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/sse"
)

// maxHeld bounds the frames that wait for the stream's end, in bytes: any one frame fits, be it a large image.
const maxHeld = sse.MaxEventBytes

// tap passes a stream on and sees what it used. A stream has no terminator: its caller takes a finishReason for the end. So the frames
// from the one on that finishes the last candidate wait until the ledger is durable.
type tap struct {
	request *dialect.Request
	seen    dialect.Seen
	ends    ends
	done    bool // a terminator came that Google does not send, but a proxy may
	held    []byte
	scratch []byte
}

var doneMark = []byte("[DONE]")

func (t *tap) Frame(dst []byte, f dialect.Frame) ([]byte, error) {
	data := bytes.TrimSpace(f.Data)
	switch {
	case len(data) == 0:
		return dst, nil // a comment: Google's clients know none
	case bytes.Equal(data, doneMark):
		t.done = true
		return dst, nil
	case isArray(data):
		return dst, inArray(data)
	}
	fields := [...]jsonedit.Field{{Name: "modelVersion"}, {Name: "usageMetadata"}, {Name: "error"}, {Name: "candidates"}, {Name: "promptFeedback"}}
	if !jsonedit.Find(data, fields[:]) {
		return dst, dialect.InvalidAnswer("an event of the stream is not a JSON object")
	}
	if fields[2].Given() {
		return dst, DecodeError(0, nil, data)
	}
	if err := t.look(&fields[3], &fields[4]); err != nil {
		return dst, err
	}
	if told, ok := readUsage(fields[1].Raw); ok {
		t.seen.Usage = told.usage
		if told.tier != "" {
			t.seen.Tier = told.tier
		}
	}
	edited := renamed(t.scratch[:0], data, &fields[0], t.request.Model)
	if &edited[0] == &data[0] {
		edited = nil // nothing differs
	} else {
		t.scratch = edited
	}
	return t.pass(dst, f, edited), nil
}

// pass sends a frame on, or keeps it if the stream may end with it.
func (t *tap) pass(dst []byte, f dialect.Frame, edited []byte) []byte {
	if t.ends.all() && len(t.held)+len(f.Raw) <= maxHeld {
		t.held = appendFrame(t.held, f, edited)
		return dst
	}
	dst = append(dst, t.held...)
	t.held = t.held[:0]
	return appendFrame(dst, f, edited)
}

func appendFrame(dst []byte, f dialect.Frame, edited []byte) []byte {
	if edited == nil {
		return append(dst, f.Raw...)
	}
	return sse.Append(dst, f.Name, oneLine(edited))
}

// look notes which candidates are there and which of them are finished.
func (t *tap) look(candidates, feedback *jsonedit.Field) error {
	t.ends.blocked = t.ends.blocked || isBlock(feedback)
	if candidates.Kind != jsonedit.Array {
		return nil
	}
	if bytes.Contains(candidates.Raw, []byte(`"parts"`)) {
		t.seen.Chunks++
	}
	if t.request.N == 1 && !bytes.Contains(candidates.Raw, []byte("inishReason")) {
		return t.ends.saw(0, false)
	}
	var list []struct {
		Index  int    `json:"index"`
		Reason string `json:"finishReason"`
	}
	if json.Unmarshal(candidates.Raw, &list) != nil {
		return dialect.InvalidAnswer("the candidates of an event cannot be read")
	}
	for _, c := range list {
		if err := t.ends.saw(c.Index, finishes(c.Reason)); err != nil {
			return err
		}
	}
	return nil
}

func isBlock(feedback *jsonedit.Field) bool {
	reason := [...]jsonedit.Field{{Name: "blockReason"}}
	dialect.Within(feedback, reason[:])
	return reason[0].Given()
}

func (t *tap) Progress() dialect.Progress {
	if t.done && t.ends.all() {
		return dialect.Done
	}
	return t.ends.progress()
}

// Seen is what was used so far. In the first pieces of a stream Google tells the input alone: what came after it was not for nothing.
func (t *tap) Seen() dialect.Seen {
	seen := t.seen
	if !t.ends.all() && seen.Usage.Source != "" && seen.Usage.OutputTokens == 0 {
		seen.Usage.OutputTokens = seen.Chunks
	}
	return seen
}

func (t *tap) End(dst []byte) []byte {
	dst = append(dst, t.held...)
	t.held = nil
	return dst
}

// Fail leaves out what was held back: it would tell the caller that all is well.
func (t *tap) Fail(dst []byte, e *gateway.Error) []byte { return appendFailure(dst, e) }

// appendFailure appends the frame that ends a stream badly: Google puts an error in place of an answer.
func appendFailure(dst []byte, e *gateway.Error) []byte { return sse.Append(dst, "", EncodeError(e)) }

// ends are the candidates of a stream: bits by their indexes.
type ends struct {
	seen, done uint64
	blocked    bool // the prompt was: there will be none
}

// saw notes a candidate. Google's indexes are small.
func (s *ends) saw(index int, finished bool) error {
	if index < 0 || index >= 64 {
		return dialect.InvalidAnswer("a candidate's index is out of range")
	}
	s.seen |= 1 << index
	if finished {
		s.done |= 1 << index
	}
	return nil
}

// all reports whether nothing more need come.
func (s *ends) all() bool { return s.blocked || s.seen != 0 && s.seen&^s.done == 0 }

func (s *ends) progress() dialect.Progress {
	if s.all() {
		return dialect.MayEnd
	}
	return dialect.Open
}

// oneLine puts JSON that was written over several lines on one, in place.
func oneLine(text []byte) []byte {
	for i, c := range text {
		if c == '\n' || c == '\r' { // between tokens: inside strings they are escaped
			text[i] = ' '
		}
	}
	return text
}

func isArray(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && text[0] == '['
}

// inArray is the error for a list in place of an answer: it usually holds one error.
func inArray(text []byte) *gateway.Error {
	if root, ok := parse(bytes.TrimSpace(text)); ok && len(root.items) > 0 && root.items[0].get("error") != nil {
		return DecodeError(0, nil, text)
	}
	return dialect.InvalidAnswer("a list in place of an object")
}
