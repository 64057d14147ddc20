package dialecttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

var eventNames = map[llm.EventType]string{
	llm.Begin: "begin", llm.PartBegin: "part", llm.Delta: "delta", llm.PartEnd: "part end", llm.End: "end", llm.Spent: "spent",
}

var kindNames = map[llm.Kind]string{
	llm.Text: "text", llm.Thinking: "thinking", llm.Sealed: "sealed", llm.ToolCall: "call", llm.Image: "image", llm.Audio: "audio",
	llm.Refusal: "refusal",
}

// Show writes events line by line, and how they ended.
func Show(events []llm.Event, progress dialect.Progress, err error) []byte {
	var b bytes.Buffer
	for i := range events {
		show(&b, &events[i])
	}
	var failed *gateway.Error
	switch {
	case errors.As(err, &failed):
		fmt.Fprintf(&b, "error %d %s %q: %s\n", failed.Status(), failed.Type(), failed.Code, failed.Message)
	case progress == dialect.Open:
		fmt.Fprintf(&b, "cut: %v\n", err)
	case progress == dialect.MayEnd:
		b.WriteString("may end\n")
	default:
		b.WriteString("done\n")
	}
	return b.Bytes()
}

// ShowAnswer writes an answer as the events that a caller of a stream gets of it.
func ShowAnswer(r *llm.Response) []byte {
	var b bytes.Buffer
	if r.Created != 0 {
		fmt.Fprintf(&b, "created %d\n", r.Created)
	}
	events := r.Events()
	for i := range events {
		show(&b, &events[i])
	}
	return b.Bytes()
}

func show(b *bytes.Buffer, e *llm.Event) {
	fmt.Fprintf(b, "%s %d.%d", eventNames[e.Type], e.Choice, e.Index)
	if e.Type == llm.PartBegin {
		fmt.Fprintf(b, " %s", kindNames[e.Part.Kind])
	}
	for _, field := range [...]struct {
		name  string
		value any
		is    bool
	}{
		{"id", e.ID, e.ID != ""}, {"model", e.Model, e.Model != ""}, {"part", e.Part.ID, e.Part.ID != ""}, {"call", e.Part.Call, e.Part.Call != nil},
		{"media", e.Part.Media, e.Part.Media != nil}, {"said", e.Part.Text, e.Part.Text != ""}, {"seal", e.Part.Signature, !e.Part.Signature.IsZero()},
		{"text", e.Text, e.Text != ""}, {"signature", e.Signature, !e.Signature.IsZero()}, {"citations", e.Citations, len(e.Citations) > 0},
		{"logprobs", e.Logprobs, len(e.Logprobs) > 0}, {"finish", e.Finish, e.Finish != ""}, {"stop", e.Stop, e.Stop != ""},
		{"usage", e.Usage, e.Usage != nil}, {"tier", e.Tier, e.Tier != ""},
	} {
		if field.is {
			fmt.Fprintf(b, " %s=%s", field.name, terse(field.value))
		}
	}
	b.WriteByte('\n')
}

// terse is a value as JSON on one line, without what is empty.
func terse(v any) []byte { return bytes.TrimSpace(written(v, "")) }

// Indented is a value as JSON to be read, without what is empty.
func Indented(v any) []byte { return written(v, " ") }

func written(v any, indent string) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // no type of ours
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		panic(err) // it was written a line above
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(pruned(tree)); err != nil {
		panic(err) // likewise
	}
	return b.Bytes()
}

func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			switch inner = pruned(inner); inner {
			case nil, "", false, json.Number("0"):
				delete(v, name)
			default:
				v[name] = inner
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = pruned(v[i])
		}
	}
	return v
}

// WellFormed checks the order of events, on which all callers' dialects rely.
func WellFormed(t testing.TB, events []llm.Event, progress dialect.Progress) {
	t.Helper()
	type place struct{ choice, index int }
	open, begun, ended := map[place]bool{}, map[int]int{}, map[int]bool{}
	for i := range events {
		e := &events[i]
		at := place{e.Choice, e.Index}
		fault := ""
		switch e.Type {
		case llm.Begin:
			if i != 0 {
				fault = "it begins twice"
			}
		case llm.PartBegin:
			if open[at] || e.Index != begun[e.Choice] || ended[e.Choice] {
				fault = "a part begins out of turn"
			}
			open[at] = true
			begun[e.Choice]++
		case llm.Delta:
			if !open[at] {
				fault = "a piece of no part"
			}
			if e.Text == "" && e.Signature.IsZero() && len(e.Citations) == 0 && len(e.Logprobs) == 0 {
				fault = "an empty piece"
			}
		case llm.PartEnd:
			if !open[at] {
				fault = "the end of no part"
			}
			delete(open, at)
		case llm.End:
			if ended[e.Choice] || e.Finish == "" {
				fault = "an end out of turn"
			}
			for p := range open {
				if p.choice == e.Choice {
					fault = "it ends with an open part"
				}
			}
			ended[e.Choice] = true
		}
		if i == 0 && e.Type != llm.Begin {
			fault = "it does not begin"
		}
		if fault != "" {
			t.Fatalf("event %d: %s\n%s", i, fault, Show(events, progress, nil))
		}
	}
	if progress != dialect.Open && (len(open) > 0 || len(ended) < len(begun)) {
		t.Fatalf("it may end and is not ended\n%s", Show(events, progress, nil))
	}
}
