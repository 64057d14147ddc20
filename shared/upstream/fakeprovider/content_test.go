package fakeprovider_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// Images, documents and sounds arrive as words of the answer.
func TestMedia(t *testing.T) {
	want := map[string]string{
		"chat": "see image:image/png image:https://x.test/a.png document:a.pdf audio:wav", "responses": "see image:image/png document:a.pdf",
		"messages": "see image:image/png image:https://x.test/a.png document:a", "gemini": "see image:image/png image:gs://b/a.png audio:wav",
		"converse": "see image:image/png document:a",
	}
	bodies := map[string]string{
		"chat": `{"model":"MODEL","messages":[{"role":"user","content":[{"type":"text","text":"see"},
			{"type":"image_url","image_url":{"url":"data:image/png;base64,eA=="}},{"type":"image_url","image_url":{"url":"https://x.test/a.png"}},
			{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,eA=="}},
			{"type":"input_audio","input_audio":{"data":"eA==","format":"wav"}}]}]}`,
		"responses": `{"model":"MODEL","input":[{"role":"user","content":[{"type":"input_text","text":"see"},
			{"type":"input_image","image_url":"data:image/png;base64,eA=="},
			{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,eA=="}]}]}`,
		"messages": `{VERSION,"max_tokens":99,"messages":[{"role":"user","content":[{"type":"text","text":"see"},
			{"type":"image","source":{"type":"base64","media_type":"image/png","data":"eA=="}},
			{"type":"image","source":{"type":"url","url":"https://x.test/a.png"}},
			{"type":"document","title":"a","source":{"type":"base64","media_type":"application/pdf","data":"eA=="}}]}]}`,
		"gemini": `{"contents":[{"role":"user","parts":[{"text":"see"},{"inlineData":{"mimeType":"image/png","data":"eA=="}},
			{"fileData":{"mimeType":"image/png","fileUri":"gs://b/a.png"}},{"inlineData":{"mimeType":"audio/wav","data":"eA=="}}]}]}`,
		"converse": `{"messages":[{"role":"user","content":[{"text":"see"},{"image":{"format":"png","source":{"bytes":"eA=="}}},
			{"document":{"name":"a","format":"pdf","source":{"bytes":"eA=="}}}]}]}`,
	}
	each(t, func(t *testing.T, p *fakeprovider.Provider, url string, w fakeprovider.Wire) {
		status, answer, _ := say(t, url, w, "m", false, fill(w, bodies[family[w.Name]], "m", false))
		if status != 200 || !strings.Contains(answer, want[family[w.Name]]) {
			t.Errorf("status %d, answer %s", status, answer)
		}
		if audio := last(p).PromptAudioTokens; strings.Contains(want[family[w.Name]], "audio") != (audio == 85) {
			t.Errorf("billed %d audio tokens", audio)
		}
	})
}

// A schema is obeyed, natively asked for.
func TestSchemas(t *testing.T) {
	const schema = `{"type":"object","additionalProperties":false,"required":["city","kind"],` +
		`"properties":{"city":{"type":"string"},"kind":{"type":"string","enum":["a","b"]}}}`
	bodies := map[string]string{
		"chat": `{"model":"MODEL","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema",
			"json_schema":{"name":"n","strict":true,"schema":` + schema + `}}}`,
		"responses": `{"model":"MODEL","input":"x","text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":` + schema + `}}}`,
		"messages": `{VERSION,"max_tokens":99,"messages":[{"role":"user","content":"x"}],"output_config":{"format":{"type":"json_schema",
			"schema":` + schema + `}}}`,
		"gemini": `{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"responseMimeType":"application/json",
			"responseJsonSchema":` + schema + `}}`,
		"converse": `{"messages":[{"role":"user","content":[{"text":"x"}]}],"outputConfig":{"textFormat":{"type":"json_schema",
			"structure":{"jsonSchema":{"schema":"` + strings.ReplaceAll(schema, `"`, `\"`) + `"}}}}}`,
	}
	each(t, func(t *testing.T, _ *fakeprovider.Provider, url string, w fakeprovider.Wire) {
		status, answer, _ := say(t, url, w, "m", false, fill(w, bodies[family[w.Name]], "m", false))
		if status != 200 || !strings.Contains(answer, `{\"city\":\"city\",\"kind\":\"a\"}`) {
			t.Errorf("status %d, answer %s", status, answer)
		}
	})
}

// A stop sequence ends the text, where the vendor has them.
func TestStopSequences(t *testing.T) {
	bodies := map[string]string{
		"chat":     `{"model":"MODEL","messages":[{"role":"user","content":"TEXT"}],"stop":["thr","four"]}`,
		"messages": `{VERSION,"max_tokens":99,"messages":[{"role":"user","content":"TEXT"}],"stop_sequences":["thr","four"]}`,
		"gemini":   `{"contents":[{"parts":[{"text":"TEXT"}]}],"generationConfig":{"stopSequences":["thr","four"]}}`,
		"converse": `{"messages":[{"role":"user","content":[{"text":"TEXT"}]}],"inferenceConfig":{"stopSequences":["thr","four"]},
			"additionalModelResponseFieldPaths":["/stop_sequence"]}`,
	}
	reports := map[string]string{"messages": `"stop_sequence":"thr"`, "converse": `"stop_sequence":"thr"`}
	each(t, func(t *testing.T, _ *fakeprovider.Provider, url string, w fakeprovider.Wire) {
		body, ok := bodies[family[w.Name]]
		if !ok {
			return
		}
		status, answer, _ := say(t, url, w, "m", false, fill(w, body, "m", false))
		cut := strings.Contains(answer, `"one two `) && !strings.Contains(answer, "four")
		if status != 200 || !cut || !strings.Contains(answer, reports[family[w.Name]]) {
			t.Errorf("status %d, answer %s", status, answer)
		}
	})
}

// Marked prompts are written to the cache and read from it, at their prices.
func TestCacheMarks(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 1000) // 1250 tokens
	bodies := map[string]string{
		"anthropic": `{"model":"m+cached","max_tokens":9,"system":[{"type":"text","text":"` + long + `","cache_control":{"type":"ephemeral",
			"ttl":"1h"}}],
			"messages":[{"role":"user","content":[{"type":"text","text":"` + long + `","cache_control":{"type":"ephemeral"}},
			{"type":"text","text":"LAST"}]}]}`,
		"bedrock": `{"system":[{"text":"` + long + `"},{"cachePoint":{"type":"default","ttl":"1h"}}],
			"messages":[{"role":"user","content":[{"text":"` + long + `"},{"cachePoint":{"type":"default"}},{"text":"LAST"}]}]}`,
	}
	reports := map[string]string{
		"anthropic": `"cache_creation_input_tokens":0,"cache_read_input_tokens":2506`,
		"bedrock":   `"cacheReadInputTokens":2506,"cacheWriteInputTokens":0`,
	}
	for name, body := range bodies {
		p, url := fakeprovider.Start(t)
		answer := ""
		for _, text := range []string{"a", "b"} {
			_, answer, _ = say(t, url, wireNamed(name), "m+cached", false, strings.Replace(body, "LAST", text, 1))
		}
		var got []int64
		for _, l := range p.Bill() {
			got = append(got, l.PromptTokens, l.CachedTokens, l.CacheWrite5mTokens, l.CacheWrite1hTokens)
		}
		// 3 + 1250 tokens until the first mark, as many more until the second, and one for the last part.
		if d := cmp.Diff([]int64{2507, 0, 1253, 1253, 2507, 2506, 0, 0}, got); d != "" || !strings.Contains(answer, reports[name]) {
			t.Errorf("%s: prompt, read, written for 5 minutes and an hour (-want +got):\n%s%s", name, d, answer)
		}
	}
}

// Thoughts are shown, signed, and accepted when they come back.
func TestThoughtsComeBack(t *testing.T) {
	asking := map[string][2]string{ // what asks for thoughts, after the first brace
		"chat": {"m+think-3+tools-1", ""}, "messages": {"m+think-3+tools-1", `"thinking":{"type":"enabled","budget_tokens":1024},`},
		"gemini": {"gemini-3-pro+think-3+tools-1", `"generationConfig":{"thinkingConfig":{"includeThoughts":true}},`},
		"converse": {"anthropic.claude+think-3+tools-1", `"additionalModelRequestFields":{"thinking":{"type":"enabled",
			"budget_tokens":1024}},`},
		"responses": {"m+think-3+tools-1", `"reasoning":{"summary":"auto"},"include":["reasoning.encrypted_content"],"store":false,`},
	}
	each(t, func(t *testing.T, p *fakeprovider.Provider, url string, w fakeprovider.Wire) {
		kind := family[w.Name]
		model, more := asking[kind][0], asking[kind][1]
		status, answer, _ := say(t, url, w, model, false, fill(w, "{"+more+talks[kind].tools[1:], model, false))
		if status != 200 || !strings.Contains(answer, "thought one two") || last(p).ReasoningTokens != 3 {
			t.Fatalf("status %d, answer %s", status, answer)
		}
		message, id := withThoughts(t, kind, answer)
		for _, stream := range []bool{false, true} {
			status, answer, _ = say(t, url, w, model, stream, fill(w, "{"+more+talks[kind].result[1:], model, stream, "ANSWER", message, "ID", id))
			if status != 200 || !strings.Contains(answer, "sunny") {
				t.Errorf("status %d, answer %s", status, answer)
			}
		}
	})
}

// withThoughts is a whole answer as a message of the next request, and the id of its call.
func withThoughts(t *testing.T, kind, answer string) (message, id string) {
	t.Helper()
	switch kind {
	case "chat":
		return dig(t, answer, "choices", 0, "message"), strings.Trim(dig(t, answer, "choices", 0, "message", "tool_calls", 0, "id"), `"`)
	case "responses":
		return dig(t, answer, "output", 0) + "," + dig(t, answer, "output", 1), strings.Trim(dig(t, answer, "output", 1, "call_id"), `"`)
	case "messages":
		return `{"role":"assistant","content":` + dig(t, answer, "content") + `}`, strings.Trim(dig(t, answer, "content", 1, "id"), `"`)
	case "converse":
		content := dig(t, answer, "output", "message", "content", 1, "toolUse", "toolUseId")
		return dig(t, answer, "output", "message"), strings.Trim(content, `"`)
	}
	content := dig(t, answer, "candidates", 0, "content")
	return content, ""
}
