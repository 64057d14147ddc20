package messages_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/messages"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// A conversation that began at another vendor's goes on at Anthropic without what Anthropic would refuse.
func TestForeignThoughtsAreLeftOut(t *testing.T) {
	t.Parallel()
	const (
		head  = `{"model":"m","max_tokens":9,"x":1,`
		ask   = `{"role":"user","content":"hi"}`
		own   = `{"type":"thinking","thinking":"a","signature":"c2ln"}`
		other = `{"type":"thinking","thinking":"a","signature":"gemini:c2ln"}`
		bare  = `{"type":"thinking","thinking":"a","signature":""}`
		seal  = `{"type":"redacted_thinking","data":"openai:x"}`
		call  = `{"type":"tool_use","id":"t","name":"f","input":{}}`
		done  = `{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"1"}]}`
	)
	said := func(blocks string) string { return `{"role":"assistant","content":[` + blocks + `]}` }
	for name, c := range map[string]struct{ body, want string }{
		"its own stay": {`"messages":[` + ask + `, ` + said(own+`,`+call) + `,` + done + `]}`, `"messages":[` + ask + `, ` + said(own+`,`+call) + `,` + done + `]}`},
		"others go":    {`"messages":[` + ask + `, ` + said(other+`,`+bare+`,`+seal+`,`+own+`,{"type":"text","text":"t"}`) + `,` + ask + `]}`, `"messages":[` + ask + `,` + said(own+`,{"type":"text","text":"t"}`) + `,` + ask + `]}`},
		"none is left": {`"messages":[` + ask + `,` + said(other) + `,` + ask + `]}`, `"messages":[` + ask + `,` + ask + `]}`},
		"thinking off": {
			`"thinking":{"type":"enabled","budget_tokens":2000},"messages":[` + ask + `,` + said(other+`,`+call) + `,` + done + `]}`,
			`"thinking":{"type":"disabled"},"messages":[` + ask + `,` + said(call) + `,` + done + `]}`,
		},
	} {
		r, err := messages.Peek(gateway.OpMessages, []byte(head+c.body), dialect.Hint{})
		if err != nil {
			t.Fatal(err)
		}
		w, err := r.Native.Outgoing(dialect.Target{Provider: "anthropic", Model: "m"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(head+c.want, string(w.Body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A thread lives in the provider's account, which all callers share: the refusal is the one that Anthropic's own clients know, and after
// which they send the whole conversation.
func TestThreadsAreRefused(t *testing.T) {
	t.Parallel()
	body := `{"model":"m","max_tokens":9,"thread":{"type":"create"},"drop_params":true,"messages":[{"role":"user","content":"hi"}]}`
	_, err := messages.Peek(gateway.OpMessages, []byte(body), dialect.Hint{})
	e := gateway.AsError(err)
	want := `{"type":"error","error":{"type":"invalid_request_error","message":"thread is not supported: send the whole conversation.","details":{"error_code":"thread_unsupported_request"}}}`
	if got := string(messages.EncodeError(e)); e.Status() != 400 || got != want {
		t.Errorf("%d %s, want %s", e.Status(), got, want)
	}
}
