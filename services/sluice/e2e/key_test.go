package e2e_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// The two calls with which LiteLLM's users begin, byte for byte: a key, and a chat with it.
func TestFirstTwoCalls(t *testing.T) {
	onBothEngines(t, func(t *testing.T, g *sluice) {
		post := func(path, key, body string) answer {
			a, err := send(t.Context(), http.MethodPost, g.url+path, key, "application/json", []byte(body))
			if err != nil || a.status != http.StatusOK {
				t.Fatalf("%s: status %d, %v: %s", path, a.status, err, a.body)
			}
			return a
		}
		var key struct {
			Key      string
			Models   []string
			Metadata map[string]string
			Expires  *string
			UserID   *string `json:"user_id"`
			KeyName  string  `json:"key_name"`
		}
		post("/key/generate", masterKey, `{"models": ["gpt-3.5-turbo"], "metadata": {"user": "foo@autoize.com"}}`).decode(t, &key)
		if len(key.Models) != 1 || key.Models[0] != chatModel || key.Metadata["user"] != "foo@autoize.com" || key.Expires != nil || key.UserID != nil {
			t.Errorf("the key is %+v", key)
		}
		if !strings.HasPrefix(key.Key, "sk-") || len(key.Key) != len("sk-")+22 || key.KeyName != "sk-..."+key.Key[len(key.Key)-4:] {
			t.Errorf("the key has %d bytes and the name %q", len(key.Key), key.KeyName)
		}
		g.provider.AddCanaries(key.Key)
		var got struct {
			Model   string
			Object  string
			Choices []struct {
				Message struct{ Role, Content string }
			}
			Usage struct {
				PromptTokens     int64 `json:"prompt_tokens"`
				CompletionTokens int64 `json:"completion_tokens"`
			}
		}
		post("/v1/chat/completions", key.Key, `{
    "model": "gpt-3.5-turbo",
    "messages": [{"role": "user", "content": "Say this is a test!"}],
    "temperature": 0.7
}`).decode(t, &got)
		if got.Object != "chat.completion" || got.Model != chatModel || got.Choices[0].Message.Content != "Say this is a test!" {
			t.Errorf("the answer is %+v", got)
		}
		g.checkBooks(t)
		want := price(t, chatModel, gateway.Usage{InputTokens: got.Usage.PromptTokens, OutputTokens: got.Usage.CompletionTokens})
		if spent := g.spent(t, key.Key); spent != want || want == 0 {
			t.Errorf("the key has spent %s, want %s", spent, want)
		}
	})
}

// A revoked key must stop everywhere within a second of the answer that says so. On a machine that does other work the
// watch's message may come late, hence the margin.
const (
	revocationLimit  = time.Second
	revocationMargin = time.Second
)

func TestRevocationReachesEveryProcess(t *testing.T) {
	onBothEngines(t, func(t *testing.T, g *sluice) {
		other := g.another(t)
		for name, revoke := range map[string]func(key string) (path string, body any){
			"block":  func(key string) (string, any) { return "/key/block", map[string]string{"key": key} },
			"delete": func(key string) (string, any) { return "/key/delete", map[string][]string{"keys": {key}} },
		} {
			t.Run(name, func(t *testing.T) {
				key := g.newKey(t, nil)
				path, body := revoke(key)
				last := make(chan time.Time, 1)
				ctx, cancel := context.WithTimeout(t.Context(), callLimit)
				defer cancel()
				begun := make(chan struct{})
				go func() { last <- lastSuccess(ctx, other, key, begun) }()
				select {
				case <-begun: // the key is warm in the other process
				case at := <-last:
					t.Fatalf("the other process does not take the new key; last success %v", at)
				}
				must[any](t, g, masterKey, http.MethodPost, path, body)
				answered := time.Now()
				late := (<-last).Sub(answered)
				t.Logf("%s: the other process took the key until %v after the answer", name, late)
				if late > revocationLimit+revocationMargin {
					t.Errorf("the key worked for %v after the answer, want at most %v (and %v for a loaded machine)", late, revocationLimit, revocationMargin)
				}
				for range 20 {
					if a, err := send(t.Context(), http.MethodGet, other+"/v1/models", key, "", nil); err != nil || a.status != http.StatusUnauthorized {
						t.Fatalf("a revoked key gets status %d, %v", a.status, err)
					}
				}
			})
		}
	})
}

// lastSuccess calls until the key is refused and returns when the last call that was let in began. It closes begun after
// the first few.
func lastSuccess(ctx context.Context, url, key string, begun chan struct{}) (last time.Time) {
	for n := 1; ctx.Err() == nil; n++ {
		at := time.Now()
		a, err := send(ctx, http.MethodGet, url+"/v1/models", key, "", nil)
		if err != nil || a.status != http.StatusOK {
			return last
		}
		if last = at; n == 20 {
			close(begun)
		}
	}
	return last
}

// What belongs to one key is not there for another.
func TestKeysOfOthers(t *testing.T) {
	onBothEngines(t, func(t *testing.T, g *sluice) {
		mine, theirs := g.newKey(t, nil), g.newKey(t, nil)
		file := g.upload(t, mine, inputFile(1, 0))
		b := g.createBatch(t, mine, inputFile(1, 0)).ID
		for _, c := range [][2]string{
			{http.MethodGet, "/v1/files/" + file}, {http.MethodGet, "/v1/files/" + file + "/content"}, {http.MethodDelete, "/v1/files/" + file},
			{http.MethodGet, "/v1/batches/" + b}, {http.MethodPost, "/v1/batches/" + b + "/cancel"},
		} {
			if a := g.call(t, theirs, c[0], c[1], nil); a.status != http.StatusNotFound {
				t.Errorf("%s %s with another's key: status %d, want 404", c[0], c[1], a.status)
			}
		}
		for _, list := range []string{"/v1/files", "/v1/batches"} {
			if rows := must[struct{ Data []any }](t, g, theirs, http.MethodGet, list, nil); len(rows.Data) != 0 {
				t.Errorf("%s shows another's: %v", list, rows.Data)
			}
		}
		g.await(t, mine, b, batchLimit)
		for _, path := range []string{"/key/list", "/events"} {
			if a := g.call(t, mine, http.MethodGet, path, nil); a.status != http.StatusForbidden {
				t.Errorf("GET %s with a virtual key: status %d, want 403", path, a.status)
			}
		}
	})
}
