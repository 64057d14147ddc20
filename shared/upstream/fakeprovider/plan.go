package fakeprovider

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// plan is how a model answers; the zero plan is a good provider.
type plan struct {
	wire.Manner
	times    int // how many calls with one prompt get this plan; 0: all
	unknown  bool
	delay    time.Duration
	gap      time.Duration // before each chunk
	byteGap  time.Duration
	byByte   bool
	preludes int // informational answers
	cached   bool
	extra    bool // unknown fields

	refusal   *wire.Refusal   // the answer is this error
	instead   func(*exchange) // replaces the answer
	jsonOnly  bool            // never stream
	streamAll bool            // always stream
	halve     bool            // truncate a JSON text
	headers   func(http.Header)
	usage     usagePolicy
	frame     framing
	broken    *breakage
}

// stage is a place in an answer where it may break.
type stage int

const (
	atContent stage = iota // after breakage.n content chunks
	atFinish               // after all content
	atUsage                // after the finish chunk
	atDone                 // after usage
)

// breakage ends an answer early. A JSON body breaks in its middle.
type breakage struct {
	at     stage
	n      int
	ending func(*exchange) // nothing is written after it
	inJSON bool            // applies to JSON answers too
}

// behaviour is one word of a model name. An N in the pattern stands for a whole number.
type behaviour struct {
	pattern string
	apply   func(p *plan, n int)
}

// behaviours is the one table of what a model name can ask for; the package comment describes each.
var behaviours = []behaviour{
	{"4N", func(p *plan, n int) { p.refuse().Status = 400 + n%100 }},
	{"5N", func(p *plan, n int) { p.refuse().Status = 500 + n%100 }},
	{"retry-after-N", func(p *plan, n int) { p.refuse().RetryAfter, p.refuse().WithoutRetryAfter = seconds(n), n == 0 }},
	{"retry-after-date", func(p *plan, _ int) { p.refuse().RetryAfter = "date" }},
	{"retry-after-absurd", func(p *plan, _ int) { p.refuse().RetryAfter = "99999999999999999999" }},
	{"secret-echo", func(p *plan, _ int) { p.instead = echoSecret }},
	{"redirect", func(p *plan, _ int) { p.instead = redirect }},
	{"error-in-200", func(p *plan, _ int) { p.refuse().Status = http.StatusOK }},
	{"html", func(p *plan, _ int) { p.instead = page("text/html; charset=utf-8", htmlPage) }},
	{"empty", func(p *plan, _ int) { p.instead = page("application/json", "") }},
	{"truncated-json", func(p *plan, _ int) { p.halve = true }},
	{"silent", func(p *plan, _ int) { p.instead = hang }},
	{"delay-Nms", func(p *plan, n int) { p.delay = millis(n) }},
	{"slow-Nms", func(p *plan, n int) { p.gap = millis(n) }},
	{"split", func(p *plan, _ int) { p.byByte = true }},
	{"drip-Nms", func(p *plan, n int) { p.byByte, p.byteGap = true, millis(n) }},
	{"cut-after-N", func(p *plan, n int) { p.broken = &breakage{atContent, n, cut, true} }},
	{"reset-after-N", func(p *plan, n int) { p.broken = &breakage{atContent, n, reset, true} }},
	{"silent-after-N", func(p *plan, n int) { p.broken = &breakage{atContent, n, hang, true} }},
	{"error-after-N", func(p *plan, n int) { p.broken = &breakage{atContent, n, errorEvent, false} }},
	{"error-in-stream", func(p *plan, _ int) { p.broken = &breakage{atContent, 2, errorEvent, false} }},
	{"cut-before-finish", func(p *plan, _ int) { p.broken = &breakage{atFinish, 0, cut, false} }},
	{"cut-before-done", func(p *plan, _ int) { p.broken = &breakage{atUsage, 0, cut, false} }},
	{"cut-before-end", func(p *plan, _ int) { p.broken = &breakage{atDone, 0, cut, false} }},
	{"no-done", func(p *plan, _ int) { p.broken = &breakage{atDone, 0, endCleanly, false} }},
	{"no-usage", func(p *plan, _ int) { p.usage.none = true }},
	{"usage-twice", func(p *plan, _ int) { p.usage.twice = true }},
	{"usage-every", func(p *plan, _ int) { p.usage.every = true }},
	{"usage-zero", func(p *plan, _ int) { p.usage.lie = "0" }},
	{"usage-negative", func(p *plan, _ int) { p.usage.lie = "-5" }},
	{"usage-huge", func(p *plan, _ int) { p.usage.lie = "1000000000000000000" }},
	{"usage-float", func(p *plan, _ int) { p.usage.lie = "1.5" }},
	{"usage-text", func(p *plan, _ int) { p.usage.lie = `"many"` }},
	{"usage-null", func(p *plan, _ int) { p.usage.lie = "null" }},
	{"json-for-stream", func(p *plan, _ int) { p.jsonOnly = true }},
	{"stream-for-json", func(p *plan, _ int) { p.streamAll = true }},
	{"crlf", func(p *plan, _ int) { p.frame.eol = "\r\n" }},
	{"cr", func(p *plan, _ int) { p.frame.eol = "\r" }},
	{"comments", func(p *plan, _ int) { p.frame.comments = true }},
	{"no-space", func(p *plan, _ int) { p.frame.noSpace = true }},
	{"bom", func(p *plan, _ int) { p.frame.bom = true }},
	{"multi-data", func(p *plan, _ int) { p.frame.twoLines = true }},
	{"no-final-newline", func(p *plan, _ int) { p.frame.openEnd = true }},
	{"big-event-N", func(p *plan, n int) { p.BigWord = n << 10 }},
	{"unknown-fields", func(p *plan, _ int) { p.extra = true }},
	{"hostile-headers", func(p *plan, _ int) { p.headers = hostileHeaders }},
	{"huge-headers", func(p *plan, _ int) { p.headers = hugeHeader }},
	{"many-headers", func(p *plan, _ int) { p.headers = manyHeaders }},
	{"bad-length", func(p *plan, _ int) { p.instead = badLength }},
	{"informational-N", func(p *plan, n int) { p.preludes = n }},
	{"gzip-bomb", func(p *plan, _ int) { p.instead = gzipBomb }},
	{"words-N", func(p *plan, n int) { p.Words = n }},
	{"reasoning-N", func(p *plan, n int) { p.Reasoning = n }},
	{"think-N", func(p *plan, n int) { p.Think = n }},
	{"tools-N", func(p *plan, n int) { p.Calls = n }},
	{"redact", func(p *plan, _ int) { p.Redact = true }},
	{"refuse", func(p *plan, _ int) { p.Refuse = true }},
	{"filter", func(p *plan, _ int) { p.Filter = true }},
	{"block", func(p *plan, _ int) { p.Block = true }},
	{"citations", func(p *plan, _ int) { p.Citations = true }},
	{"logprobs", func(p *plan, _ int) { p.Logprobs = true }},
	{"mistral", func(p *plan, _ int) { p.Mistral = true }},
	{"schema", func(*plan, int) {}}, // what every model does
	{"bad-crc", func(p *plan, _ int) { p.frame.badCRC = true }},
	{"cached", func(p *plan, _ int) { p.cached = true }},
}

func (p *plan) refuse() *wire.Refusal {
	if p.refusal == nil {
		p.refusal = &wire.Refusal{Status: http.StatusTooManyRequests}
	}
	return p.refusal
}

func millis(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func seconds(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// planFor reads a model name; see the package comment. It never fails: a fault that is not in the table is an unknown model.
func planFor(model string) *plan {
	p := &plan{}
	base, more, _ := strings.Cut(model, "+")
	if word, ok := strings.CutPrefix(base, "fault-"); ok {
		p.unknown = !p.obey(word)
	} else if word, ok := strings.CutPrefix(base, "fake-"); ok {
		p.obey(word)
	}
	for word := range strings.SplitSeq(more, "+") {
		if word != "" && !p.obey(word) {
			p.unknown = true
		}
	}
	return p
}

// obey applies the behaviour that a word names, and reports whether there is one.
func (p *plan) obey(word string) bool {
	for suffix, times := range map[string]int{"-once": 1, "-twice": 2} {
		if short, ok := strings.CutSuffix(word, suffix); ok && word != "usage-twice" {
			p.times, word = times, short
		}
	}
	for _, b := range behaviours {
		if n, ok := match(b.pattern, word); ok {
			b.apply(p, n)
			return true
		}
	}
	return false
}

// match compares a word with a pattern and returns the number that stands where the pattern has an N.
func match(pattern, word string) (n int, ok bool) {
	before, after, numbered := strings.Cut(pattern, "N")
	if !numbered {
		return 0, pattern == word
	}
	digits, ok := strings.CutPrefix(word, before)
	if !ok {
		return 0, false
	}
	if digits, ok = strings.CutSuffix(digits, after); !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n >= 0
}

// planOf returns how a model answers.
func (p *Provider) planOf(model string) *plan {
	v, ok := p.plans.Load(model)
	if !ok {
		v, _ = p.plans.LoadOrStore(model, planFor(model))
	}
	return v.(*plan)
}

// plan returns how this call is to be answered, and counts it if the plan is for the first calls only.
func (p *Provider) plan(c *wire.Call) *plan {
	pl := p.planOf(c.Model)
	if pl.times == 0 {
		return pl
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	key := c.Model + "\x00" + c.Prompt.Source()
	if p.faults[key] >= pl.times {
		return &plan{}
	}
	p.faults[key]++
	return pl
}
