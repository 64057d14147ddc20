package cli_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/sashabaranov/go-openai"

	"github.com/sluice-gateway/sluice/services/sluice/cli"
)

func clean(pieces ...string) string {
	var b bytes.Buffer
	w := cli.NewCleaner(&b)
	for _, p := range pieces {
		if _, err := w.Write([]byte(p)); err != nil {
			panic(err) // a Buffer does not fail
		}
	}
	return b.String()
}

func TestCleaner(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain, ümläut, 漢字, 🙂\n\tx":        "plain, ümläut, 漢字, 🙂\n\tx",
		"\x1b[31mred\x1b[0m":               "red",
		"\x1b[38;5;1mred":                  "red",
		"a\x1b[2J\x1b[Hb":                  "ab",
		"\x1b]0;title\abody":               "body",
		"\x1b]8;;http://evil\x1b\\link":    "link",
		"\u009d0;title\u009cbody":          "body",
		"\u009b31mred":                     "red",
		"\x1bPdevice\x1b\\x":               "x",
		"\x1b(0lqk\x1b(B":                  "lqk",
		"\x1bcreset":                       "reset",
		"\x1b]52;c;c2VjcmV0":               "", // never ended: it ends with the line
		"\x1b]52;c;c2VjcmV0\nnext":         "\nnext",
		"\x1b[12\nnext":                    "\nnext",
		"back\b\b\b\x7fspace\rreturn\x00!": "backspacereturn!",
		"\x1b\x1b[31mx":                    "x",
		"\x1b[31\x1b]0;t\ax":               "x",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzCleaner proves that nothing that could drive a terminal comes through, however the text is cut.
func FuzzCleaner(f *testing.F) {
	f.Add("a\x1b[31mb\x1b]0;t\x1b\\c\u009b1md", 5)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		text = strings.ToValidUTF8(text, "?")
		got := clean(text)
		if i := strings.IndexFunc(got, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }); i >= 0 {
			t.Errorf("clean(%q) = %q", text, got)
		}
		runes := []rune(text)
		cut = max(0, min(cut, len(runes)))
		if pieces := clean(string(runes[:cut]), string(runes[cut:])); pieces != got {
			t.Errorf("cut at %d: %q, whole: %q", cut, pieces, got)
		}
	})
}

func TestPlainLines(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	var b strings.Builder
	show := cli.PlainLines(&b, func() time.Time { return now })
	for _, look := range []struct {
		after                    time.Duration
		status                   string
		total, completed, failed int
	}{
		{0, "validating", 0, 0, 0},
		{2 * time.Second, "validating", 0, 0, 0}, // nothing new
		{2 * time.Second, "in_progress", 100, 0, 0},
		{2 * time.Second, "in_progress", 100, 5, 0}, // too soon
		{4 * time.Second, "in_progress", 100, 18, 2},
		{9 * time.Second, "in_progress", 100, 18, 2}, // nothing new
		{time.Second, "finalizing", 100, 98, 2},      // a new status is never too soon
		{0, "completed", 100, 98, 2},
	} {
		now = now.Add(look.after)
		show(openai.Batch{Status: look.status, RequestCounts: openai.BatchRequestCounts{Total: look.total, Completed: look.completed, Failed: look.failed}})
	}
	want := "validating  0/0 lines\n" +
		"in_progress  0/100 lines\n" +
		"in_progress, 2 failed  20/100 lines  2.0/s, 40s left\n" +
		"finalizing, 2 failed  100/100 lines\n" +
		"completed, 2 failed  100/100 lines\n"
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}
