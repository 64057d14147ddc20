package cli

import (
	"io"
	"time"

	"github.com/sashabaranov/go-openai"
)

// NewCleaner and PlainLines let tests look at what commands print, with a clock of their own.
func NewCleaner(w io.Writer) io.Writer { return newCleaner(w) }

func PlainLines(w io.Writer, now func() time.Time) func(openai.Batch) {
	return (&plainLines{w: w, now: now}).show
}
