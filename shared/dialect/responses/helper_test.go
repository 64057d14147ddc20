package responses_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/responses"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func peek(t *testing.T, body string) *dialect.Request {
	t.Helper()
	r, err := responses.Peek(gateway.OpResponses, []byte(body), dialect.Hint{})
	if err != nil {
		t.Fatalf("Peek: %v", err)
	}
	return r
}

func fromCodex() http.Header { return http.Header{"Originator": {"codex_cli_rs"}} }

func recording(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// target is an upstream that keeps nothing back.
func target() dialect.Target {
	return dialect.Target{Provider: "openai", Model: "vendor-model", Drop: func(string) bool { return false }}
}

// eventsOf reads a stream. It has no error for one that is cut.
func eventsOf(stream string) ([]llm.Event, dialect.Progress, error) {
	events, progress, err := dialecttest.Read(responses.Outbound{}, strings.NewReader(stream))
	if e := (*gateway.Error)(nil); !errors.As(err, &e) {
		err = nil
	}
	return events, progress, err
}

// passed is what a caller gets through a tap: what comes before its end, and what ends it.
func passed(t testing.TB, tap dialect.Tap, stream string, split bool) (before, after string, err error) {
	t.Helper()
	var source io.Reader = strings.NewReader(stream)
	if split {
		source = iotest.OneByteReader(source)
	}
	frames := dialect.SSE.Open(source)
	defer frames.Close()
	var out []byte
	for {
		f, end := frames.Next()
		if end != nil {
			break
		}
		if out, err = tap.Frame(out, f); err != nil {
			return string(out), string(tap.Fail(nil, gateway.AsError(err))), err
		}
	}
	if tap.Progress() != dialect.Done {
		err = io.ErrUnexpectedEOF
		return string(out), string(tap.Fail(nil, gateway.Errorf(gateway.KindUpstream, "cut"))), err
	}
	return string(out), string(tap.End(nil)), nil
}

// told are the events of a caller's stream.
func told(t testing.TB, stream string) (list []map[string]any) {
	t.Helper()
	for block := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		name, data, found := strings.Cut(block, "\ndata: ")
		if !found {
			t.Fatalf("not an event: %q", block)
		}
		var e map[string]any
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%v in %q", err, data)
		}
		if name != "event: "+e["type"].(string) {
			t.Errorf("the event %v is named %q", e["type"], name)
		}
		list = append(list, e)
	}
	return list
}

// required are the fields that the API document requires of events, Responses, items and parts.
var required = map[string]string{
	"response.created":                       "response",
	"response.in_progress":                   "response",
	"response.completed":                     "response",
	"response.incomplete":                    "response",
	"response.failed":                        "response",
	"error":                                  "code message param",
	"response.output_item.added":             "output_index item",
	"response.output_item.done":              "output_index item",
	"response.content_part.added":            "item_id output_index content_index part",
	"response.content_part.done":             "item_id output_index content_index part",
	"response.output_text.delta":             "item_id output_index content_index delta logprobs",
	"response.output_text.done":              "item_id output_index content_index text logprobs",
	"response.output_text.annotation.added":  "item_id output_index content_index annotation_index annotation",
	"response.refusal.delta":                 "item_id output_index content_index delta",
	"response.refusal.done":                  "item_id output_index content_index refusal",
	"response.reasoning_summary_part.added":  "item_id output_index summary_index part",
	"response.reasoning_summary_part.done":   "item_id output_index summary_index part",
	"response.reasoning_summary_text.delta":  "item_id output_index summary_index delta",
	"response.reasoning_summary_text.done":   "item_id output_index summary_index text",
	"response.function_call_arguments.delta": "item_id output_index delta",
	"response.function_call_arguments.done":  "item_id output_index name arguments",
	"response.custom_tool_call_input.delta":  "item_id output_index delta",
	"response.custom_tool_call_input.done":   "item_id output_index input",
	"item message":                           "id role content status",
	"item reasoning":                         "id summary",
	"item function_call":                     "id call_id name arguments status",
	"item custom_tool_call":                  "id call_id name input",
	"item local_shell_call":                  "id call_id action status",
	"item shell_call":                        "id call_id action status environment",
	"item apply_patch_call":                  "id call_id status operation",
	"item tool_search_call":                  "id call_id execution arguments status",
	"item image_generation_call":             "id status result",
	"part output_text":                       "text annotations logprobs",
	"part refusal":                           "refusal",
	"part summary_text":                      "text",
	"annotation url_citation":                "url start_index end_index title",
	"annotation file_citation":               "file_id index filename",
	"Response": "id object created_at status completed_at error incomplete_details instructions max_output_tokens model output " +
		"parallel_tool_calls previous_response_id reasoning service_tier store temperature text tool_choice tools top_p truncation usage " +
		"user metadata",
	"usage": "input_tokens input_tokens_details output_tokens output_tokens_details total_tokens",
}

func demand(t testing.TB, what string, got map[string]any) {
	t.Helper()
	fields, known := required[what]
	if !known {
		t.Errorf("%s is unknown to the API document", what)
	}
	for name := range strings.FieldsSeq(fields) {
		if _, there := got[name]; !there {
			t.Errorf("%s lacks %s: %v", what, name, got)
		}
	}
}

// checkEvents checks each event of a stream, and that they come in order.
func checkEvents(t testing.TB, events []map[string]any) {
	t.Helper()
	open := map[string]int{}
	for i, e := range events {
		kind := e["type"].(string)
		demand(t, kind, e)
		if n, _ := e["sequence_number"].(float64); int(n) != i {
			t.Errorf("event %d has the number %v", i, e["sequence_number"])
		}
		if r, ok := e["response"].(map[string]any); ok {
			checkResponse(t, r)
		}
		if it, ok := e["item"].(map[string]any); ok {
			checkItem(t, it)
			id := it["id"].(string)
			if kind == "response.output_item.added" {
				open[id]++
			} else if open[id]--; open[id] != 0 {
				t.Errorf("the item %s ends but did not begin", id)
			}
		}
		if id, ok := e["item_id"].(string); ok && open[id] != 1 {
			t.Errorf("%s is about the item %s, which is not under way", kind, id)
		}
		if p, ok := e["part"].(map[string]any); ok {
			demand(t, "part "+p["type"].(string), p)
		}
		if a, ok := e["annotation"].(map[string]any); ok {
			demand(t, "annotation "+a["type"].(string), a)
		}
	}
}

func checkResponse(t testing.TB, r map[string]any) {
	t.Helper()
	demand(t, "Response", r)
	for _, it := range r["output"].([]any) {
		checkItem(t, it.(map[string]any))
	}
	if u, ok := r["usage"].(map[string]any); ok {
		demand(t, "usage", u)
	}
}

func checkItem(t testing.TB, it map[string]any) {
	t.Helper()
	kind := it["type"].(string)
	demand(t, "item "+kind, it)
	if content, ok := it["content"].([]any); ok && kind == "message" {
		for _, p := range content {
			demand(t, "part "+p.(map[string]any)["type"].(string), p.(map[string]any))
		}
	}
}

func object(t testing.TB, text []byte) (o map[string]any) {
	t.Helper()
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return o
}

// errorOf checks that err is what a caller is to see.
func errorOf(t testing.TB, err error) *gateway.Error {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	e := gateway.AsError(err)
	if e.Kind == gateway.KindInternal {
		t.Fatalf("an internal error: %v", err)
	}
	return e
}
