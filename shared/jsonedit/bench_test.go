package jsonedit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// chatBody is a chat request of about the given size with the steering fields behind the messages, the worst place.
func chatBody(size int, text string) []byte {
	var b bytes.Buffer
	b.WriteString(`{"messages":[{"role":"system","content":"You are a helpful assistant."}`)
	for i := 0; b.Len() < size-200; i++ {
		content, _ := json.Marshal(fmt.Sprintf("Question %d: %s\nThanks \"in advance\".", i, strings.Repeat(text, 5)))
		fmt.Fprintf(&b, `,{"role":"user","content":%s}`, content)
	}
	b.WriteString(`],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"number"}}}}}],`)
	b.WriteString(`"temperature":0.7,"max_tokens":512,"stream":true,"model":"gpt-4o"}`)
	return b.Bytes()
}

const (
	english = "The quick brown fox jumps over the lazy dog, and runs. "
	chinese = "敏捷的棕色狐狸跳过了懒狗。"
)

func steering() []jsonedit.Field {
	return names("model", "stream", "max_tokens", "max_completion_tokens", "n", "stream_options", "user", "service_tier")
}

func BenchmarkScan(b *testing.B) {
	for name, body := range map[string][]byte{
		"4KB": chatBody(4<<10, english), "100KB": chatBody(100<<10, english), "100KB_chinese": chatBody(100<<10, chinese),
	} {
		b.Run(name, func(b *testing.B) {
			fields := steering()
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := jsonedit.Scan(body, fields); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

const chunk = `{"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-2024-08-06",` +
	`"service_tier":"default","system_fingerprint":"fp_fc9f1d7035","choices":[{"index":0,"delta":{"content":" world"},"finish_reason":null}],"usage":null}`

func BenchmarkFind(b *testing.B) {
	for name, body := range map[string][]byte{"chunk": []byte(chunk), "100KB": chatBody(100<<10, english)} {
		b.Run(name, func(b *testing.B) {
			fields := names("usage", "model")
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if !jsonedit.Find(body, fields) {
					b.Fatal("not found")
				}
			}
		})
	}
}

func BenchmarkReplace(b *testing.B) {
	body := chatBody(4<<10, english)
	fields := names("model")
	if err := jsonedit.Scan(body, fields); err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, 0, 2*len(body))
	b.ReportAllocs()
	for b.Loop() {
		dst = jsonedit.Replace(dst[:0], body, fields[0].SetString("gpt-4o-mini"))
	}
}
