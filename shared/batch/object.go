package batch

import (
	"cmp"
	"encoding/json"
	"time"
)

// File is OpenAI's File object. Times are Unix seconds.
type File struct {
	ID            string  `json:"id"`
	Object        string  `json:"object"` // "file"
	Bytes         int64   `json:"bytes"`
	CreatedAt     int64   `json:"created_at"`
	ExpiresAt     *int64  `json:"expires_at"`
	Filename      string  `json:"filename"`
	Purpose       string  `json:"purpose"`
	Status        string  `json:"status"`
	StatusDetails *string `json:"status_details"`
}

// Deleted is OpenAI's answer to a deletion.
type Deleted struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Deleted bool   `json:"deleted"`
}

// List is a page of objects.
type List[T any] struct {
	Object  string  `json:"object"` // "list"
	Data    []T     `json:"data"`
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
	HasMore bool    `json:"has_more"`
}

// Batch is OpenAI's Batch object. Times are Unix seconds; what is not set is null.
type Batch struct {
	ID               string          `json:"id"`
	Object           string          `json:"object"` // "batch"
	Endpoint         string          `json:"endpoint"`
	Model            *string         `json:"model"`
	Errors           *Faults         `json:"errors"`
	InputFileID      string          `json:"input_file_id"`
	CompletionWindow string          `json:"completion_window"`
	Status           string          `json:"status"`
	OutputFileID     *string         `json:"output_file_id"`
	ErrorFileID      *string         `json:"error_file_id"`
	CreatedAt        int64           `json:"created_at"`
	InProgressAt     *int64          `json:"in_progress_at"`
	ExpiresAt        *int64          `json:"expires_at"`
	FinalizingAt     *int64          `json:"finalizing_at"`
	CompletedAt      *int64          `json:"completed_at"`
	FailedAt         *int64          `json:"failed_at"`
	ExpiredAt        *int64          `json:"expired_at"`
	CancellingAt     *int64          `json:"cancelling_at"`
	CancelledAt      *int64          `json:"cancelled_at"`
	RequestCounts    Counts          `json:"request_counts"`
	Usage            *Usage          `json:"usage"`
	Metadata         json.RawMessage `json:"metadata"`
}

// Faults are the reasons why a batch failed.
type Faults struct {
	Object string  `json:"object"` // "list"
	Data   []Fault `json:"data"`
}

// Fault is one of them.
type Fault struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Param   *string `json:"param"`
	Line    *int    `json:"line"`
}

// Counts are lines.
type Counts struct {
	Total     int64 `json:"total"`
	Completed int64 `json:"completed"`
	Failed    int64 `json:"failed"`
}

// Usage is what a batch consumed, in tokens.
type Usage struct {
	InputTokens        int64 `json:"input_tokens"`
	InputTokensDetails struct {
		CachedTokens int64 `json:"cached_tokens"`
	} `json:"input_tokens_details"`
	OutputTokens        int64 `json:"output_tokens"`
	OutputTokensDetails struct {
		ReasoningTokens int64 `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
	TotalTokens int64 `json:"total_tokens"`
}

func (f *fileDoc) object() File {
	return File{
		ID: f.ID, Object: "file", Bytes: f.Bytes, CreatedAt: seconds(f.Created), ExpiresAt: orNull(f.Expires),
		Filename: f.Filename, Purpose: f.Purpose, Status: "processed",
	}
}

func (b *batchDoc) object(t tally) Batch {
	at := func(s state) *int64 { return orNull(b.At[s]) }
	o := Batch{
		ID: b.ID, Object: "batch", Endpoint: b.Endpoint, Model: orNull(b.Model), InputFileID: b.Input,
		CompletionWindow: "24h", Status: string(b.shown()), OutputFileID: orNull(b.Output), ErrorFileID: orNull(b.Errors),
		CreatedAt: seconds(b.Created), InProgressAt: at(inProgress), ExpiresAt: orNull(b.ExpiresAt),
		FinalizingAt: at(finalizing), CompletedAt: at(completed), FailedAt: at(failed), ExpiredAt: at(expired),
		CancellingAt: at(cancelling), CancelledAt: at(cancelled), RequestCounts: b.counts(t),
		Metadata: json.RawMessage(cmp.Or(b.Metadata, "null")),
	}
	if b.Chunks > 0 {
		o.Usage = t.usage()
	}
	if len(b.Faults) > 0 {
		o.Errors = &Faults{Object: "list"}
		for _, f := range b.Faults {
			o.Errors.Data = append(o.Errors.Data, Fault{f.Code, f.Message, orNull(f.Param), orNull(f.Line)})
		}
	}
	return o
}

// shown is the state that callers see.
func (b *batchDoc) shown() state {
	switch {
	case b.State != expiring:
		return b.State
	case b.Chunks == 0:
		return validating
	default:
		return inProgress
	}
}

func (b *batchDoc) counts(t tally) Counts { return Counts{int64(b.Lines), t.OK, t.Failed} }

func (t tally) usage() *Usage {
	u := &Usage{InputTokens: t.InputTokens, OutputTokens: t.OutputTokens, TotalTokens: t.InputTokens + t.OutputTokens}
	u.InputTokensDetails.CachedTokens = t.CachedTokens
	u.OutputTokensDetails.ReasoningTokens = t.ReasoningTokens
	return u
}

// orNull is nil for a zero value.
func orNull[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

func seconds(micros int64) int64 { return time.UnixMicro(micros).Unix() }
