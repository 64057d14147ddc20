package ingress_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// asker is how a dialect's callers ask and are refused.
type asker struct {
	path  string
	body  string // asks echo; %s stands for more fields, %q for the user's text
	limit string // the field of an output limit
	shape func(t *testing.T, status int, text string) (message, kind string)
}

var askers = map[string]asker{
	"chat":      {"/v1/chat/completions", `{"model":"echo","messages":[{"role":"user","content":"?"}]+}`, "max_tokens", openaiShape},
	"responses": {"/v1/responses", `{"model":"echo","input":[{"role":"user","content":"?"}]+}`, "max_output_tokens", openaiShape},
	"messages":  {"/v1/messages", `{"model":"echo","max_tokens":64,"messages":[{"role":"user","content":"?"}]+}`, "max_tokens", anthropicShape},
	"gemini":    {"/v1beta/models/echo:generateContent", `{"contents":[{"role":"user","parts":[{"text":"?"}]}]+}`, "generationConfig", googleShape},
}

func (s asker) with(more string) string { return strings.Replace(s.body, "+", more, 1) }

func openaiShape(t *testing.T, _ int, text string) (string, string) {
	f := parseFault(t, text)
	return f.Error.Message, f.Error.Type
}

func anthropicShape(t *testing.T, _ int, text string) (string, string) {
	t.Helper()
	var f struct {
		Type  string
		Error struct{ Type, Message string }
	}
	if json.Unmarshal([]byte(text), &f) != nil || f.Type != "error" || f.Error.Message == "" || f.Error.Type == "" {
		t.Fatalf("not an error in Anthropic's shape: %s", text)
	}
	return f.Error.Message, f.Error.Type
}

func googleShape(t *testing.T, status int, text string) (string, string) {
	t.Helper()
	var f struct {
		Error struct {
			Code            int
			Message, Status string
		}
	}
	if json.Unmarshal([]byte(text), &f) != nil || f.Error.Code != status || f.Error.Message == "" || f.Error.Status == "" {
		t.Fatalf("not an error in Google's shape: %s", text)
	}
	return f.Error.Message, f.Error.Status
}

// Bad input is refused in the caller's own dialect, with the status that fits, whatever the dialect; and nothing is sent for it.
func TestRefusalsInEveryDialect(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{"models":["echo"]}`)
	deep := strings.Repeat(`{"a":`, 100_000)
	for name, s := range askers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := h.in(t)
			if answer, text := in.do("POST", s.path, key, s.with("")); answer.StatusCode != 200 {
				t.Fatalf("the good request: %d %s", answer.StatusCode, text)
			}
			for what, c := range map[string]struct {
				key, body string
				header    []string
				status    int
			}{
				"no key":            {"", s.with(""), nil, 401},
				"unknown key":       {"sk-unknown-1234567", s.with(""), nil, 401},
				"empty":             {key, "", nil, 400},
				"text":              {key, "hello", nil, 400},
				"list":              {key, "[]", nil, 400},
				"null":              {key, "null", nil, 400},
				"two objects":       {key, s.with("") + "{}", nil, 400},
				"cut":               {key, s.body[:20], nil, 400},
				"byte order mark":   {key, "\ufeff" + s.with(""), nil, 400},
				"bad UTF-8":         {key, strings.Replace(s.with(""), "?", "\xff\xfe", 1), nil, 400},
				"NaN":               {key, s.with(`,"temperature":NaN`), nil, 400},
				"depth bomb":        {key, s.with(`,"x":` + deep), nil, 400},
				"list bomb":         {key, s.with(`,"x":` + strings.Repeat("[", 100_000)), nil, 400},
				"stream twice":      {key, s.with(`,"stream":false,"stream":true`), nil, 400},
				"control field":     {key, s.with(`,"api_base":"http://169.254.169.254/"`), nil, 400},
				"tags of no form":   {key, s.with(`,"tags":"x"`), nil, 400},
				"limit of no form":  {key, strings.Replace(s.with(`,"`+s.limit+`":"many"`), `"max_tokens":64,`, "", 1), nil, 400},
				"limit of a list":   {key, strings.Replace(s.with(`,"`+s.limit+`":[1]`), `"max_tokens":64,`, "", 1), nil, 400},
				"unknown field":     {key, s.with(`,"colour":"red"`), nil, 400},
				"too large":         {key, s.with(`,"x":"` + strings.Repeat("x", 2<<20) + `"`), nil, 413},
				"gzip":              {key, s.with(""), []string{"Content-Encoding", "gzip"}, 415},
				"text/plain":        {key, s.with(""), []string{"Content-Type", "text/plain"}, 415},
				"content is number": {key, strings.Replace(s.with(""), `"?"`, `7`, 1), nil, 400},
				"role is unknown":   {key, strings.Replace(s.with(""), `"user"`, `"root"`, 1), nil, 400},
			} {
				if name == "chat" && (what == "unknown field" || what == "role is unknown") {
					continue // echo speaks chat: what passes through is the provider's to judge
				}
				answer, text := in.do("POST", s.path, c.key, c.body, c.header...)
				if answer.StatusCode != c.status {
					t.Errorf("%s: %d %.200s, want %d", what, answer.StatusCode, text, c.status)
					continue
				}
				if message, _ := s.shape(t, c.status, text); strings.Contains(message, "sk-unknown") {
					t.Errorf("%s shows the key: %s", what, message)
				}
			}
			answer, _ := in.do("GET", strings.Replace(s.path, ":generateContent", ":x", 1), key, "")
			if status := answer.StatusCode; status != http.StatusMethodNotAllowed && status != http.StatusNotFound {
				t.Errorf("the wrong method: %d", status)
			}
		})
	}
}

// drop_params leaves an unknown field out, and the answer says so.
func TestDroppedFieldsAreTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{}`)
	for name, s := range askers {
		if name == "chat" {
			continue // echo speaks it: nothing is translated
		}
		answer, text := h.do("POST", s.path, key, s.with(`,"colour":"red","drop_params":true`))
		if got := answer.Header.Get("X-Sluice-Dropped-Params"); answer.StatusCode != 200 || got != "colour" {
			t.Errorf("%s: %d, dropped %q: %s", name, answer.StatusCode, got, text)
		}
	}
}
