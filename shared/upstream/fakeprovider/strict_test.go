package fakeprovider_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	p, url := fakeprovider.Start(t)
	for name, c := range map[string]struct {
		path, body string
		param      string
	}{
		"not JSON":               {chat, `{"model":`, ""},
		"not an object":          {chat, `[1]`, ""},
		"two values":             {chat, chatBody("m", "") + `{}`, ""},
		"not UTF-8":              {chat, chatBody("m", `,"user":"`+"\xff"+`"`), ""},
		"duplicate key":          {chat, chatBody("m", `,"model":"other"`), ""},
		"duplicate key deep":     {chat, chatBody("m", `,"metadata":{"a":[{"b":1,"b":2}]}`), ""},
		"no model":               {chat, `{"messages":[{"role":"user","content":"x"}]}`, "model"},
		"no messages":            {chat, `{"model":"m"}`, "messages"},
		"empty messages":         {chat, `{"model":"m","messages":[]}`, "messages"},
		"unknown role":           {chat, `{"model":"m","messages":[{"role":"boss","content":"x"}]}`, "messages"},
		"no content":             {chat, `{"model":"m","messages":[{"role":"user"}]}`, "messages"},
		"part without its value": {chat, `{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}`, "messages"},
		"temperature":            {chat, chatBody("m", `,"temperature":2.1`), "temperature"},
		"temperature text":       {chat, chatBody("m", `,"temperature":"1"`), "temperature"},
		"n":                      {chat, chatBody("m", `,"n":0`), "n"},
		"n fraction":             {chat, chatBody("m", `,"n":1.5`), "n"},
		"max_tokens":             {chat, chatBody("m", `,"max_tokens":0`), "max_tokens"},
		"stream":                 {chat, chatBody("m", `,"stream":"true"`), "stream"},
		"stream_options":         {chat, chatBody("m", `,"stream_options":{"include_usage":true}`), "stream_options"},
		"no prompt":              {"/v1/completions", `{"model":"m"}`, "prompt"},
		"empty input":            {"/v1/embeddings", `{"model":"m","input":[]}`, "input"},
		"encoding_format":        {"/v1/embeddings", `{"model":"m","input":"x","encoding_format":"hex"}`, "encoding_format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, answer := post(t, url, c.path, c.body)
			var e struct {
				Error struct{ Message, Type, Param string }
			}
			if err := json.Unmarshal([]byte(answer), &e); err != nil || status != http.StatusBadRequest ||
				e.Error.Type != "invalid_request_error" || e.Error.Param != c.param {
				t.Errorf("status %d, answer %s", status, answer)
			}
		})
	}
	if v := p.Violations(); len(v) != 0 {
		t.Errorf("a bad request is no violation: %v", v)
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	_, url := fakeprovider.Start(t)
	for name, body := range map[string]string{
		"unknown fields": chatBody("m", `,"brand_new":{"a":1}`),
		"nulls":          chatBody("m", `,"temperature":null,"stop":null,"stream_options":null`),
		"parts": `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi"},` +
			`{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}`,
		"tools": `{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"1","type":"function",` +
			`"function":{"name":"f","arguments":"{}"}}]},` +
			`{"role":"tool","tool_call_id":"1","content":"y"}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto"}`,
	} {
		if status, answer := post(t, url, chat, body); status != http.StatusOK {
			t.Errorf("%s: status %d, answer %s", name, status, answer)
		}
	}
}

func TestViolations(t *testing.T) {
	t.Parallel()
	const canary = "sk-virtual-key-of-a-caller"
	for name, c := range map[string]struct{ body, header, value, what string }{
		"gateway header":   {chatBody("m", ""), "X-Litellm-Tags", "a", "header X-Litellm-Tags"},
		"hop by hop":       {chatBody("m", ""), "Te", "trailers", "header Te"},
		"canary in header": {chatBody("m", ""), "X-Other", "a " + canary, "a secret in header X-Other"},
		"canary in key":    {chatBody("m", ""), "Authorization", "Bearer " + canary, "a secret in header Authorization"},
		"canary in body":   {chatBody("m", `,"user":"`+canary+`"`), "X-Ok", "1", "a secret in the body"},
		"gateway field":    {chatBody("m", `,"api_base":"http://attacker.invalid"`), "X-Ok", "1", "field api_base"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, url := fakeprovider.Start(t, fakeprovider.WithCanaries(canary))
			if status, _ := post(t, url, chat, c.body, c.header, c.value); status != http.StatusBadRequest {
				t.Errorf("status %d", status)
			}
			v := p.Violations()
			if len(v) != 1 || v[0].What != c.what || strings.Contains(v[0].What, canary) {
				t.Errorf("violations %+v", v)
			}
			if b := p.Bill(); len(b) != 1 || b[0].Outcome != fakeprovider.Rejected {
				t.Errorf("bill %+v", b)
			}
		})
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	p, url := fakeprovider.Start(t, fakeprovider.WithKey("sk-right"))
	if status, body := post(t, url, chat, chatBody("m", "")); status != http.StatusUnauthorized || !strings.Contains(body, "invalid_api_key") {
		t.Errorf("wrong key: status %d, answer %s", status, body)
	}
	if status, _ := post(t, url, chat, chatBody("m", ""), "Authorization", "Bearer sk-right"); status != http.StatusOK {
		t.Errorf("right key: status %d", status)
	}
	if v := p.Violations(); len(v) != 0 {
		t.Errorf("violations %+v", v)
	}
	if seen := p.Seen(); len(seen) != 1 || seen[0].Path != chat || string(seen[0].Body) != chatBody("m", "") {
		t.Errorf("seen %+v", seen)
	}
}
