package chat_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// What vendors answer.
func TestRecordings(t *testing.T) {
	t.Parallel()
	dialecttest.Recordings{Out: chat.Outbound{}}.Run(t)
}

func replay(r io.Reader) ([]llm.Event, dialect.Progress, error) {
	return dialecttest.Read(chat.Outbound{}, r)
}

// What a caller gets of a stream, whole or in pieces, reads again as the same.
func TestPassedOn(t *testing.T) {
	t.Parallel()
	dialecttest.Each(t, "streams/*.txt", func(t *testing.T, _, text string) {
		events, progress, _ := replay(strings.NewReader(text))
		if progress != dialect.Done {
			t.Skip("it is not whole")
		}
		in := peek(t, gateway.OpChat, `{"model":"m","stream":true,"stream_options":{"include_usage":true},`+hello+`}`).In
		out := in.EncodeStream()
		var written []byte
		var whole llm.Collector
		for i := range events {
			written = out.Encode(written, &events[i])
			whole.Add(&events[i])
		}
		want := whole.Response()
		again, progress, err := replay(bytes.NewReader(out.End(written)))
		if progress != dialect.Done {
			t.Fatalf("%v in %s", err, written)
		}
		var streamed llm.Collector
		for i := range again {
			streamed.Add(&again[i])
		}
		compare(t, "streamed", want, streamed.Response())
		body, err := in.EncodeResponse(want)
		if err != nil || !json.Valid(body) {
			t.Fatalf("%v in %s", err, body)
		}
		got, err := chat.Outbound{}.DecodeResponse(body)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, "whole", want, got)
	})
}

// compare compares answers but for what this dialect does not carry: who gave it, and the order of text and calls.
func compare(t *testing.T, how string, want, got *llm.Response) {
	t.Helper()
	view := func(r *llm.Response) map[string]any {
		out := map[string]any{"usage": r.Usage}
		for i, c := range r.Choices {
			c.Parts = append([]llm.Part(nil), c.Parts...)
			var texts [llm.Refusal + 1]string
			var rest []llm.Part
			for _, p := range c.Parts {
				p.ID = ""
				switch p.Kind {
				case llm.Text, llm.Refusal, llm.Thinking:
					texts[p.Kind] += p.Text
				default:
					rest = append(rest, p)
				}
			}
			if c.Finish == llm.FinishStopSeq {
				c.Finish = llm.FinishStop
			}
			out[fmt.Sprint(i)] = []any{texts, rest, c.Finish}
		}
		return out
	}
	if diff := cmp.Diff(view(want), view(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", how, diff)
	}
}
