package responses_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/responses"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// streamed is an answer as a caller's stream, in events.
func streamed(t *testing.T, r *dialect.Request, events []llm.Event) []map[string]any {
	t.Helper()
	s := r.In.EncodeStream()
	var out []byte
	for i := range events {
		out = s.Encode(out, &events[i])
	}
	if strings.Contains(string(out), "response.completed") || strings.Contains(string(out), "response.incomplete") {
		t.Error("the end is told before End")
	}
	list := told(t, string(s.End(out)))
	checkEvents(t, list)
	return list
}

// What a recording says must be in the caller's answer, whole and streamed.
func TestTranslationThereAndBack(t *testing.T) {
	t.Parallel()
	for name := range answers {
		r := peek(t, `{"model":"public","input":"x","instructions":"i"}`)
		passage := dialect.Translate(r, responses.Outbound{})
		if _, err := passage.Outgoing(target()); err != nil {
			t.Fatal(err)
		}
		recorded := recording(t, "answers/"+name+".json")
		a, err := passage.Answer([]byte(recorded))
		if err != nil {
			t.Fatal(name, err)
		}
		got, want := object(t, a.Body), object(t, []byte(recorded))
		checkResponse(t, got)
		compare(t, name, got, want)
		s, _ := responses.Of(r)
		if string(s.Body()) != string(a.Body) || s.ID() != got["id"] {
			t.Errorf("%s: stored %s", name, s.Body())
		}
		before, after, err := passed(t, passage.Tap(), recording(t, "streams/"+name+".txt"), true)
		if err != nil {
			t.Fatal(name, err)
		}
		events := told(t, before+after)
		checkEvents(t, events)
		last := events[len(events)-1]["response"].(map[string]any)
		if diff := cmp.Diff(object(t, s.Body()), last); diff != "" {
			t.Error(name, diff)
		}
		compare(t, name+" streamed", last, want)
	}
}

// compare checks an answer against the vendor's: besides its ids and times, and what a translation says otherwise.
func compare(t *testing.T, name string, got, want map[string]any) {
	t.Helper()
	if got["model"] != "public" || got["instructions"] != "i" || got["store"] != true {
		t.Errorf("%s: %v", name, got)
	}
	for _, field := range [...]string{"status", "incomplete_details", "usage", "service_tier"} {
		if diff := cmp.Diff(got[field], want[field]); diff != "" {
			t.Error(name, field, diff)
		}
	}
	if diff := cmp.Diff(essence(got), essence(want)); diff != "" {
		t.Error(name, diff)
	}
}

func essence(r map[string]any) (items []string) {
	for _, it := range r["output"].([]any) {
		it := it.(map[string]any)
		delete(it, "id")
		if summary, ok := it["summary"].([]any); ok { // paragraphs become one text
			var texts []string
			for _, s := range summary {
				texts = append(texts, s.(map[string]any)["text"].(string))
			}
			it["summary"] = strings.Join(texts, "\n\n")
		}
		text, _ := json.Marshal(it)
		items = append(items, strings.ReplaceAll(string(text), `"file_id":"file-abc","filename":"go.txt","index":3`, `"file_id":"","filename":"go.txt","index":0`))
	}
	return items
}

func TestStreamOfEverything(t *testing.T) {
	t.Parallel()
	r := peek(t, `{"model":"public","input":"x","tools":[{"type":"custom","name":"patch"},{"type":"local_shell"},{"type":"shell"},{"type":"apply_patch"}]}`)
	if _, err := r.In.DecodeRequest(); err != nil {
		t.Fatal(err)
	}
	sealed := llm.Signature{Maker: llm.MakerAnthropic, Value: "red"}
	answer := &llm.Response{ID: "x", Usage: recordedUsage, Choices: []llm.Choice{{Finish: llm.FinishTools, Parts: []llm.Part{
		{Kind: llm.Sealed, Signature: sealed},
		{Kind: llm.Text, Text: "a", Citations: []llm.Citation{{URL: "https://go.dev", Title: "Go"}, {Title: "doc", Document: 2, Quote: "q"}}}, llm.TextPart("b"),
		{Kind: llm.Refusal, Text: "c"},
		{Kind: llm.Image, Media: &llm.Media{Type: "image/png", Data: "iVBO"}},
		call("1", "patch", `{"input":"x"}`), call("2", "patch", `not json`), call("3", "local_shell", `{"command":"ls -l","timeout_ms":5}`), call("4", "local_shell", `[`),
		call("5", "shell", `{"commands":["a","b"]}`), call("6", "apply_patch", `{"type":"create_file","path":"p","diff":"+x"}`), call("7", "apply_patch", `{"type":"delete_file","path":"p"}`),
		{Kind: llm.ToolCall, Signature: llm.Signature{Maker: llm.MakerGemini, Value: "g"}, Call: &llm.Call{ID: "8", Name: "f", Arguments: "{}"}},
	}}}}
	events := streamed(t, r, answer.Events())
	output := events[len(events)-1]["response"].(map[string]any)["output"].([]any)
	for i, want := range [...]string{
		`{"encrypted_content":"sealed:anthropic:red","summary":[],"type":"reasoning"}`,
		`{"content":[{"annotations":[{"end_index":0,"start_index":0,"title":"Go","type":"url_citation","url":"https://go.dev"},{"file_id":"","filename":"doc","index":2,"type":"file_citation"}],"logprobs":[],"text":"a","type":"output_text"},{"annotations":[],"logprobs":[],"text":"b","type":"output_text"},{"refusal":"c","type":"refusal"}],"role":"assistant","status":"completed","type":"message"}`,
		`{"result":"iVBO","status":"completed","type":"image_generation_call"}`,
		`{"call_id":"1","input":"x","name":"patch","status":"completed","type":"custom_tool_call"}`,
		`{"call_id":"2","input":"not json","name":"patch","status":"completed","type":"custom_tool_call"}`,
		`{"action":{"command":["bash","-lc","ls -l"],"env":{},"timeout_ms":5,"type":"exec","user":null,"working_directory":null},"call_id":"3","status":"completed","type":"local_shell_call"}`,
		`{"action":{"command":[],"env":{},"timeout_ms":null,"type":"exec","user":null,"working_directory":null},"call_id":"4","status":"completed","type":"local_shell_call"}`,
		`{"action":{"commands":["a","b"],"max_output_length":null,"timeout_ms":null},"call_id":"5","environment":{"type":"local"},"status":"completed","type":"shell_call"}`,
		`{"call_id":"6","operation":{"diff":"+x","path":"p","type":"create_file"},"status":"completed","type":"apply_patch_call"}`,
		`{"call_id":"7","operation":{"path":"p","type":"delete_file"},"status":"completed","type":"apply_patch_call"}`,
		`{"arguments":"{}","call_id":"` + llm.Pack("8", llm.Signature{Maker: llm.MakerGemini, Value: "g"}) + `","name":"f","status":"completed","type":"function_call"}`,
	} {
		it := output[i].(map[string]any)
		delete(it, "id")
		if got, _ := json.Marshal(it); string(got) != want {
			t.Error(cmp.Diff(string(got), want))
		}
	}
	whole, err := r.In.EncodeResponse(answer)
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range object(t, whole)["output"].([]any) {
		delete(it.(map[string]any), "id")
		if diff := cmp.Diff(it, output[i]); diff != "" {
			t.Error("whole and streamed differ", diff)
		}
	}
}

func TestStreamOrder(t *testing.T) {
	t.Parallel()
	r := peek(t, `{"model":"public","input":"x","stream":true}`)
	answer := &llm.Response{Choices: []llm.Choice{{Finish: llm.FinishLength, Parts: []llm.Part{{Kind: llm.Thinking, Text: "t"}, llm.TextPart("a"), call("c", "f", `{"a`)}}}}
	var order []string
	for _, e := range streamed(t, r, answer.Events()) {
		order = append(order, strings.TrimPrefix(e["type"].(string), "response."))
	}
	want := strings.Fields(`created in_progress output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done
		reasoning_summary_part.done output_item.done output_item.added content_part.added output_text.delta output_text.done content_part.done output_item.done
		output_item.added function_call_arguments.delta function_call_arguments.done output_item.done incomplete`)
	if diff := cmp.Diff(order, want); diff != "" {
		t.Error(diff)
	}
	s, _ := responses.Of(r)
	got := object(t, s.Body())
	output := got["output"].([]any)
	if last := output[2].(map[string]any); last["status"] != "incomplete" || output[1].(map[string]any)["status"] != "completed" ||
		got["incomplete_details"].(map[string]any)["reason"] != "max_output_tokens" || got["completed_at"] != nil {
		t.Errorf("Body = %s", s.Body())
	}
}

func TestStreamFails(t *testing.T) {
	t.Parallel()
	r := peek(t, `{"model":"public","input":"x","stream":true}`)
	responses.SetID(r, "resp_mine")
	s := r.In.EncodeStream()
	var out []byte
	for _, e := range []llm.Event{{Type: llm.Begin}, {Type: llm.PartBegin, Part: llm.TextPart("")}, {Type: llm.Delta, Text: "half"}} {
		out = s.Encode(out, &e)
	}
	e := gateway.Errorf(gateway.KindBudget, "No money.")
	events := told(t, string(s.Fail(out, e)))
	checkEvents(t, events)
	n := len(events)
	failed, _ := events[n-1]["response"].(map[string]any)
	if events[n-2]["type"] != "error" || events[n-1]["type"] != "response.failed" || failed["id"] != "resp_mine" || failed["status"] != "failed" ||
		failed["error"].(map[string]any)["code"] != "insufficient_quota" {
		t.Errorf("events: %v", events[n-2:])
	}
	stored, _ := responses.Of(r)
	if diff := cmp.Diff(object(t, stored.Body()), failed); diff != "" {
		t.Error(diff)
	}
}

// Parts may overlap where a vendor's do.
func TestStreamOfOverlappingParts(t *testing.T) {
	t.Parallel()
	r := peek(t, `{"model":"public","input":"x","stream":true}`)
	events := streamed(t, r, []llm.Event{
		{Type: llm.Begin},
		{Type: llm.PartBegin, Index: 0, Part: llm.TextPart("")}, {Type: llm.Delta, Index: 0, Text: "a"},
		{Type: llm.PartBegin, Index: 1, Part: call("1", "f", "")}, {Type: llm.Delta, Index: 0, Text: "b"},
		{Type: llm.PartBegin, Index: 2, Part: call("2", "g", "")}, {Type: llm.Delta, Index: 1, Text: "{}"}, {Type: llm.Delta, Index: 2, Text: "[]"},
		{Type: llm.PartEnd, Index: 2}, {Type: llm.PartEnd, Index: 0},
		{Type: llm.Delta, Index: 9, Text: "nowhere"}, {Type: llm.PartBegin, Choice: 1, Part: llm.TextPart("other choice")},
		{Type: llm.End, Finish: llm.FinishTools},
	})
	var got []string
	for _, it := range events[len(events)-1]["response"].(map[string]any)["output"].([]any) {
		it := it.(map[string]any)
		if it["type"] == "message" {
			got = append(got, it["content"].([]any)[0].(map[string]any)["text"].(string))
		} else {
			got = append(got, it["arguments"].(string))
		}
	}
	if diff := cmp.Diff(got, []string{"ab", "{}", "[]"}); diff != "" {
		t.Error(diff)
	}
}

func TestResponseTellsItsRequest(t *testing.T) {
	t.Parallel()
	r := peek(t, "{\"model\":\"m\",\"input\":\"x\",\"instructions\":\"i\",\n\"metadata\":{\"k\":\"v\"},\"temperature\":0.2,\"store\":false,\"text\":{\"verbosity\":\"low\"},\"reasoning\":{\"effort\":\"low\"},"+
		"\"tools\":[ {\"type\":\"function\",\n\"name\":\"f\"}, {\"type\":\"web_search\"} ],\"tool_choice\":\"required\",\"service_tier\":\"flex\",\"user\":\"u\"}")
	responses.SetID(r, "resp_mine")
	responses.SetPrevious(r, "resp_before")
	body, err := r.In.EncodeResponse(&llm.Response{Created: 5, Choices: []llm.Choice{{Parts: []llm.Part{llm.TextPart("x")}}}})
	if err != nil {
		t.Fatal(err)
	}
	got := object(t, body)
	checkResponse(t, got)
	delete(got, "output")
	delete(got, "completed_at")
	want := object(t, []byte(`{"id":"resp_mine","object":"response","created_at":5,"status":"completed","background":false,"error":null,"incomplete_details":null,
		"instructions":"i","max_output_tokens":null,"max_tool_calls":null,"model":"m","parallel_tool_calls":true,"previous_response_id":"resp_before","prompt_cache_key":null,
		"prompt_cache_retention":null,"reasoning":{"effort":"low","summary":null},"safety_identifier":null,"service_tier":"flex","store":false,"temperature":0.2,
		"text":{"verbosity":"low","format":{"type":"text"}},"tool_choice":"required","tools":[{"type":"function","name":"f","parameters":null,"strict":null},{"type":"web_search"}],
		"top_logprobs":0,"top_p":1,"truncation":"disabled","usage":null,"user":"u","metadata":{"k":"v"}}`))
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

// An item begins in progress, ends before the next one begins, and is as incomplete at its end as the answer.
func TestItemsOfAStream(t *testing.T) {
	t.Parallel()
	r := peek(t, `{"model":"public","input":"x","stream":true}`)
	answer := &llm.Response{Choices: []llm.Choice{{Finish: llm.FinishFilter, Parts: []llm.Part{llm.TextPart("a"), llm.TextPart("b"), call("c", "f", "{}"), llm.TextPart("d")}}}}
	var got []string
	for _, e := range streamed(t, r, answer.Events()) {
		if it, ok := e["item"].(map[string]any); ok {
			got = append(got, strings.TrimPrefix(e["type"].(string), "response.output_item.")+" "+it["type"].(string)+" "+it["status"].(string))
		}
	}
	want := []string{
		"added message in_progress", "done message completed", "added function_call in_progress", "done function_call completed",
		"added message in_progress", "done message incomplete",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

// A message that has two parts under way is not over when one of them ends.
func TestMessageWithTwoOpenParts(t *testing.T) {
	t.Parallel()
	r := peek(t, `{"model":"public","input":"x","stream":true}`)
	events := streamed(t, r, []llm.Event{
		{Type: llm.Begin},
		{Type: llm.PartBegin, Index: 0, Part: llm.TextPart("")}, {Type: llm.PartBegin, Index: 1, Part: llm.TextPart("")}, {Type: llm.PartEnd, Index: 0},
		{Type: llm.PartBegin, Index: 2, Part: call("1", "f", "")}, {Type: llm.Delta, Index: 1, Text: "late"}, {Type: llm.PartEnd, Index: 1},
		{Type: llm.PartEnd, Index: 2}, {Type: llm.End, Finish: llm.FinishTools},
	})
	for _, e := range events {
		if it, ok := e["item"].(map[string]any); ok && e["type"] == "response.output_item.done" && it["type"] == "message" {
			if text := it["content"].([]any)[1].(map[string]any)["text"]; text != "late" {
				t.Errorf("the message ended with %q", text)
			}
		}
	}
}

func TestField(t *testing.T) {
	t.Parallel()
	in := peek(t, `{"model":"m","input":"x"}`).In
	for p, want := range map[llm.Param]string{
		llm.JSONSchemas: "text.format", llm.ImageURLs: "input", llm.MaxOutput: "max_output_tokens", llm.ReasoningParam: "reasoning", llm.Tools: "tools",
	} {
		if got := in.Field(p); got != want {
			t.Errorf("Field(%s) = %s, want %s", p, got, want)
		}
	}
}
