package echo_test

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/upstream/echo"
)

const (
	docs       = "../../../docs/echo.md"
	begin, end = "<!-- made by shared/upstream/echo: begin -->\n", "<!-- made by shared/upstream/echo: end -->\n"
)

// The documented markers are those that there are. SLUICE_UPDATE=1 writes them.
func TestDocumentedMarkers(t *testing.T) {
	t.Parallel()
	text := page(t)
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the tables", docs)
	}
	want := before + begin + echo.Tables() + end + after
	if os.Getenv("SLUICE_UPDATE") != "" {
		if err := os.WriteFile(docs, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, page(t)); diff != "" {
		t.Errorf("docs/echo.md is out of date; run this test with SLUICE_UPDATE=1 (-want +got):\n%s", diff)
	}
}

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// shell matches what the page has people type, and what it says comes of it.
var shell = regexp.MustCompile(`(?m)^ask '([^']*)'\n((?:# .*\n)+)`)

// The documented calls are answered as the page says.
func TestDocumentedCalls(t *testing.T) {
	t.Parallel()
	calls := shell.FindAllStringSubmatch(page(t), -1)
	if len(calls) < 10 {
		t.Errorf("the page has %d calls", len(calls))
	}
	for _, call := range calls {
		inNoTime(t, call[1], func(t *testing.T) {
			answer, err := post(t.Context(), "chat/completions", call[1])
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(answer.Body)
			for want := range strings.Lines(call[2]) {
				want = strings.TrimSpace(strings.TrimPrefix(want, "# "))
				if !strings.Contains(string(got), want) {
					t.Errorf("%s is not in %d %s, %v", want, answer.StatusCode, got, err)
				}
			}
		})
	}
}

// Every marker obeys its own example.
func TestExamples(t *testing.T) {
	t.Parallel()
	for name, example := range echo.Shown() {
		if name == "stall" {
			continue // it never comes
		}
		inNoTime(t, name, func(t *testing.T) {
			answer, err := post(t.Context(), "chat/completions", request(example+" a", tools))
			if err != nil || answer.StatusCode == 400 || strings.Contains(body(answer), example) {
				t.Errorf("%v, %+v", err, answer)
			}
		})
	}
}
