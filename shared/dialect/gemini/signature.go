package gemini

import (
	"encoding/base64"
	"strings"

	"github.com/sluice-gateway/sluice/shared/llm"
)

// sealed marks, within a foreign signature, a thought that only its maker can read.
const sealed = "sealed/"

// writeSignature writes a signature for a caller. Google's own stay as they are. Google's clients read the field as base64 and fail on
// anything else, so the name of another maker is wrapped in base64 along with the signature.
func writeSignature(s llm.Signature, kind llm.Kind) string {
	if s.IsZero() || s.Maker == llm.MakerGemini {
		return s.Value
	}
	text := s.Text(llm.MakerGemini)
	if kind == llm.Sealed {
		text = sealed + text
	}
	return base64.StdEncoding.EncodeToString([]byte(text))
}

// readSignature reads what writeSignature wrote. Clients may change the alphabet of base64 and its padding.
func readSignature(text string) (s llm.Signature, isSealed bool) {
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	if inner, err := base64.RawStdEncoding.DecodeString(plain); err == nil {
		name, isSealed := strings.CutPrefix(string(inner), sealed)
		if s := llm.ReadSignature(name, ""); s.Maker != "" {
			return s, isSealed
		}
	}
	return llm.ReadSignature(text, llm.MakerGemini), false
}
