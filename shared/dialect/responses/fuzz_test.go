package responses_test

import (
	"encoding/json"
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/responses"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func seeds(f *testing.F, pattern string) {
	for _, text := range dialecttest.Texts(f, pattern) {
		f.Add([]byte(text))
	}
}

// Whatever a caller sends, it is refused with a word or becomes a request; and what is made of it is JSON.
func FuzzRequest(f *testing.F) {
	seeds(f, "requests/*.json")
	f.Add([]byte(`{"model":"m","input":[{"type":"reasoning","encrypted_content":"anthropic:x"},{"type":"shell_call","call_id":"a__thought__b","action":{}}],"tools":[{"type":"shell"}]}`))
	f.Add([]byte(`{"model":"m","input":"x","text":{},"tools":[3,{"type":"custom","name":"x"}],"previous_response_id":"r"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := responses.Peek(gateway.OpResponses, body, dialect.Hint{Header: fromCodex()})
		if err != nil {
			errorOf(t, err)
			return
		}
		w, err := r.Native.Outgoing(target())
		if err != nil || !json.Valid(w.Body) {
			t.Fatalf("Outgoing = %s, %v", w.Body, err)
		}
		s, _ := responses.Of(r)
		if !json.Valid(s.Input()) {
			t.Fatalf("Input = %s", s.Input())
		}
		longer, err := responses.Expand(body, responses.Items(nil, s.Input()))
		if err != nil || !json.Valid(longer) {
			t.Fatalf("Expand = %s, %v", longer, err)
		}
		neutral, err := r.In.DecodeRequest()
		if err != nil {
			errorOf(t, err)
		} else if w, err := (responses.Outbound{}).EncodeRequest(neutral, target()); err == nil && !json.Valid(w.Body) {
			t.Fatalf("EncodeRequest = %s", w.Body)
		}
		answer, err := r.In.EncodeResponse(&llm.Response{Choices: []llm.Choice{{Parts: []llm.Part{call("c", "shell", string(body))}}}})
		if err != nil || !json.Valid(answer) {
			t.Fatalf("EncodeResponse = %s, %v", answer, err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	seeds(f, "answers/*.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		r := caller(t)
		if a, err := r.Native.Answer(body); err != nil {
			errorOf(t, err)
		} else if !json.Valid(a.Body) {
			t.Fatalf("Answer = %s", a.Body)
		}
		if a, err := dialect.Translate(r, responses.Outbound{}).Answer(body); err != nil {
			errorOf(t, err)
		} else if checkResponse(t, object(t, a.Body)); a.Usage.Source == "" {
			t.Fatal("no usage")
		}
		responses.DecodeError(0, nil, body)
	})
}

func FuzzStream(f *testing.F) {
	seeds(f, "streams/*.txt")
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := caller(t)
		_, _, _ = passed(t, r.Native.Tap(), string(stream), false)
		before, after, _ := passed(t, dialect.Translate(r, responses.Outbound{}).Tap(), string(stream), false)
		checkEvents(t, told(t, before+after))
	})
}

func caller(t *testing.T) *dialect.Request {
	t.Helper()
	return peek(t, `{"model":"public","input":"x","tools":[{"type":"custom","name":"patch"},{"type":"shell"}]}`)
}
