package batch

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"slices"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// reasons are the errors of lines without a result.
var reasons = map[state]result{
	cancelling: {Code: "batch_cancelled", Message: "This request was not executed because the batch was cancelled."},
	expiring:   {Code: "batch_expired", Message: "This request could not be executed before the completion window expired."},
}

// frozen is one result for every line of a chunk that is done, in order.
func (e *Engine) frozen(ctx context.Context, b *batchDoc, c *chunkDoc) ([]result, error) {
	ps, err := e.parts(ctx, c)
	if err != nil {
		return nil, err
	}
	all := make([]result, 0, c.Lines)
	have := make(map[int]bool, c.Lines)
	for i := range ps {
		rs, err := ps[i].results()
		if err != nil {
			return nil, err
		}
		for _, r := range rs {
			if !have[r.Line] {
				have[r.Line] = true
				all = append(all, r)
			}
		}
	}
	if len(all) < c.Lines {
		lines, err := e.lines(ctx, b, c)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if !have[l.no] {
				r := reasons[b.State]
				r.CustomID, r.Line = l.CustomID, l.no
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b result) int { return cmp.Compare(a.Line, b.Line) })
	return all, nil
}

// sink writes one result file. Its object is begun with the first line; a file without lines is none. If the object is
// there already, an earlier finalizer wrote it from the same chunks, so it has the same bytes.
type sink struct {
	which, id, name string
	lines, bytes    int64

	begin func() (*io.PipeWriter, <-chan error)
	pipe  *io.PipeWriter
	done  <-chan error
	sum   hash.Hash
	buf   bytes.Buffer
}

func (e *Engine) newSink(ctx context.Context, b *batchDoc, which string) *sink {
	id := resultFileID(b.ID, which)
	s := &sink{which: which, id: id, name: fileBlob(gateway.OwnerFrom(b.Owner), id), sum: sha256.New()}
	s.begin = func() (*io.PipeWriter, <-chan error) {
		in, out := io.Pipe()
		done := make(chan error, 1)
		go func() {
			_, err := e.Blobs.Create(ctx, s.name, in)
			if errors.Is(err, blob.ErrExists) {
				_, err = io.Copy(io.Discard, in)
			}
			in.CloseWithError(cmp.Or(err, io.ErrClosedPipe))
			done <- err
		}()
		return out, done
	}
	return s
}

// outputLine is one line of a result file.
type outputLine struct {
	ID       string     `json:"id"`
	CustomID string     `json:"custom_id"`
	Response *response  `json:"response"`
	Error    *lineError `json:"error"`
}

type response struct {
	Status    int             `json:"status_code"`
	RequestID string          `json:"request_id"`
	Body      json.RawMessage `json:"body"`
}

type lineError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (s *sink) write(batchID string, r *result) error {
	l := outputLine{ID: "batch_req_" + derivedID(24, batchID, strconv.Itoa(r.Line)), CustomID: r.CustomID}
	if r.Status != 0 {
		l.Response = &response{r.Status, r.RequestID, json.RawMessage(cmp.Or(r.Body, "null"))}
	} else {
		l.Error = &lineError{r.Code, r.Message}
	}
	s.buf.Reset()
	encoder := json.NewEncoder(&s.buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(l); err != nil {
		return err
	}
	if s.pipe == nil {
		s.pipe, s.done = s.begin()
	}
	s.lines++
	s.bytes += int64(s.buf.Len())
	s.sum.Write(s.buf.Bytes())
	_, err := s.pipe.Write(s.buf.Bytes())
	return err
}

// close ends the file; with a cause it leaves none. It returns when the object is durable.
func (s *sink) close(cause error) error {
	if s.pipe == nil {
		return cause
	}
	s.pipe.CloseWithError(cause) // nil is the end of the file
	return cmp.Or(cause, <-s.done)
}

func (s *sink) sha256() string { return hex.EncodeToString(s.sum.Sum(nil)) }
