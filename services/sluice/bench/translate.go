package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What translation costs is the difference between two models that get the same chats: one whose upstream speaks as the caller does, and
// this one, whose upstream speaks Anthropic's messages.
const (
	translatedModel = "claude-bench"
	configName      = "config.yaml"
)

// writeConfig writes the config that has the translated model; the other one is named by flags.
func writeConfig(dir, mockAddr string) (path string, err error) {
	path = filepath.Join(dir, configName)
	return path, os.WriteFile(path, fmt.Appendf(nil, `model_list:
  - model_name: %s
    litellm_params:
      model: anthropic/claude-3-5-haiku-20241022
      api_base: http://%s/v1
      api_key: sk-bench-upstream
`, translatedModel, mockAddr), 0o600)
}

// translate compares long chats that are translated with such that are not.
func (s *side) translate(ctx context.Context, n int) error {
	if !s.target.translates {
		return nil
	}
	return s.compare(ctx, n, []job{
		{&s.long, chatRoute, chatRequest(s.p.addr, s.key(), longChat(model))},
		{&s.translated, messagesRoute, chatRequest(s.p.addr, s.key(), longChat(translatedModel))},
	})
}

// openTranslated measures what an open stream costs in memory if it is translated, in a fresh process as openSlow has one.
func (m *measurement) openTranslated(ctx context.Context) error {
	if !m.target.translates {
		return nil
	}
	m.notePeak()
	m.stop()
	if _, err := m.begin(ctx); err != nil {
		return err
	}
	return m.perStream(ctx, "kib_per_stream_translated", translatedModel)
}

// longBytes is the length of a long chat.
const longBytes = 4 << 10

// longChat is what an application or an agent typically sends: its rules, two tools, and a conversation in which one was called.
func longChat(name string) string {
	body := strings.Replace(compact(longTemplate), "MODEL", name, 1)
	filler := strings.Repeat("The customer writes again, and in some detail. ", longBytes/40)
	return strings.Replace(body, "TEXT", filler[:longBytes-len(body)+len("TEXT")], 1)
}

// compact leaves out what is there for people only, as the vendors' libraries do.
func compact(body string) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(body)); err != nil {
		panic(err) // our own constant is no JSON
	}
	return b.String()
}

const longTemplate = `{
  "model": "MODEL",
  "messages": [
    {"role": "system", "content": "You are the assistant of a shop for garden tools.\n\nRules:\n- Answer in the customer's language.\n` +
	`- Look an order up before you say anything about it; never guess a date.\n- Offer a refund only for what came broken or late.\n` +
	`- Say \"I do not know\" if that is so, and hand over to a colleague.\n- Keep to three sentences unless you are asked for more."},
    {"role": "user", "content": "Hello! I ordered a hedge trimmer two weeks ago (no. 1047-B) and it has not come yet. Where is it?"},
    {"role": "assistant", "content": null, "tool_calls": [{"id": "call_bench_0001", "type": "function", "function": ` +
	`{"name": "find_order", "arguments": "{\"number\": \"1047-B\", \"with\": [\"items\", \"delivery\"]}"}}]},
    {"role": "tool", "tool_call_id": "call_bench_0001", "content": "{\"number\": \"1047-B\", \"ordered\": \"2026-11-02\", ` +
	`\"items\": [{\"name\": \"Hedge trimmer 600 W\", \"count\": 1, \"price\": \"89.90\"}], \"delivery\": {\"state\": \"delayed\", ` +
	`\"expected\": \"2026-11-19\", \"carrier\": \"Northern Parcel\"}}"},
    {"role": "assistant", "content": "I am sorry for the wait: the carrier has delayed your hedge trimmer, and expects to bring it on 19 ` +
	`November. Is there anything else that I can do for you?"},
    {"role": "user", "content": "TEXT"}
  ],
  "tools": [
    {"type": "function", "function": {"name": "find_order", "description": "Finds an order by its number, with what was asked for.",
      "parameters": {"type": "object", "properties": {
        "number": {"type": "string", "description": "The number as it is on the bill, such as 1047-B."},
        "with": {"type": "array", "items": {"type": "string", "enum": ["items", "delivery", "payment", "notes"]}}},
        "required": ["number"], "additionalProperties": false}}},
    {"type": "function", "function": {"name": "refund", "description": "Gives a customer money back for an order, or for a part of it.",
      "parameters": {"type": "object", "properties": {
        "number": {"type": "string", "description": "The number of the order."},
        "amount": {"type": "number", "minimum": 0, "description": "In euros; all that was paid if it is not given."},
        "reason": {"type": "string", "enum": ["broken", "late", "wrong_item"]}},
        "required": ["number", "reason"], "additionalProperties": false}}}
  ],
  "tool_choice": "auto", "temperature": 0.5, "max_tokens": 512, "user": "customer-20931"
}`
