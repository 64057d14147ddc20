package fakeprovider_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// The wires by how they write bodies.
var family = map[string]string{
	"openai": "chat", "azure": "chat", "responses": "responses", "azure-responses": "responses", "anthropic": "messages",
	"vertex-anthropic": "messages", "gemini": "gemini", "vertex": "gemini", "bedrock": "converse",
}

// talks are bodies of three requests of each family: TEXT alone, with a tool, and with the tool's result after ANSWER, which is the
// message of a call. MODEL, STREAM and ID are filled in.
var talks = map[string]struct{ plain, tools, result string }{
	"chat": {
		`{"model":"MODEL","stream":STREAM,"messages":[{"role":"user","content":"TEXT"}]}`,
		`{"model":"MODEL","stream":STREAM,"messages":[{"role":"user","content":"TEXT"}],"tools":[{"type":"function",
			"function":{"name":"weather","parameters":SCHEMA}}]}`,
		`{"model":"MODEL","stream":STREAM,"messages":[{"role":"user","content":"TEXT"},ANSWER,
			{"role":"tool","tool_call_id":"ID","content":"sunny"}],"tools":[{"type":"function","function":{"name":"weather","parameters":SCHEMA}}]}`,
	},
	"responses": {
		`{"model":"MODEL","stream":STREAM,"input":"TEXT"}`,
		`{"model":"MODEL","stream":STREAM,"input":"TEXT","tools":[{"type":"function","name":"weather","parameters":SCHEMA}]}`,
		`{"model":"MODEL","stream":STREAM,"input":[{"role":"user","content":"TEXT"},ANSWER,
			{"type":"function_call_output","call_id":"ID","output":"sunny"}],"tools":[{"type":"function","name":"weather","parameters":SCHEMA}]}`,
	},
	"messages": {
		`{VERSION,"stream":STREAM,"max_tokens":5000,"messages":[{"role":"user","content":"TEXT"}]}`,
		`{VERSION,"stream":STREAM,"max_tokens":5000,"messages":[{"role":"user","content":"TEXT"}],"tools":[{"name":"weather",
			"input_schema":SCHEMA}]}`,
		`{VERSION,"stream":STREAM,"max_tokens":5000,"messages":[{"role":"user","content":"TEXT"},ANSWER,
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"ID","content":"sunny"}]}],
			"tools":[{"name":"weather","input_schema":SCHEMA}]}`,
	},
	"gemini": {
		`{"contents":[{"role":"user","parts":[{"text":"TEXT"}]}]}`,
		`{"contents":[{"role":"user","parts":[{"text":"TEXT"}]}],"tools":[{"functionDeclarations":[{"name":"weather","parameters":SCHEMA}]}]}`,
		`{"contents":[{"role":"user","parts":[{"text":"TEXT"}]},ANSWER,
			{"role":"user","parts":[{"functionResponse":{"name":"weather","response":{"output":"sunny"}}}]}],
			"tools":[{"functionDeclarations":[{"name":"weather","parameters":SCHEMA}]}]}`,
	},
	"converse": {
		`{"messages":[{"role":"user","content":[{"text":"TEXT"}]}]}`,
		`{"messages":[{"role":"user","content":[{"text":"TEXT"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"weather",
			"inputSchema":{"json":SCHEMA}}}]}}`,
		`{"messages":[{"role":"user","content":[{"text":"TEXT"}]},ANSWER,
			{"role":"user","content":[{"toolResult":{"toolUseId":"ID","content":[{"text":"sunny"}]}}]}],
			"toolConfig":{"tools":[{"toolSpec":{"name":"weather","inputSchema":{"json":SCHEMA}}}]}}`,
	},
}

const citySchema = `{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}`

func fill(w fakeprovider.Wire, body, model string, stream bool, more ...string) string {
	version := `"model":"` + model + `"`
	if w.Name == "vertex-anthropic" {
		version = `"anthropic_version":"vertex-2023-10-16"`
	}
	pairs := append([]string{"VERSION", version, "MODEL", model, "SCHEMA", citySchema, "TEXT", "one two three four"}, more...)
	flag := "false"
	if stream {
		flag = "true"
	}
	return strings.NewReplacer(append(pairs, "STREAM", flag)...).Replace(body)
}

// say sends a body to a wire and returns what came, as text; whole is false if the transfer did not end cleanly.
func say(t *testing.T, url string, w fakeprovider.Wire, model string, stream bool, body string) (status int, answer string, whole bool) {
	t.Helper()
	return sendTo(t, url+w.Path(model, stream), body, w)
}

// postAs sends a body to another of a wire's routes.
func postAs(t *testing.T, url, path, body string, w fakeprovider.Wire) (status int, answer string) {
	t.Helper()
	status, answer, _ = sendTo(t, url+path, body, w)
	return status, answer
}

func sendTo(t *testing.T, url, body string, w fakeprovider.Wire) (status int, answer string, whole bool) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(w.Header, w.Value)
	if w.Name == "anthropic" {
		req.Header.Set("Anthropic-Version", "2023-06-01")
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err == nil
}

// each runs a test for every wire.
func each(t *testing.T, test func(t *testing.T, p *fakeprovider.Provider, url string, w fakeprovider.Wire)) {
	t.Parallel()
	for _, w := range fakeprovider.Wires() {
		t.Run(w.Name, func(t *testing.T) {
			t.Parallel()
			p, url := fakeprovider.Start(t)
			test(t, p, url, w)
			if v := p.Violations(); len(v) > 0 {
				t.Errorf("violations: %+v", v)
			}
		})
	}
}

func last(p *fakeprovider.Provider) fakeprovider.Line {
	bill := p.Bill()
	return bill[len(bill)-1]
}

// Every wire repeats the prompt, whole and in a stream, and the bill knows which wire it was.
func TestEveryWireAnswers(t *testing.T) {
	each(t, func(t *testing.T, p *fakeprovider.Provider, url string, w fakeprovider.Wire) {
		for _, stream := range []bool{false, true} {
			status, answer, whole := say(t, url, w, "some-model", stream, fill(w, talks[family[w.Name]].plain, "some-model", stream))
			if status != http.StatusOK || !whole || !strings.Contains(answer, "four") {
				t.Fatalf("status %d, answer %s", status, answer)
			}
			if !stream && !strings.Contains(answer, "one two three four") {
				t.Errorf("answer %s", answer)
			}
			got := last(p)
			want := fakeprovider.Line{
				Seq: got.Seq, Wire: w.Name, Model: "some-model", Op: got.Op, Stream: stream, Outcome: billed,
				PromptTokens: 8, CompletionTokens: 4, FullSend: true,
			}
			if d := cmp.Diff(want, got, ignoreTimes); d != "" {
				t.Errorf("bill (-want +got):\n%s", d)
			}
		}
	})
}

// The machinery's faults work on every wire alike.
func TestFaultsOnEveryWire(t *testing.T) {
	each(t, func(t *testing.T, p *fakeprovider.Provider, url string, w fakeprovider.Wire) {
		for _, c := range []struct {
			model   string
			stream  bool
			status  int
			whole   bool
			outcome fakeprovider.Outcome
			tokens  int64
		}{
			{"m+503", false, 503, true, rejected, 0},
			{"fault-of-no-kind", true, 404, true, rejected, 0},
			{"m+secret-echo", false, 401, true, rejected, 0},
			{"m+html", true, 200, true, billed, 4},
			{"m+cut-after-2", true, 200, false, partial, 2},
			{"m+cut-after-2", false, 200, false, billed, 4},
			{"m+error-after-3", true, 200, true, partial, 3},
			{"m+cut-before-end", true, 200, false, billed, 4},
			{"m+no-done", true, 200, true, billed, 4},
			{"m+truncated-json", true, 200, true, billed, 4},
			{"m+usage-negative", false, 200, true, billed, 4},
			{"m+no-usage", true, 200, true, billed, 4},
			{"m+usage-twice", true, 200, true, billed, 4},
			{"m+split", true, 200, true, billed, 4},
			{"m+unknown-fields", true, 200, true, billed, 4},
			{"m+stream-for-json", false, 200, true, billed, 4},
			{"m+json-for-stream", true, 200, true, billed, 4},
			{"m+words-2", true, 200, true, billed, 2},
		} {
			status, answer, whole := say(t, url, w, c.model, c.stream, fill(w, talks[family[w.Name]].plain, c.model, c.stream))
			got := last(p)
			if status != c.status || whole != c.whole || got.Outcome != c.outcome || got.CompletionTokens != c.tokens {
				t.Errorf("%s: status %d, whole %v, bill %+v\n%.500s", c.model, status, whole, got, answer)
			}
		}
	})
}

// Each vendor says errors in its own words.
func TestErrorShapes(t *testing.T) {
	want := map[string]string{
		"openai": `"code":"rate_limit_exceeded"`, "responses": `"type":"rate_limit_error"`, "azure": `"code":"429"`,
		"azure-responses": `"code":"429"`,
		"anthropic":       `"type":"rate_limit_error"`, "vertex-anthropic": `"RESOURCE_EXHAUSTED"`, "gemini": `"retryDelay":"1s"`,
		"vertex": `"RESOURCE_EXHAUSTED"`, "bedrock": `{"message":"Too many requests`,
	}
	inStream := map[string]string{
		"openai": `data: {"error":{`, "responses": "event: error\n", "azure": `data: {"error":{"code":"InternalServerError"`,
		"azure-responses": "event: error\n", "anthropic": `"type":"overloaded_error"`, "vertex-anthropic": `"type":"overloaded_error"`,
		"gemini": `"UNAVAILABLE"`, "vertex": `"UNAVAILABLE"`, "bedrock": "modelStreamErrorException",
	}
	each(t, func(t *testing.T, _ *fakeprovider.Provider, url string, w fakeprovider.Wire) {
		status, answer, _ := say(t, url, w, "m+429", false, fill(w, talks[family[w.Name]].plain, "m+429", false))
		if status != 429 || !strings.Contains(answer, want[w.Name]) {
			t.Errorf("status %d, answer %s", status, answer)
		}
		_, answer, _ = say(t, url, w, "m+error-after-1", true, fill(w, talks[family[w.Name]].plain, "m+error-after-1", true))
		if !strings.Contains(answer, inStream[w.Name]) {
			t.Errorf("stream %s", answer)
		}
	})
}

// A wrong key is refused, and a credential of another wire is a violation.
func TestCredentials(t *testing.T) {
	t.Parallel()
	for _, w := range fakeprovider.Wires() {
		p, url := fakeprovider.Start(t)
		body := fill(w, talks[family[w.Name]].plain, "m", false)
		wrong := w
		wrong.Value += "x"
		status, answer, _ := say(t, url, wrong, "m", false, body)
		if status < 400 || status > 403 || len(p.Violations()) != 0 {
			t.Errorf("%s: status %d, %s", w.Name, status, answer)
		}
		other := w
		other.Header = "X-Api-Key"
		if w.Header == other.Header {
			other.Header = "Api-Key"
		}
		if status, _, _ := say(t, url, other, "m", false, body); status != 400 || len(p.Violations()) != 1 {
			t.Errorf("%s: status %d, violations %v", w.Name, status, p.Violations())
		}
	}
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return m
}
