package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/sashabaranov/go-openai"
	"github.com/schollz/progressbar/v3"
)

// progress shows how far a batch is.
type progress interface {
	show(b openai.Batch)
	done() // ends the display, so that other text may follow
}

func newProgress(w io.Writer, terminal bool) progress {
	if terminal {
		return &bar{w: w}
	}
	return &plainLines{w: w, now: time.Now}
}

// bar is for a terminal. It appears once the number of lines is known.
type bar struct {
	w   io.Writer
	bar *progressbar.ProgressBar
}

func (p *bar) show(b openai.Batch) {
	n := b.RequestCounts
	if n.Total <= 0 {
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(n.Total,
			progressbar.OptionSetWriter(p.w), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("lines"), progressbar.OptionSetPredictTime(true), progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetWidth(30), progressbar.OptionSetTheme(progressbar.ThemeASCII))
	}
	if p.bar.GetMax() != n.Total {
		p.bar.ChangeMax(n.Total)
	}
	p.bar.Describe(describe(b))
	most := n.Total
	if !finalStatus[b.Status] {
		most-- // a full bar is a finished one, and the files are still being written
	}
	_ = p.bar.Set(min(n.Completed+n.Failed, most)) // it fails above the maximum only
}

func (p *bar) done() {
	if p.bar != nil {
		fmt.Fprintln(p.w)
	}
}

func describe(b openai.Batch) string {
	if b.RequestCounts.Failed > 0 {
		return fmt.Sprintf("%s, %d failed", plain(b.Status), b.RequestCounts.Failed)
	}
	return plain(b.Status)
}

// lineEvery is the least time between two lines about the same status.
const lineEvery = 5 * time.Second

// plainLines is for logs and pipes: a line when something has changed, not too often.
type plainLines struct {
	w     io.Writer
	now   func() time.Time
	begun time.Time
	start int // lines that were done when we began to look
	last  openai.Batch
	at    time.Time
}

func (p *plainLines) show(b openai.Batch) {
	now, done := p.now(), b.RequestCounts.Completed+b.RequestCounts.Failed
	if p.begun.IsZero() {
		p.begun, p.start = now, done
	}
	turned := b.Status != p.last.Status
	moved := b.RequestCounts != p.last.RequestCounts
	if !turned && (!moved || now.Sub(p.at) < lineEvery) {
		return
	}
	p.last, p.at = b, now
	fmt.Fprintf(p.w, "%s  %d/%d lines%s\n", describe(b), done, b.RequestCounts.Total, p.pace(b, done, now))
}

// pace is the rate and what is left, once both can be told.
func (p *plainLines) pace(b openai.Batch, done int, now time.Time) string {
	elapsed := now.Sub(p.begun).Seconds()
	left := b.RequestCounts.Total - done
	if done <= p.start || elapsed <= 0 || left <= 0 {
		return ""
	}
	rate := float64(done-p.start) / elapsed
	eta := time.Duration(float64(left) / rate * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("  %.1f/s, %s left", rate, eta)
}

func (p *plainLines) done() {}
