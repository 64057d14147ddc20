package llm

import (
	"encoding/base64"
	"strings"
)

// Makers of signatures.
const (
	MakerAnthropic = "anthropic"
	MakerGemini    = "gemini"
	MakerOpenAI    = "openai"
)

// Signature is a vendor's seal. It is worth something to its maker only, who refuses a request without it; others refuse one with it.
type Signature struct {
	Maker string
	Value string // as its maker wrote it, usually base64
}

// IsZero reports whether there is none.
func (s Signature) IsZero() bool { return s.Value == "" }

// By is the value if the maker is this one, else empty.
func (s Signature) By(maker string) string {
	if s.Maker == maker {
		return s.Value
	}
	return ""
}

// Text is the signature for a field of a dialect whose own signatures are native's: those stay as they are, others say whose they are.
func (s Signature) Text(native string) string {
	if s.Value == "" || s.Maker == native {
		return s.Value
	}
	return s.Maker + ":" + s.Value
}

// ReadSignature reads what Text wrote.
func ReadSignature(text, native string) Signature {
	for _, maker := range [...]string{MakerAnthropic, MakerGemini, MakerOpenAI} {
		if value, found := strings.CutPrefix(text, maker+":"); found {
			return Signature{maker, value}
		}
	}
	if text == "" {
		return Signature{}
	}
	return Signature{native, text}
}

// PackMark stands in a tool call's id between the id and a signature: clients give ids back as they are, and drop fields that they do not
// know. Every vendor's ids may have its characters.
const PackMark = "__thought__"

// Pack puts a signature into a tool call's id. Without one the id stays as it is.
func Pack(id string, s Signature) string {
	if s.IsZero() {
		return id
	}
	return id + PackMark + base64.RawURLEncoding.EncodeToString([]byte(s.Text("")))
}

// Unpack takes the signature out of a tool call's id.
func Unpack(packed string) (id string, s Signature) {
	id, sealed, found := strings.Cut(packed, PackMark)
	if !found {
		return packed, Signature{}
	}
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return id, Signature{}
	}
	return id, ReadSignature(string(text), "")
}
