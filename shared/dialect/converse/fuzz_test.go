package converse_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// FuzzFrames reads any bytes as a stream: the frames are the bytes, whatever the reads, and decoding them breaks nothing.
func FuzzFrames(f *testing.F) {
	for _, lines := range dialecttest.Texts(f, "streams/*.txt") {
		f.Add(dialecttest.EventStream(f, lines))
	}
	f.Add(prelude(16, 0))
	f.Fuzz(func(t *testing.T, raw []byte) {
		frames := open(bytes.NewReader(raw))
		defer frames.Close()
		var read []byte
		for {
			frame, err := frames.Next()
			if err != nil {
				break
			}
			read = append(read, frame.Raw...)
		}
		if read = append(read, frames.Tail().Raw...); !bytes.HasPrefix(raw, read) {
			t.Error("the frames are not the stream")
		}
		events, progress, _ := replay(bytes.NewReader(raw))
		again, same, _ := replay(iotest.OneByteReader(bytes.NewReader(raw)))
		if diff := cmp.Diff(events, again); diff != "" || progress != same {
			t.Errorf("byte by byte it is another:\n%s", diff)
		}
		dialecttest.WellFormed(t, events, progress)
	})
}

// FuzzStream decodes any events, one a line, in any order.
func FuzzStream(f *testing.F) {
	for _, lines := range dialecttest.Texts(f, "streams/*.txt") {
		f.Add(lines)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		decoder := out.DecodeStream()
		var events []llm.Event
		var err error
		for line := range strings.SplitSeq(lines, "\n") {
			name, payload, _ := strings.Cut(line, " ")
			if events, err = decoder.Decode(events, dialect.Frame{Name: name, Data: []byte(payload)}); err != nil {
				break
			}
		}
		if err != nil && !isOurs(err) {
			t.Error(err)
		}
		dialecttest.WellFormed(t, events, decoder.Progress())
		if ended := len(events) > 0 && events[len(events)-1].Type >= llm.End; ended != (decoder.Progress() != dialect.Open) {
			t.Errorf("the progress is %d:\n%s", decoder.Progress(), dialecttest.Show(events, decoder.Progress(), err))
		}
	})
}

// FuzzDecode gives any payloads to the decoders.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"contentBlockIndex":0,"delta":{"text":"x"},"start":{"toolUse":{"toolUseId":"a","name":"b"}},"output":{"message":{"content":[{"text":"x"}]}}}`),
		[]byte(`{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}`))
	f.Add([]byte(`{"message":"Input is too long","__type":"a#ValidationException"}`),
		[]byte(`{"delta":{"reasoningContent":{"signature":"a"}},"usage":{"inputTokens":1}}`))
	names := []string{"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop",
		"messageStop", "metadata", "exception:x", "error:", ""}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		if _, err := out.DecodeResponse(one); err != nil && !isOurs(err) {
			t.Error(err)
		}
		if e := out.DecodeError(400, nil, one); e == nil || e.Message == "" {
			t.Error("no error")
		}
		for _, first := range names {
			for _, second := range names {
				decoder := out.DecodeStream()
				events, err := decoder.Decode(nil, dialect.Frame{Name: first, Data: one})
				if err == nil {
					events, err = decoder.Decode(events, dialect.Frame{Name: second, Data: two})
				}
				if err != nil && !isOurs(err) {
					t.Error(err)
				}
				dialecttest.WellFormed(t, events, decoder.Progress())
			}
		}
	})
}

func isOurs(err error) bool {
	var e *gateway.Error
	return errors.As(err, &e)
}
