package cli

import (
	"io"
	"strings"
)

// cleaner passes text on without escape sequences and control characters, except newline and tab, so that what a model
// says cannot drive the terminal. A sequence may come in pieces.
type cleaner struct {
	w     io.Writer
	state func(*cleaner, rune, *strings.Builder)
}

func newCleaner(w io.Writer) *cleaner { return &cleaner{w: w, state: (*cleaner).text} }

func (c *cleaner) Write(p []byte) (int, error) {
	var out strings.Builder
	for _, r := range string(p) {
		if r == '\n' {
			c.state = (*cleaner).text // no sequence goes over the end of a line: a broken one must not hide the rest
		}
		c.state(c, r, &out)
	}
	if _, err := io.WriteString(c.w, out.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

const (
	esc = '\x1b'
	bel = '\a'
	csi = '\u009b' // one-character forms of ESC [ and ESC ]
	osc = '\u009d'
	st  = '\u009c'
)

func (c *cleaner) text(r rune, out *strings.Builder) {
	switch {
	case r == esc:
		c.state = (*cleaner).escape
	case r == csi:
		c.state = (*cleaner).control
	case r == osc, r == '\u0090', r == '\u0098', r == '\u009e', r == '\u009f':
		c.state = (*cleaner).str
	case r == '\n', r == '\t', r >= ' ' && r < 0x7f, r > 0x9f:
		out.WriteRune(r)
	}
}

// escape is after ESC: the next character says which sequence.
func (c *cleaner) escape(r rune, _ *strings.Builder) {
	switch {
	case r == '[':
		c.state = (*cleaner).control
	case strings.ContainsRune("]PX^_", r):
		c.state = (*cleaner).str
	case r >= ' ' && r <= '/', r == esc: // intermediate: one more comes
	default:
		c.state = (*cleaner).text
	}
}

// control is inside ESC [ ...: a letter or another final character ends it.
func (c *cleaner) control(r rune, _ *strings.Builder) {
	switch {
	case r == esc:
		c.state = (*cleaner).escape
	case r >= '@' && r <= '~', r > 0x7f:
		c.state = (*cleaner).text
	}
}

// str is inside a sequence that holds text, such as a window title: BEL or ST ends it.
func (c *cleaner) str(r rune, _ *strings.Builder) {
	switch r {
	case esc:
		c.state = (*cleaner).escape // ESC \ is ST; anything else breaks the sequence off
	case bel, st:
		c.state = (*cleaner).text
	}
}

// plain is s without escape sequences and control characters, for short texts from elsewhere.
func plain(s string) string {
	var b strings.Builder
	_, _ = newCleaner(&b).Write([]byte(s)) // a Builder does not fail
	return b.String()
}

// cell is s as one cell of a table: on one line.
func cell(s string) string { return strings.Join(strings.Fields(plain(s)), " ") }
