package gemini_test

import (
	"encoding/base64"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
)

// A conversation that began at another vendor's goes on at Google without what Google would refuse, and with what it wants.
func TestForeignSignatures(t *testing.T) {
	t.Parallel()
	foreign := base64.StdEncoding.EncodeToString([]byte("anthropic:c2ln"))
	const skip = "skip_thought_signature_validator"
	said := func(parts string) string {
		return `{"x":1,"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[` + parts + `]},{"role":"user","parts":[{"text":"on"}]}]}`
	}
	for name, c := range map[string]struct{ model, parts, want string }{
		"its own":        {"gemini-3-pro", `{"thought":true,"text":"t","thoughtSignature":"c2ln"}, {"functionCall":{"name":"f"},"thoughtSignature":"c2ln"}`, ``},
		"a thought":      {"gemini-2.5-pro", `{"thought":true,"text":"t","thoughtSignature":"` + foreign + `"},{"text":"a"}`, `{"text":"a"}`},
		"a text":         {"gemini-2.5-pro", `{"text":"a","thoughtSignature":"` + foreign + `"}`, `{"text":"a"}`},
		"a call":         {"gemini-2.5-pro", `{"functionCall":{"name":"f"},"thoughtSignature":"` + foreign + `"}`, `{"functionCall":{"name":"f"}}`},
		"a call at 3":    {"gemini-3-pro", `{"functionCall":{"name":"f"},"thoughtSignature":"` + foreign + `"}`, `{"functionCall":{"name":"f"},"thoughtSignature":"` + skip + `"}`},
		"none at 3":      {"gemini-3-pro", `{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}}`, `{"functionCall":{"name":"f"},"thoughtSignature":"` + skip + `"},{"functionCall":{"name":"g"}}`},
		"snake at 3":     {"gemini-3-pro", `{"function_call":{"name":"f"},"thought_signature":"` + foreign + `"}`, `{"function_call":{"name":"f"},"thought_signature":"` + skip + `"}`},
		"none before it": {"gemini-2.5-pro", `{"functionCall":{"name":"f"}}`, ``},
	} {
		r := peek(t, said(c.parts), dialect.Hint{Model: "m"})
		w, err := r.Native.Outgoing(dialect.Target{Provider: "gemini", Model: c.model})
		if err != nil {
			t.Fatal(err)
		}
		want := said(c.want)
		if c.want == "" {
			want = said(c.parts)
		}
		if diff := cmp.Diff(want, string(w.Body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
