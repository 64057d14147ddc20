package chat_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// hosts are upstreams with ideas of their own.
var hosts = map[string]dialect.Target{
	"openai":          {Provider: "openai", Model: "gpt-4o"},
	"openai_o3":       {Provider: "openai", Model: "o3"},
	"openai_gpt5":     {Provider: "openai", Model: "gpt-5-mini"},
	"openai_gpt5_2":   {Provider: "openai", Model: "gpt-5.2"},
	"openai_newer":    {Provider: "openai", Model: "gpt-7"},
	"azure":           {Provider: "azure", Model: "our-deployment", Known: "gpt-5"},
	"mistral":         {Provider: "mistral", Model: "mistral-medium-latest"},
	"vertex_mistral":  {Provider: "vertex_ai", Model: "mistral-large-2411"},
	"vertex_gemini":   {Provider: "vertex_ai", Model: "google/gemini-2.5-pro"},
	"deepseek":        {Provider: "deepseek", Model: "deepseek-chat"},
	"openrouter":      {Provider: "openrouter", Model: "anthropic/claude-sonnet-4.5"},
	"cohere":          {Provider: "cohere", Model: "command-a-03-2025"},
	"groq":            {Provider: "groq", Model: "openai/gpt-oss-120b"},
	"groq_qwen":       {Provider: "groq", Model: "qwen/qwen3-32b"},
	"xai":             {Provider: "xai", Model: "grok-4-0709"},
	"moonshot":        {Provider: "moonshot", Model: "kimi-k2.5"},
	"a_plain_host":    {Provider: "together_ai", Model: "meta-llama/Llama-3.3-70B-Instruct-Turbo", Clamp: 77},
	"one_of_your_own": {Provider: "hosted_vllm", Model: "qwen3"},
	"litellm_proxy":   {Provider: "litellm_proxy", Model: "x"},
}

// What each host gets for the same requests: a body, or a refusal that names the field, and what it gets where fields may be dropped.
func TestEncodeRequest(t *testing.T) {
	t.Parallel()
	requests := dialecttest.Texts(t, "requests/*.json")
	for host, to := range hosts {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			for _, path := range slices.Sorted(maps.Keys(requests)) {
				r := peek(t, gateway.OpChat, requests[path])
				fmt.Fprintf(&b, "== %s\n", path)
				w, err := encode(t, r, to, false)
				if err != nil {
					e := gateway.AsError(err)
					fmt.Fprintf(&b, "refused: %s (%d, %s, %q)\n", e.Message, e.Status(), e.Param, e.Code)
					if w, err = encode(t, r, to, true); err != nil {
						continue
					}
				}
				if len(w.Dropped) > 0 {
					fmt.Fprintf(&b, "dropped: %s\n", strings.Join(w.Dropped, ", "))
				}
				b.WriteString(w.Path + " ")
				if err := json.Compact(&b, w.Body); err != nil {
					t.Fatal(err)
				}
				b.WriteByte('\n')
			}
			dialecttest.Golden(t, "encoded/"+host+".golden", b.Bytes())
		})
	}
}

// encode translates as the gateway does, and the same each time.
func encode(t *testing.T, r *dialect.Request, to dialect.Target, drop bool) (dialect.Wire, error) {
	t.Helper()
	to.Drop = func(string) bool { return drop }
	w, err := dialect.Translate(r, chat.Outbound{}).Outgoing(to)
	again, err2 := dialect.Translate(r, chat.Outbound{}).Outgoing(to)
	if diff := cmp.Diff(w, again); diff != "" || (err == nil) != (err2 == nil) {
		t.Fatalf("it is not always the same:\n%s", diff)
	}
	if err == nil && !json.Valid(w.Body) {
		t.Fatalf("not JSON: %s", w.Body)
	}
	return w, err
}

func message(role llm.Role, parts ...llm.Part) llm.Message {
	return llm.Message{Role: role, Parts: parts}
}

func callPart(id string) llm.Part {
	return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: "f", Arguments: "{}"}}
}

func resultPart(id string, parts ...llm.Part) llm.Part {
	return llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id, Parts: parts}}
}

var question = message(llm.User, llm.TextPart("hi"))

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	media := func(kind llm.Kind, m llm.Media) []llm.Message {
		return []llm.Message{message(llm.User, llm.Part{Kind: kind, Media: &m})}
	}
	for name, c := range map[string]struct {
		r           llm.Request
		host, param string
	}{
		"orphan":              {llm.Request{Messages: []llm.Message{message(llm.User, resultPart("a"))}}, "openai", "messages"},
		"orphan later":        {llm.Request{Messages: []llm.Message{question, message(llm.Assistant, callPart("a")), message(llm.User, resultPart("a")), message(llm.Assistant, llm.TextPart("x")), message(llm.User, resultPart("a"))}}, "openai", "messages"},
		"twice":               {llm.Request{Messages: []llm.Message{question, message(llm.Assistant, callPart("a")), message(llm.User, resultPart("a"), resultPart("a"))}}, "openai", "messages"},
		"no result":           {llm.Request{Messages: []llm.Message{question, message(llm.Assistant, callPart("a"), callPart("b")), message(llm.User, resultPart("a"))}}, "openai", "messages"},
		"no result at all":    {llm.Request{Messages: []llm.Message{question, message(llm.Assistant, callPart("a"))}}, "openai", "messages"},
		"no result before":    {llm.Request{Messages: []llm.Message{question, message(llm.Assistant, callPart("a")), message(llm.Assistant, llm.TextPart("x"))}}, "openai", "messages"},
		"call of a user":      {llm.Request{Messages: []llm.Message{message(llm.User, callPart("a"))}}, "openai", "messages"},
		"sound by URL":        {llm.Request{Messages: media(llm.Audio, llm.Media{URL: "https://x"})}, "openai", "messages"},
		"image of the vendor": {llm.Request{Messages: media(llm.Image, llm.Media{FileID: "f"})}, "openai", "messages"},
		"document by URL":     {llm.Request{Messages: media(llm.Document, llm.Media{URL: "https://x"})}, "openai", "messages"},
		"empty document":      {llm.Request{Messages: media(llm.Document, llm.Media{})}, "mistral", "messages"},
		"film":                {llm.Request{Messages: media(llm.Video, llm.Media{URL: "https://x"})}, "openai", "video input"},
		"other vendor's tool": {llm.Request{Messages: []llm.Message{question}, Tools: []llm.Tool{{Name: "web_search", Vendor: json.RawMessage(`{}`), Dialect: "responses"}}}, "openai", "tools[0].type"},
		"top_k":               {llm.Request{Messages: []llm.Message{question}, TopK: new(int64)}, "openai", "top_k"},
		"temperature":         {llm.Request{Messages: []llm.Message{question}, Temperature: new(0.5)}, "openai_o3", "temperature"},
		"stop":                {llm.Request{Messages: []llm.Message{question}, Stop: []string{"x"}}, "openai_gpt5", "stop"},
		"thinking, top_p":     {llm.Request{Messages: []llm.Message{question}, TopP: new(0.5), Reasoning: llm.Reasoning{Effort: "low"}}, "openai_gpt5_2", "top_p"},
		"streamed sound":      {llm.Request{Messages: []llm.Message{question}, Stream: true, Modalities: []string{"audio"}}, "openai", "audio output"},
		"two answers":         {llm.Request{Messages: []llm.Message{question}, N: 2}, "groq", "n"},
		"extra":               {llm.Request{Messages: []llm.Message{question}, Extra: map[string]json.RawMessage{"min_p": json.RawMessage("1")}}, "openai", "min_p"},
	} {
		to := hosts[c.host]
		_, err := chat.Outbound{}.EncodeRequest(&c.r, to)
		if e := gateway.AsError(err); err == nil || e.Status() != 400 || e.Param != c.param {
			t.Errorf("%s: %v (param %q)", name, err, e.Param)
		}
	}
}

// Results stand right behind their calls, in the order they came, and all else behind them.
func TestResultsFirst(t *testing.T) {
	t.Parallel()
	image := llm.Part{Kind: llm.Image, Media: &llm.Media{URL: "https://x/a.png"}}
	failed := resultPart("c", llm.TextPart("boom"))
	failed.Result.IsError = true
	r := &llm.Request{Messages: []llm.Message{
		question, message(llm.Assistant, llm.TextPart("I look."), callPart("a"), callPart("b"), callPart("c")),
		message(llm.User, llm.TextPart("first"), resultPart("b", image)), message(llm.System, llm.TextPart("rule")),
		message(llm.User, resultPart("a", llm.TextPart("tree"), image), failed, llm.TextPart("second")),
	}}
	w, err := chat.Outbound{}.EncodeRequest(r, hosts["openai"])
	if err != nil {
		t.Fatal(err)
	}
	const picture = `{"type":"image_url","image_url":{"url":"https://x/a.png"}}`
	want := `{"role":"tool","tool_call_id":"b","content":"(see the attachment)"},{"role":"tool","tool_call_id":"a","content":"tree"},{"role":"tool","tool_call_id":"c","content":"Error: boom"},` +
		`{"role":"user","content":[{"type":"text","text":"first"},` + picture + `]},{"role":"system","content":"rule"},{"role":"user","content":[` + picture + `,{"type":"text","text":"second"}]}]`
	if !strings.Contains(string(w.Body), want) {
		t.Errorf("no %s in\n%s", want, w.Body)
	}
}

// Ids are never sent with what was packed into them, fit the host, and are the same for calls and results.
func TestCallIDs(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 60)
	for host, want := range map[string][2]string{"openai": {"call_1", llm.FitID(long, 40)}, "mistral": {"74196fe72", "42f2d9733"}} {
		r := &llm.Request{Messages: []llm.Message{question, message(llm.Assistant, callPart("call_1"), callPart(long)), message(llm.User, resultPart(long), resultPart("call_1"))}}
		w, err := chat.Outbound{}.EncodeRequest(r, hosts[host])
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range want {
			if n := strings.Count(string(w.Body), `id":"`+id+`"`); n != 2 {
				t.Errorf("%s: %s is there %d times in %s", host, id, n, w.Body)
			}
		}
	}
}

// EncodeRequest leaves the request as it was: it is encoded for one target after another.
func TestRequestIsKept(t *testing.T) {
	t.Parallel()
	for path, text := range dialecttest.Texts(t, "requests/*.json") {
		r, err := peek(t, gateway.OpChat, text).In.DecodeRequest()
		if err != nil {
			t.Fatal(err)
		}
		before := dialecttest.Indented(r)
		for _, to := range hosts {
			to.Drop = func(string) bool { return true }
			_, _ = chat.Outbound{}.EncodeRequest(r, to)
		}
		if diff := cmp.Diff(string(before), string(dialecttest.Indented(r))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}
