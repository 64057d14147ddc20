package chat_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// conversation is a body of about 4 KB, with tools.
func conversation() []byte {
	var b strings.Builder
	b.WriteString(`{"model":"m","temperature":0.5,"max_completion_tokens":500,"messages":[{"role":"system","content":"` + strings.Repeat("Be brief. ", 40) + `"}`)
	for i := range 3 {
		fmt.Fprintf(&b, `,{"role":"user","content":[{"type":"text","text":%q}]}`, strings.Repeat("What is the weather like? ", 10))
		fmt.Fprintf(&b, `,{"role":"assistant","content":null,"tool_calls":[{"id":"call_%d","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]}`, i)
		fmt.Fprintf(&b, `,{"role":"tool","tool_call_id":"call_%d","content":%q}`, i, strings.Repeat("Cloudy. ", 20))
	}
	b.WriteString(`],"tools":[`)
	for i := range 4 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"function","function":{"name":"tool_%d","description":"Does what it says.","parameters":{"type":"object","properties":{"city":{"type":"string","description":"Where?"},"days":{"type":"integer","minimum":1}},"required":["city"]}}}`, i)
	}
	b.WriteString(`],"tool_choice":"auto"}`)
	return []byte(b.String())
}

func BenchmarkDecodeRequest(b *testing.B) {
	r := peek(b, gateway.OpChat, string(conversation()))
	b.SetBytes(int64(len(r.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.In.DecodeRequest(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeRequest(b *testing.B) {
	r, err := peek(b, gateway.OpChat, string(conversation())).In.DecodeRequest()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (chat.Outbound{}).EncodeRequest(r, dialect.Target{Provider: "openai", Model: "gpt-4o"}); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkAnswer() *llm.Response {
	return &llm.Response{ID: "x", Choices: []llm.Choice{{Finish: llm.FinishStop, Parts: []llm.Part{llm.TextPart(strings.Repeat("It is cloudy. ", 80))}}}}
}

func BenchmarkEncodeResponse(b *testing.B) {
	r, answer := peek(b, gateway.OpChat, `{"model":"m",`+hello+`}`), benchmarkAnswer()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.In.EncodeResponse(answer); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeResponse(b *testing.B) {
	body, err := peek(b, gateway.OpChat, `{"model":"m",`+hello+`}`).In.EncodeResponse(benchmarkAnswer())
	if err != nil || !json.Valid(body) {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (chat.Outbound{}).DecodeResponse(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeDelta(b *testing.B) {
	s := peek(b, gateway.OpChat, `{"model":"m","stream":true,`+hello+`}`).In.EncodeStream()
	dst := s.Encode(nil, &llm.Event{Type: llm.Begin, ID: "x", Model: "m"})
	dst = s.Encode(dst, &llm.Event{Type: llm.PartBegin, Part: llm.Part{Kind: llm.Text}})
	delta := llm.Event{Type: llm.Delta, Text: " cloudy"}
	dst = s.Encode(dst, &delta)
	b.ReportAllocs()
	for b.Loop() {
		dst = s.Encode(dst[:0], &delta)
	}
}

func BenchmarkDecodeChunk(b *testing.B) {
	chunk := []byte(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" cloudy"},"logprobs":null,"finish_reason":null}],"usage":null}`)
	d := chat.Outbound{}.DecodeStream()
	events := make([]llm.Event, 0, 8)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if events, err = d.Decode(events[:0], dialect.Frame{Data: chunk}); err != nil {
			b.Fatal(err)
		}
	}
}
