package fakeprovider

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// Outcome says what the provider charges a request for.
type Outcome string

const (
	Billed   Outcome = "billed"   // everything was generated
	Partial  Outcome = "partial"  // the answer ended early; the tokens are those until then
	Rejected Outcome = "rejected" // nothing was generated, nothing is charged
)

// Line is what the provider charges for one request. PromptTokens and CompletionTokens are all tokens; the others are parts of
// them.
type Line struct {
	Seq       int64     `json:"seq"`   // from 1, in the order of billing
	Start     time.Time `json:"start"` // when the request had been read
	End       time.Time `json:"end"`   // when the line was written
	RequestID string    `json:"request_id,omitempty"`
	Wire      string    `json:"wire"` // one of Wires
	Model     string    `json:"model"`
	Op        string    `json:"op"` // chat, completions, embeddings, responses, messages, generate or converse
	Stream    bool      `json:"stream,omitempty"`
	Outcome   Outcome   `json:"outcome"`

	PromptTokens          int64 `json:"prompt_tokens"`
	CachedTokens          int64 `json:"cached_tokens,omitempty"`         // read from a cache
	CacheWrite5mTokens    int64 `json:"cache_write_5m_tokens,omitempty"` // written to a cache for five minutes
	CacheWrite1hTokens    int64 `json:"cache_write_1h_tokens,omitempty"` // written to a cache for an hour
	PromptAudioTokens     int64 `json:"prompt_audio_tokens,omitempty"`
	CompletionTokens      int64 `json:"completion_tokens"`
	ReasoningTokens       int64 `json:"reasoning_tokens,omitempty"`
	CompletionAudioTokens int64 `json:"completion_audio_tokens,omitempty"`

	ClientGone *time.Time `json:"client_gone,omitempty"` // when the client's hanging up was noticed
	FullSend   bool       `json:"full_send"`             // the whole answer was, or is about to be, written
}

// bill is an append-only list that can be waited on, and optionally a file with one JSON object a line.
type bill struct {
	mu    sync.Mutex
	lines []Line
	file  *os.File
	more  chan struct{} // closed and replaced when a line comes
}

func openBill(path string) (*bill, error) {
	b := &bill{more: make(chan struct{})}
	if path == "" {
		return b, nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open bill: %w", err)
	}
	b.file = f
	return b, nil
}

// add numbers the line and appends it; the file gets it in one write, so no reader sees half a line.
func (b *bill) add(l Line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.Seq = int64(len(b.lines)) + 1
	b.lines = append(b.lines, l)
	close(b.more)
	b.more = make(chan struct{})
	if b.file == nil {
		return
	}
	text, err := json.Marshal(l)
	if err == nil {
		_, err = b.file.Write(append(text, '\n'))
	}
	if err != nil {
		panic("fakeprovider: the bill cannot be kept: " + err.Error())
	}
}

func (b *bill) snapshot() ([]Line, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.lines), b.more
}

// Bill returns the lines so far.
func (p *Provider) Bill() []Line {
	lines, _ := p.bill.snapshot()
	return lines
}

// AwaitBill returns the bill once it has at least n lines, or what there is when ctx ends.
func (p *Provider) AwaitBill(ctx context.Context, n int) []Line {
	for {
		lines, more := p.bill.snapshot()
		if len(lines) >= n {
			return lines
		}
		select {
		case <-more:
		case <-ctx.Done():
			return lines
		}
	}
}

// ReadBill reads a bill file. A last line without its newline, as a full disk may leave it, is left out.
func ReadBill(path string) ([]Line, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read bill: %w", err)
	}
	return ParseBill(data)
}
