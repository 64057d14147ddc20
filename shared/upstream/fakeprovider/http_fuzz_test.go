package fakeprovider_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// No body makes the fake panic, on any wire.
func FuzzBody(f *testing.F) {
	wires := fakeprovider.Wires()
	for i, w := range wires {
		talk := talks[family[w.Name]]
		for _, body := range []string{talk.plain, talk.tools, talk.result} {
			f.Add(i, false, fill(w, body, "gemini-3+think-3+tools-2", false, "ANSWER", `{"role":"assistant","content":null}`, "ID", "x"))
		}
	}
	p := fakeprovider.New()
	f.Cleanup(p.Close)
	f.Fuzz(func(t *testing.T, n int, stream bool, body string) {
		w := wires[uint(n)%uint(len(wires))]
		r := httptest.NewRequest(http.MethodPost, w.Path("gemini-3+think-3+tools-2+citations", stream), strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Anthropic-Version", "2023-06-01")
		if !strings.Contains(w.Name, "anthropic") {
			r.Header.Del("Anthropic-Version")
		}
		r.Header.Set(w.Header, w.Value)
		if strings.Contains(body, "cut") || strings.Contains(body, "silent") || strings.Contains(body, "reset") || strings.Contains(body, "ms") {
			return // faults that end by panicking or wait, as they should
		}
		answer := httptest.NewRecorder()
		p.ServeHTTP(answer, r)
		if answer.Code == http.StatusOK && answer.Body.Len() == 0 && !strings.Contains(body, "empty") {
			t.Errorf("%s answered nothing to %q", w.Name, body)
		}
	})
}
