package fakeprovider_test

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// names are the names of a stream's events, repeated ones once.
func names(stream string) (list []string) {
	for line := range strings.Lines(stream) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "event: "); ok && (len(list) == 0 || list[len(list)-1] != name) {
			list = append(list, name)
		}
	}
	return list
}

func TestAnthropicEvents(t *testing.T) {
	t.Parallel()
	_, url := fakeprovider.Start(t)
	w := wireNamed("anthropic")
	body := `{"model":"m+tools-1+think-2","max_tokens":2000,"stream":true,"thinking":{"type":"enabled","budget_tokens":1024},
		"messages":[{"role":"user","content":"x"}],"tools":[{"name":"weather","input_schema":` + citySchema + `}]}`
	_, stream, _ := say(t, url, w, "", true, body)
	want := []string{
		"message_start", "ping", "content_block_start", "content_block_delta", "content_block_stop", "content_block_start", "content_block_delta",
		"content_block_stop", "message_delta", "message_stop",
	}
	if d := cmp.Diff(want, names(stream)); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	for _, part := range []string{`"signature_delta"`, `"input_json_delta"`, `"thinking_delta"`, `"index":1`, `"stop_reason":"tool_use"`} {
		if !strings.Contains(stream, part) {
			t.Errorf("no %s in %s", part, stream)
		}
	}
	if _, end, _ := strings.Cut(stream, "message_delta"); strings.Contains(end, "cache_creation\"") {
		t.Errorf("the end repeats how long caches are kept: %s", end)
	}
}

func TestResponsesEvents(t *testing.T) {
	t.Parallel()
	_, url := fakeprovider.Start(t)
	_, stream, _ := say(t, url, wireNamed("responses"), "", true,
		`{"model":"m+think-2","stream":true,"input":"a b","reasoning":{"summary":"auto"}}`)
	want := []string{
		"created", "in_progress", "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
		"reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done", "output_item.added",
		"content_part.added", "output_text.delta", "output_text.done",
		"content_part.done", "output_item.done", "completed",
	}
	for i := range want {
		want[i] = "response." + want[i]
	}
	if d := cmp.Diff(want, names(stream)); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	if !strings.Contains(stream, `"sequence_number":0`) || !strings.Contains(stream, `"sequence_number":16`) {
		t.Errorf("events are not numbered: %s", stream)
	}
}

func TestAzureEvents(t *testing.T) {
	t.Parallel()
	_, url := fakeprovider.Start(t)
	w := wireNamed("azure")
	_, stream, _ := say(t, url, w, "m", true, fill(w, talks["chat"].plain, "m", true))
	first, _, _ := strings.Cut(stream, "\n\n")
	judged := strings.Contains(stream, `"content_filter_results":{"hate"`)
	if !strings.Contains(first, `"choices":[]`) || !strings.Contains(first, `"prompt_filter_results"`) || !judged {
		t.Errorf("stream %s", stream)
	}
	plain := w
	plain.Header, plain.Value = "Authorization", "Bearer "+fakeprovider.FakeToken
	if status, answer, _ := say(t, url, plain, "m", false, fill(w, talks["chat"].plain, "m", false)); status != 200 {
		t.Errorf("token: status %d, %s", status, answer)
	}
}

func TestMistralReportsUsageWithTheFinish(t *testing.T) {
	t.Parallel()
	_, url := fakeprovider.Start(t)
	w := wireNamed("openai")
	_, stream, _ := say(t, url, w, "m+mistral", true, fill(w, talks["chat"].plain, "m+mistral", true))
	if events := strings.Split(strings.TrimSpace(stream), "\n\n"); !strings.Contains(events[len(events)-2], `"finish_reason":"stop"`) ||
		!strings.Contains(events[len(events)-2], `"completion_tokens":4`) {
		t.Errorf("stream %s", stream)
	}
}

// readFrames takes an event stream apart: the values of :event-type or :exception-type, and the payloads.
func readFrames(t *testing.T, stream string) (kinds []string, payload string) {
	t.Helper()
	for b := []byte(stream); len(b) > 0; {
		n, h := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		if crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]) || crc32.ChecksumIEEE(b[:n-4]) != binary.BigEndian.Uint32(b[n-4:]) {
			return kinds, "bad checksum"
		}
		for headers := b[12 : 12+h]; len(headers) > 0; {
			name := string(headers[1 : 1+headers[0]])
			rest := headers[2+len(name):]
			size := int(binary.BigEndian.Uint16(rest))
			if value := string(rest[2 : 2+size]); strings.HasSuffix(name, "-type") && name != ":content-type" && name != ":message-type" {
				kinds = append(kinds, value)
			}
			headers = rest[2+size:]
		}
		payload += string(b[12+h:n-4]) + "\n"
		b = b[n:]
	}
	return kinds, payload
}

func TestBedrockEvents(t *testing.T) {
	t.Parallel()
	_, url := fakeprovider.Start(t)
	w := wireNamed("bedrock")
	_, stream, _ := say(t, url, w, "m+tools-1", true, fill(w, talks["converse"].tools, "m", true))
	kinds, payload := readFrames(t, stream)
	want := []string{
		"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata",
	}
	if d := cmp.Diff(want, kinds); d != "" || !strings.Contains(payload, `"stopReason":"tool_use"`) {
		t.Errorf("events (-want +got):\n%s%s", d, payload)
	}
	_, stream, _ = say(t, url, w, "m+error-after-1", true, fill(w, talks["converse"].plain, "m", true))
	if kinds, _ = readFrames(t, stream); kinds[len(kinds)-1] != "modelStreamErrorException" {
		t.Errorf("events %v", kinds)
	}
	_, stream, _ = say(t, url, w, "m+bad-crc", true, fill(w, talks["converse"].plain, "m", true))
	if _, payload = readFrames(t, stream); payload != "bad checksum" {
		t.Errorf("payload %s", payload)
	}
}

// A response is kept, goes on, and can be read and deleted; one that was not to be kept is not.
func TestResponsesAreKept(t *testing.T) {
	t.Parallel()
	p, url := fakeprovider.Start(t)
	w := wireNamed("responses")
	do := func(method, path string) (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), method, url+"/v1/responses/"+path, nil)
		req.Header.Set(w.Header, w.Value)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	_, answer, _ := say(t, url, w, "m", false, `{"model":"m","input":"one two"}`)
	id := strings.Trim(dig(t, answer, "id"), `"`)
	if status, kept := do("GET", id); status != 200 || dig(t, kept, "output") != dig(t, answer, "output") {
		t.Errorf("status %d, kept %s", status, kept)
	}
	if _, next, _ := say(t, url, w, "m", false, `{"model":"m","input":"three",
		"previous_response_id":"`+id+`"}`); !strings.Contains(next, `"text":"three"`) ||
		last(p).PromptTokens != 3*(3+2) { // the prompt, the answer to it, and the new one
		t.Errorf("bill %+v, answer %s", last(p), next)
	}
	if status, list := do("GET", id+"/input_items"); status != 200 || !strings.Contains(list, "one two") {
		t.Errorf("status %d, input %s", status, list)
	}
	if status, _ := do("DELETE", id); status != 200 {
		t.Errorf("status %d", status)
	}
	if status, _ := do("GET", id); status != 404 {
		t.Errorf("status %d after deletion", status)
	}
	_, answer, _ = say(t, url, w, "m", false, `{"model":"m","input":"one","store":false}`)
	if status, _ := do("GET", strings.Trim(dig(t, answer, "id"), `"`)); status != 404 {
		t.Errorf("status %d for what was not to be kept", status)
	}
}
