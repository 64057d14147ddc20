package ingress_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// fault is an error as callers see it.
type fault struct {
	Error struct {
		Message, Type, Code string
		Param               *string
	}
}

func parseFault(t *testing.T, text string) fault {
	t.Helper()
	var keys struct{ Error map[string]any }
	var f fault
	if json.Unmarshal([]byte(text), &keys) != nil || json.Unmarshal([]byte(text), &f) != nil || len(keys.Error) != 4 || f.Error.Message == "" {
		t.Fatalf("not an error in OpenAI's shape: %s", text)
	}
	return f
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{"models": ["public-name", "openai/*"]}`)
	all := h.key(`{}`)
	blocked := h.key(`{}`)
	h.do("POST", "/key/block", master, `{"key": "`+blocked+`"}`)
	chat := "/v1/chat/completions"
	good := ask("public-name", "hi", "")
	for name, c := range map[string]struct {
		method, path, key, body string
		header                  []string
		status                  int
		typ, param              string
	}{
		"no key":           {"POST", chat, "", good, nil, 401, "auth_error", ""},
		"unknown key":      {"POST", chat, "sk-unknown-1234567", good, nil, 401, "token_not_found_in_db", "key"},
		"blocked key":      {"POST", chat, blocked, good, nil, 401, "auth_error", "None"},
		"basic auth":       {"POST", chat, "", good, []string{"Authorization", "Basic c2s6c2s="}, 401, "auth_error", ""},
		"bearer alone":     {"POST", chat, "", good, []string{"Authorization", "Bearer "}, 401, "auth_error", ""},
		"model denied":     {"POST", chat, key, ask("other", "hi", ""), nil, 403, "key_model_access_denied", "model"},
		"model unknown":    {"POST", "/v1/embeddings", all, `{"model": "", "input": "x"}`, nil, 400, "invalid_request_error", "model"},
		"empty body":       {"POST", chat, key, "", nil, 400, "invalid_request_error", ""},
		"broken json":      {"POST", chat, key, good[:20], nil, 400, "invalid_request_error", ""},
		"wrong type":       {"POST", chat, key, ask("public-name", "hi", `, "stream": "yes"`), nil, 400, "invalid_request_error", "stream"},
		"too large":        {"POST", chat, key, `{"model": "public-name", "messages": ["` + strings.Repeat("x", 2<<20) + `"]}`, nil, 413, "invalid_request_error", ""},
		"plain text":       {"POST", chat, key, good, []string{"Content-Type", "text/plain"}, 415, "invalid_request_error", ""},
		"gzip":             {"POST", chat, key, good, []string{"Content-Encoding", "gzip"}, 415, "invalid_request_error", ""},
		"wrong method":     {"GET", chat, key, "", nil, 405, "invalid_request_error", ""},
		"override":         {"GET", chat, key, "", []string{"X-HTTP-Method-Override", "POST"}, 405, "invalid_request_error", ""},
		"no route":         {"POST", "/v1/chat/completion", key, good, nil, 404, "invalid_request_error", ""},
		"double slash":     {"POST", "//v1/chat/completions", key, good, nil, 404, "invalid_request_error", ""},
		"dots":             {"GET", "/v1/../key/list", key, "", nil, 404, "invalid_request_error", ""},
		"encoded dots":     {"GET", "/v1/%2e%2e/key/list", key, "", nil, 404, "invalid_request_error", ""},
		"trailing slash":   {"POST", chat + "/", key, good, nil, 404, "invalid_request_error", ""},
		"upper case":       {"POST", "/V1/Chat/Completions", key, good, nil, 404, "invalid_request_error", ""},
		"admin route":      {"POST", "/key/generate", key, `{}`, nil, 403, "auth_error", "route"},
		"admin list":       {"GET", "/key/list", key, "", nil, 403, "auth_error", "route"},
		"events":           {"GET", "/events", key, "", nil, 403, "auth_error", "route"},
		"another's key":    {"GET", "/key/info?key=" + all, key, "", nil, 404, "not_found_error", "key"},
		"key of no form":   {"GET", "/key/info?key=x", master, "", nil, 400, "bad_request_error", "key"},
		"unknown key info": {"GET", "/key/info?key=sk-unknown-1234567", master, "", nil, 404, "not_found_error", "key"},
		"update what":      {"POST", "/key/update", master, `{"models": []}`, nil, 400, "invalid_request_error", "key"},
		"delete nothing":   {"POST", "/key/delete", master, `{"keys": []}`, nil, 400, "invalid_request_error", "keys"},
		"delete unknown":   {"POST", "/key/delete", master, `{"keys": ["sk-unknown-1234567"]}`, nil, 404, "not_found_error", "key"},
		"list page":        {"GET", "/key/list?page=0", master, "", nil, 400, "invalid_request_error", "page"},
		"list size":        {"GET", "/key/list?size=101", master, "", nil, 400, "invalid_request_error", "size"},
		"generate a list":  {"POST", "/key/generate", master, `[]`, nil, 400, "invalid_request_error", ""},
		"logs date":        {"GET", "/spend/logs?start_date=yesterday", master, "", nil, 400, "invalid_request_error", "start_date"},
		"no model":         {"GET", "/v1/models/nothing", key, "", nil, 404, "invalid_request_error", "model"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := h.in(t)
			answer, text := h.do(c.method, c.path, c.key, c.body, c.header...)
			f := parseFault(t, text)
			param := ""
			if f.Error.Param != nil {
				param = *f.Error.Param
			}
			if answer.StatusCode != c.status || f.Error.Type != c.typ || param != c.param {
				t.Errorf("%d, type %s, param %q; want %d, %s, %q: %s", answer.StatusCode, f.Error.Type, param, c.status, c.typ, c.param, text)
			}
			if ct := answer.Header.Get("Content-Type"); ct != "application/json" {
				t.Errorf("Content-Type %q", ct)
			}
			if answer.Header.Get("X-Request-Id") == "" {
				t.Error("no request id")
			}
			if c.status == 405 && answer.Header.Get("Allow") == "" {
				t.Error("no Allow header")
			}
			if len(c.key) > 10 && c.status == 401 && strings.Contains(text, c.key[5:]) {
				t.Errorf("the key is echoed: %s", text)
			}
		})
	}
}

// A body that is announced too large is refused before it is read.
func TestTooLargeIsRefusedUnread(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{}`)
	c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100000000\r\n\r\n", key)
	answer, err := io.ReadAll(c) // the server closes: it will not read 100 MB
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 413 ")) {
		t.Errorf("%.200s, %v", answer, err)
	}
}

// What one key asks of the key routes is LiteLLM's shape, and a change shows at once.
func TestKeyRoutes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, text := h.do("POST", "/key/generate", master, `{"models": ["gpt-3.5-turbo"], "metadata": {"user": "foo@autoize.com"}, "key_alias": "brief"}`)
	var made struct {
		Key, Token, Token_id, Key_name, Key_alias string
		Models                                    []string
		Metadata                                  map[string]string
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	if len(made.Key) != 25 || !strings.HasPrefix(made.Key, "sk-") || made.Token != made.Token_id || len(made.Token) != 64 ||
		made.Key_name != "sk-..."+made.Key[21:] || made.Metadata["user"] != "foo@autoize.com" || made.Models[0] != "gpt-3.5-turbo" {
		t.Errorf("generate answered %s", text)
	}
	if answer, text := h.do("POST", "/v1/chat/completions", made.Key, ask("gpt-3.5-turbo", "hi", `, "temperature": 0.7`)); answer.StatusCode != 200 {
		t.Errorf("the key's model: %d %s", answer.StatusCode, text)
	}
	if answer, _ := h.do("POST", "/key/update", master, `{"key": "`+made.Key+`", "models": ["other"]}`); answer.StatusCode != 200 {
		t.Errorf("update: %d", answer.StatusCode)
	}
	deadline := time.Now().Add(time.Second)
	for {
		answer, _ := h.do("POST", "/v1/chat/completions", made.Key, ask("gpt-3.5-turbo", "hi", ""))
		if answer.StatusCode == 403 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a changed model list is not in force after a second")
		}
	}
	var listed struct {
		Keys         []map[string]any
		Total_count  int
		Current_page int
		Total_pages  int
	}
	h.key(`{"user_id": "u"}`)
	_, text = h.do("GET", "/key/list?return_full_object=true&size=1&page=2", master, "")
	if err := json.Unmarshal([]byte(text), &listed); err != nil || listed.Total_count != 2 || listed.Total_pages != 2 ||
		len(listed.Keys) != 1 || listed.Keys[0]["key_alias"] != "brief" {
		t.Errorf("list: %s, %v", text, err)
	}
	if _, text := h.do("GET", "/key/list?user_id=u", master, ""); strings.Count(text, `"`) != 2*4+2 {
		t.Errorf("list of a user: %s", text)
	}
	answer, text := h.do("POST", "/key/delete", master, `{"key_aliases": ["brief"]}`)
	if answer.StatusCode != 200 || text != `{"deleted_keys":["brief"]}` {
		t.Errorf("delete by alias: %d %s", answer.StatusCode, text)
	}
	if strings.Contains(h.log.String(), made.Key) {
		t.Error("a virtual key is in the log")
	}
	if http.StatusOK != answer.StatusCode {
		t.Error(answer.Status)
	}
}

// Models are listed for the key, with and without /v1.
func TestModels(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{"models": ["echo", "public-name"]}`)
	for _, path := range []string{"/v1/models", "/models"} {
		_, text := h.do("GET", path, key, "")
		var list struct {
			Object string
			Data   []struct{ ID, Object, Owned_by string }
		}
		if err := json.Unmarshal([]byte(text), &list); err != nil || list.Object != "list" || len(list.Data) != 2 || list.Data[1].ID != "echo" {
			t.Errorf("%s: %s, %v", path, text, err)
		}
	}
	if answer, text := h.do("GET", "/v1/models/echo", key, ""); answer.StatusCode != 200 || !strings.Contains(text, `"id":"echo"`) {
		t.Errorf("%d %s", answer.StatusCode, text)
	}
}
