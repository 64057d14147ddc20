package responses_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect/responses"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func TestInput(t *testing.T) {
	t.Parallel()
	r := peek(t, `{"model":"m","input":[{"role":"user","content":"hi \"you\""},{"role":"assistant","content":"ho"},{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"[1,2]"},
		{"type":"function_call_output","call_id":"c","output":"x, y"}]}`)
	s, _ := responses.Of(r)
	var items []map[string]any
	if err := json.Unmarshal(s.Input(), &items); err != nil {
		t.Fatal(err)
	}
	for i, prefix := range [...]string{"msg_", "msg_", "fc_1", "fco_"} {
		if id := items[i]["id"].(string); !strings.HasPrefix(id, prefix) {
			t.Errorf("item %d has the id %s", i, id)
		}
		delete(items[i], "id")
	}
	want := []map[string]any{
		{"type": "message", "role": "user", "content": []any{map[string]any{"type": "input_text", "text": `hi "you"`}}},
		{"type": "message", "role": "assistant", "content": []any{map[string]any{"type": "output_text", "text": "ho"}}},
		{"type": "function_call", "call_id": "c", "name": "f", "arguments": "[1,2]"}, {"type": "function_call_output", "call_id": "c", "output": "x, y"},
	}
	if diff := cmp.Diff(items, want); diff != "" {
		t.Error(diff)
	}
	again, _ := responses.Of(r)
	if string(again.Input()) != string(s.Input()) {
		t.Error("ids change from one time to the next")
	}
	text, _ := responses.Of(peek(t, `{"model":"m","input":"hi"}`))
	if err := json.Unmarshal(text.Input(), &items); err != nil || len(items) != 1 || items[0]["role"] != "user" {
		t.Errorf("Input = %s, %v", text.Input(), err)
	}
	if none, _ := responses.Of(peek(t, `{"model":"m","previous_response_id":"r"}`)); string(none.Input()) != "[]" {
		t.Errorf("Input = %s", none.Input())
	}
}

// A conversation goes on from a stored response, with whatever model.
func TestExpand(t *testing.T) {
	t.Parallel()
	first := peek(t, `{"model":"m","input":"What is the weather?"}`)
	anthropic := llm.Signature{Maker: llm.MakerAnthropic, Value: "EqQB"}
	gemini := llm.Signature{Maker: llm.MakerGemini, Value: "AsQ"}
	_, err := first.In.EncodeResponse(&llm.Response{Choices: []llm.Choice{{Finish: llm.FinishTools, Parts: []llm.Part{
		{Kind: llm.Thinking, Text: "Hm.", Signature: anthropic}, {Kind: llm.Sealed, Signature: anthropic}, {Kind: llm.Thinking, Text: "unsigned"}, llm.TextPart("Let me see."),
		{Kind: llm.ToolCall, Signature: gemini, Call: &llm.Call{ID: "c1", Name: "get_weather", Arguments: "{}"}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	stored, _ := responses.Of(first)
	body, err := responses.Expand([]byte(`{"model":"m","previous_response_id":"`+stored.ID()+`","input":[{"type":"function_call_output","call_id":"c1","output":"sunny"}]}`),
		responses.Items(stored.Body(), stored.Input()))
	if err != nil {
		t.Fatal(err)
	}
	got := decode(t, string(body))
	signed := call("c1", "get_weather", "{}")
	signed.Signature = gemini
	want := []llm.Message{
		user(llm.TextPart("What is the weather?")),
		model(llm.Part{Kind: llm.Thinking, Text: "Hm.", Signature: anthropic}, llm.Part{Kind: llm.Sealed, Signature: anthropic},
			llm.Part{Kind: llm.Thinking, Text: "unsigned"}, llm.TextPart("Let me see."), signed),
		user(result("c1", "get_weather", llm.TextPart("sunny"))),
	}
	if diff := cmp.Diff(got.Messages, want, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ID" && p.Index(-2).Type().String() == "llm.Part" }, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
	w, err := peek(t, string(body)).Native.Outgoing(target())
	if err != nil {
		t.Fatal(err)
	}
	wantBody := `{"model":"vendor-model","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"What is the weather?"}]},` +
		`{"type":"message","role":"assistant","content":[{"type":"output_text","annotations":[],"text":"Let me see."}]},` +
		`{"type":"function_call","call_id":"c1","name":"get_weather","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"sunny"}]}`
	if diff := cmp.Diff(string(w.Body), wantBody); diff != "" {
		t.Error("OpenAI gets what it does not take", diff)
	}
}

// What OpenAI's model thought goes back to it as it was sealed.
func TestExpandKeepsSealedThoughts(t *testing.T) {
	t.Parallel()
	first := peek(t, `{"model":"m","input":"x"}`)
	a, err := first.Native.Answer([]byte(recording(t, "answers/tools.json")))
	if err != nil {
		t.Fatal(err)
	}
	stored, _ := responses.Of(first)
	body, err := responses.Expand([]byte(`{"model":"m","previous_response_id":"r","input":"more"}`), responses.Items(a.Body, stored.Input()))
	if err != nil {
		t.Fatal(err)
	}
	w, err := peek(t, string(body)).Native.Outgoing(target())
	if err != nil {
		t.Fatal(err)
	}
	var sent struct{ Input []map[string]any }
	if err := json.Unmarshal(w.Body, &sent); err != nil || len(sent.Input) != 5 {
		t.Fatal(string(w.Body), err)
	}
	if thought := sent.Input[1]; thought["id"] != thoughtID || thought["encrypted_content"] != seal.Value {
		t.Errorf("the thought is %v", thought)
	}
	if _, named := sent.Input[2]["id"]; named || sent.Input[2]["call_id"] == nil {
		t.Errorf("the call is %v", sent.Input[2])
	}
}

func TestExpandReferences(t *testing.T) {
	t.Parallel()
	history := []json.RawMessage{
		json.RawMessage(`{"type":"message","id":"msg_1","role":"user","content":"a"}`), json.RawMessage(`{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}","status":"completed"}`),
		json.RawMessage(`{"type":"reasoning","id":"rs_1","summary":[]}`), json.RawMessage(`{"type":"web_search_call","id":"ws_1","status":"completed"}`), json.RawMessage(`broken`),
	}
	body := []byte(`{"model":"m","input":[{"type":"item_reference","id":"fc_1"},{"id":"msg_unknown"},{"type":"function_call_output","call_id":"c","output":"x"}],"x":1}`)
	if diff := cmp.Diff(responses.References(body), []string{"fc_1", "msg_unknown"}); diff != "" {
		t.Error(diff)
	}
	got, err := responses.Expand(body, history)
	want := `{"model":"m","input":[{"type":"message","role":"user","content":"a"},{"type":"web_search_call","id":"ws_1","status":"completed"},` +
		`{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"id":"msg_unknown"},{"type":"function_call_output","call_id":"c","output":"x"}],"x":1}`
	if diff := cmp.Diff(string(got), want); err != nil || diff != "" {
		t.Error(err, diff)
	}
	got, err = responses.Expand([]byte(`{"model":"m","previous_response_id":"r"}`), nil)
	if err != nil || string(got) != `{"model":"m","input":[]}` {
		t.Errorf("Expand = %s, %v", got, err)
	}
	for _, bad := range []string{``, `[]`, `{"input":3}`} {
		if _, err := responses.Expand([]byte(bad), history); err == nil {
			t.Errorf("Expand takes %q", bad)
		}
	}
}
