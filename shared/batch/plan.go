package batch

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// maxFaults is how many faults of a file are reported.
const maxFaults = 100

// plan is what one reading of an input file tells: its chunks, or what is wrong with it.
type plan struct {
	settings Settings
	endpoint string
	check    func(model string) error // nil, a fault's gateway.Error, or a reason to try later

	chunks []chunkDoc
	lines  int
	models map[string]error // what check said
	ids    map[[16]byte]int // hash of each custom_id -> line; by hash, because 50,000 ids may be long
	faults []fault
}

func newPlan(s Settings, endpoint string, check func(model string) error) *plan {
	return &plan{settings: s, endpoint: endpoint, check: check, models: map[string]error{}, ids: map[[16]byte]int{}}
}

// read goes through the file once. Its error means that the file could not be read or judged, not that it is bad.
func (p *plan) read(in io.Reader) error {
	lines := newSplitter(in, p.settings.MaxLineBytes, 1, 0)
	if kind := foreign(lines); kind != "" {
		p.fault(1, &fault{Code: "invalid_json_line", Message: "The file is not JSONL in UTF-8, it looks like " + kind + "."})
		return nil
	}
	for len(p.faults) < maxFaults {
		l, err := lines.next()
		if errors.Is(err, io.EOF) {
			if p.lines == 0 && len(p.faults) == 0 {
				p.fault(0, &fault{Code: "empty_file", Message: "The file has no lines."})
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read line %d: %w", lines.no+1, err)
		}
		if p.lines++; p.lines > p.settings.MaxLines {
			p.fault(l.No, &fault{Code: "too_many_tasks", Message: fmt.Sprintf("The file has more than %d lines.", p.settings.MaxLines)})
			return nil
		}
		f, err := p.judge(l)
		if err != nil {
			return err
		}
		if f != nil {
			p.fault(l.No, f)
		}
		p.place(l)
	}
	return nil
}

func (p *plan) fault(no int, f *fault) {
	f.Line = no
	p.faults = append(p.faults, *f)
}

func (p *plan) judge(l line) (*fault, error) {
	if l.TooLong {
		message := fmt.Sprintf("The line is longer than %d bytes.", p.settings.MaxLineBytes)
		return &fault{Code: "line_too_long", Message: message}, nil
	}
	r, f := parse(l.Data, p.endpoint)
	if f != nil {
		return f, nil
	}
	sum := sha256.Sum256([]byte(r.CustomID))
	key := [16]byte(sum[:])
	if first, twice := p.ids[key]; twice {
		message := fmt.Sprintf("The custom_id %q is used in line %d and again in line %d.", r.CustomID, first, l.No)
		return &fault{Code: "duplicate_custom_id", Param: "custom_id", Message: message}, nil
	}
	p.ids[key] = l.No
	err, known := p.models[r.Model]
	if !known {
		err = p.check(r.Model)
		p.models[r.Model] = err
	}
	return modelFault(err)
}

// modelFault tells a model that the file must not name from one that could not be judged.
func modelFault(err error) (*fault, error) {
	if err == nil {
		return nil, nil
	}
	var e *gateway.Error
	if errors.As(err, &e) {
		switch e.Kind {
		case gateway.KindInvalid, gateway.KindNotFound, gateway.KindForbidden, gateway.KindUnauthenticated:
			return &fault{Code: "model_not_found", Param: "body.model", Message: e.Message}, nil
		}
	}
	return nil, fmt.Errorf("check model: %w", err)
}

// place adds the line to the last chunk, or begins another.
func (p *plan) place(l line) {
	if n := len(p.chunks) - 1; n >= 0 {
		c := &p.chunks[n]
		if c.Lines < p.settings.ChunkLines && l.End-c.Offset <= p.settings.ChunkBytes {
			c.Lines, c.Last, c.Bytes = c.Lines+1, l.No, l.End-c.Offset
			return
		}
	}
	p.chunks = append(p.chunks, chunkDoc{
		N: len(p.chunks), State: pending, Offset: l.Offset, Bytes: l.End - l.Offset, First: l.No, Last: l.No, Lines: 1,
	})
}

// model is the file's only model, empty if there are several.
func (p *plan) model() string {
	if len(p.models) == 1 {
		for m := range p.models {
			return m
		}
	}
	return ""
}

// foreign names the format of a file that is often taken for JSONL.
func foreign(s *splitter) string {
	start, _ := s.in.Peek(4)
	for prefix, kind := range map[string]string{
		"\xff\xfe": "UTF-16", "\xfe\xff": "UTF-16", "\x1f\x8b": "gzip", "PK\x03\x04": "ZIP", "%PDF": "PDF",
	} {
		if bytes.HasPrefix(start, []byte(prefix)) {
			return kind
		}
	}
	if bytes.IndexByte(start, 0) >= 0 {
		return "UTF-16 or binary"
	}
	return ""
}
