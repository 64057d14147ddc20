package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

const master = gateway.Secret("sk-master-1234567890")

var boss = audit.By{Principal: gateway.Principal{KeyHash: "m", KeyAlias: "master", Admin: true}}

// counting counts reads, and fails them on demand.
type counting struct {
	store.Store
	gets atomic.Int64
	down atomic.Bool
}

func (c *counting) Get(ctx context.Context, ref store.Ref, into any) (store.Version, error) {
	c.gets.Add(1)
	if c.down.Load() {
		return 0, errors.New("the store is away")
	}
	return c.Store.Get(ctx, ref, into)
}

type house struct {
	store *counting
	keys  *auth.Manager
	auth  *auth.Authenticator
}

// newHouse must be called inside a synctest bubble; the watch is alive when it returns.
func newHouse(t *testing.T, run bool) house {
	s := &counting{Store: memstore.New()}
	h := house{s, &auth.Manager{Store: s, Now: time.Now}, auth.New(s, master, time.Now, slog.New(slog.DiscardHandler))}
	if run {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = h.auth.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-done })
		synctest.Wait()
	}
	return h
}

func (h house) generate(t *testing.T, fields string) gateway.Secret {
	t.Helper()
	secret, _, err := h.keys.Generate(t.Context(), boss, object(t, fields))
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func object(t *testing.T, text string) (m map[string]json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func (h house) try(t *testing.T, header http.Header) (gateway.Principal, *gateway.Error) {
	t.Helper()
	r, _ := http.NewRequestWithContext(t.Context(), "POST", "/", nil)
	r.Header = header
	p, err := h.auth.Authenticate(r)
	if err == nil {
		return p, nil
	}
	return p, gateway.AsError(err)
}

func bearer(s gateway.Secret) http.Header {
	return http.Header{"Authorization": {"Bearer " + s.Reveal()}}
}

func TestEveryCarrierBehavesAlike(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, true)
		good := h.generate(t, `{"models": ["gpt-4o"], "user_id": "u", "team_id": "t", "key_alias": "a"}`)
		blocked := h.generate(t, `{"blocked": true}`)
		expired := h.generate(t, `{"duration": "1s"}`)
		deleted := h.generate(t, `{}`)
		if _, err := h.keys.Delete(t.Context(), boss, deleted.Reveal()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // virtual
		for carrier, header := range map[string]func(s string) http.Header{
			"bearer":    func(s string) http.Header { return http.Header{"Authorization": {"Bearer " + s}} },
			"lower":     func(s string) http.Header { return http.Header{"Authorization": {"bearer " + s}} },
			"x-api-key": func(s string) http.Header { return http.Header{"X-Api-Key": {s}} },
			"api-key":   func(s string) http.Header { return http.Header{"Api-Key": {s}} },
			"goog":      func(s string) http.Header { return http.Header{"X-Goog-Api-Key": {s}} },
		} {
			p, err := h.try(t, header(good.Reveal()))
			if err != nil || p.KeyHash != auth.Hash(good) || p.UserID != "u" || p.TeamID != "t" || p.KeyAlias != "a" || p.Admin {
				t.Errorf("%s: a good key is %+v, %v", carrier, p, err)
			}
			if p, err := h.try(t, header(master.Reveal())); err != nil || !p.Admin {
				t.Errorf("%s: the master key is %+v, %v", carrier, p, err)
			}
			for name, c := range map[string]struct {
				key            string
				typeName, head string
			}{
				"blocked":  {blocked.Reveal(), "auth_error", "Authentication Error, Key is blocked."},
				"expired":  {expired.Reveal(), "expired_key", "Authentication Error - Expired Key. Key Expiry time"},
				"deleted":  {deleted.Reveal(), "token_not_found_in_db", "Authentication Error, Invalid proxy server token passed."},
				"unknown":  {"sk-0123456789abcdef", "token_not_found_in_db", "Authentication Error, Invalid proxy server token passed. Received API Key = sk-...cdef"},
				"no sk-":   {"token-123456789", "auth_error", "Authentication Error, LiteLLM Virtual Key expected."},
				"its hash": {auth.Hash(good), "auth_error", "Authentication Error, LiteLLM Virtual Key expected."},
				"none":     {"", "auth_error", "Authentication Error, No api key passed in."},
				"sql":      {"sk-' OR 1=1 --", "token_not_found_in_db", "Authentication Error"},
			} {
				p, err := h.try(t, header(c.key))
				if err == nil || err.Status() != 401 || err.Type() != c.typeName || !strings.HasPrefix(err.Message, c.head) {
					t.Errorf("%s, %s: %+v, %v", carrier, name, p, err)
				} else if len(c.key) > 8 && strings.Contains(err.Message, c.key[4:]) {
					t.Errorf("%s, %s: the key is echoed: %s", carrier, name, err.Message)
				}
			}
		}
	})
}

func TestTwoCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, true)
		a, b := h.generate(t, `{}`), h.generate(t, `{}`)
		both := http.Header{"Authorization": {"Bearer " + a.Reveal()}, "X-Api-Key": {b.Reveal()}}
		if _, err := h.try(t, both); err == nil || err.Status() != 400 {
			t.Errorf("two credentials: %v", err)
		}
		both.Set("X-Api-Key", a.Reveal())
		if _, err := h.try(t, both); err != nil {
			t.Errorf("one credential twice: %v", err)
		}
		bad := http.Header{"Authorization": {"Bearer sk-unknown-123456"}}
		if _, err := h.try(t, bad); err == nil {
			t.Error("an unknown key was admitted")
		}
	})
}

// A warm key costs no store call, and a change is seen at once, whichever way it is made.
func TestWarmKeyAndRevocation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, true)
		key := h.generate(t, `{}`)
		if _, err := h.try(t, bearer(key)); err != nil {
			t.Fatal(err)
		}
		before := h.store.gets.Load()
		for range 1000 {
			if _, err := h.try(t, bearer(key)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := h.store.gets.Load() - before; n != 0 {
			t.Errorf("1000 calls with a warm key read the store %d times", n)
		}
		other := &auth.Manager{Store: h.store, Now: time.Now} // another process
		for name, change := range map[string]func() error{
			"block": func() error { _, err := other.Block(t.Context(), boss, key.Reveal(), true); return err },
		} {
			if err := change(); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if _, err := h.try(t, bearer(key)); err == nil || err.Status() != 401 {
				t.Errorf("after %s: %v", name, err)
			}
		}
		if _, err := other.Block(t.Context(), boss, auth.Hash(key), false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := h.try(t, bearer(key)); err != nil {
			t.Errorf("after unblock: %v", err)
		}
		if _, err := other.Delete(t.Context(), boss, key.Reveal()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := h.try(t, bearer(key)); err == nil || err.Type() != "token_not_found_in_db" {
			t.Errorf("after delete: %v", err)
		}
	})
}

// A key that was unknown a moment ago works as soon as it is made.
func TestNewKeyIsKnownAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, true)
		const key = "sk-chosen-by-the-owner"
		if _, err := h.try(t, bearer(key)); err == nil {
			t.Fatal("an unknown key was admitted")
		}
		h.generate(t, `{"key": "`+key+`"}`)
		synctest.Wait()
		if _, err := h.try(t, bearer(key)); err != nil {
			t.Error(err)
		}
	})
}

// Without a watch nothing older than the staleness limit is trusted; without a store an unknown key gets 503, never 401.
func TestWithoutWatchAndStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, false)
		key := h.generate(t, `{}`)
		if _, err := h.try(t, bearer(key)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.keys.Block(t.Context(), boss, key.Reveal(), true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(auth.DefaultStaleness + time.Second)
		if _, err := h.try(t, bearer(key)); err == nil {
			t.Error("a blocked key works after the staleness limit though nobody watches")
		}
		h.store.down.Store(true)
		if _, err := h.try(t, bearer("sk-never-seen-before")); err == nil || err.Status() != 503 || err.Type() != "no_db_connection" {
			t.Errorf("an unknown key while the store is away: %v", err)
		}
		if _, err := h.try(t, bearer(master)); err != nil {
			t.Errorf("the master key while the store is away: %v", err)
		}
	})
}

func TestBadFieldsAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, false)
		h.generate(t, `{"key_alias": "taken", "key": "sk-taken-123456"}`)
		for field, values := range map[string][]string{
			"max_budget":            {`-1`, `"10"`, `1e308`, `0.00000000000000001`, `true`, `"10 USD"`},
			"models":                {`"gpt-4o"`, `[1]`, `{}`},
			"metadata":              {`[]`, `"x"`, `1`},
			"duration":              {`"x"`, `"30"`, `30`, `"-5d"`, `"0d"`, `"1y"`, `"9999999w"`},
			"rpm_limit":             {`-1`, `1.5`, `"5"`},
			"tpm_limit":             {`1e400`},
			"max_parallel_requests": {`[]`},
			"blocked":               {`"true"`, `1`},
			"user_id":               {`1`, `["u"]`, `"` + strings.Repeat("x", 1025) + `"`},
			"key_alias":             {`"taken"`},
			"key":                   {`"short"`, `"pk-0123456789abcdef"`, `1`, `"sk-"`, `"sk-taken-123456"`},
		} {
			for _, value := range values {
				_, _, err := h.keys.Generate(t.Context(), boss, object(t, `{"`+field+`": `+value+`}`))
				if e := gateway.AsError(err); err == nil || e.Status() != 400 || e.Param != field {
					t.Errorf("%s = %.60s: %v, param %q", field, value, err, e.Param)
				}
			}
		}
		for _, fine := range []string{`{"max_budget": ""}`, `{"max_budget": null, "models": null, "duration": null}`, `{"unheard_of": 1}`} {
			h.generate(t, fine)
		}
	})
}

func TestRowEchoesWhatWasGiven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, false)
		given := `{"models": ["gpt-3.5-turbo"], "metadata": {"user": "foo@autoize.com", "x": 1.5}, "max_budget": 0.1, "rpm_limit": 3,
			"duration": "30d", "budget_duration": "1mo", "soft_budget": 0.05, "aliases": {"a": "b"}, "key_alias": "k", "tags": ["t"]}`
		_, key, err := h.keys.Generate(t.Context(), boss, object(t, given))
		if err != nil {
			t.Fatal(err)
		}
		stored, err := h.keys.Info(t.Context(), key.Hash)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(h.keys.Row(stored, 1_500_000_000))
		if err != nil {
			t.Fatal(err)
		}
		row := object(t, string(text))
		for field, want := range map[string]string{
			"models": `["gpt-3.5-turbo"]`, "metadata": `{"user":"foo@autoize.com","x":1.5}`, "max_budget": "0.1", "rpm_limit": "3",
			"budget_duration": `"1mo"`, "soft_budget": "0.05", "aliases": `{"a":"b"}`, "key_alias": `"k"`, "tags": `["t"]`,
			"spend": "1.5", "blocked": "false", "tpm_limit": "null", "team_id": "null", "created_by": `"master"`,
		} {
			if got := string(row[field]); got != want {
				t.Errorf("%s = %s, want %s", field, got, want)
			}
		}
		want := time.Now().Add(30 * 24 * time.Hour).UTC().Format("2006-01-02T15:04")
		if got := string(row["expires"]); !strings.HasPrefix(got, `"`+want) {
			t.Errorf("expires = %s, want %s...", got, want)
		}
		changed, err := h.keys.Update(t.Context(), boss, key.Hash, object(t, `{"duration": "-1", "rpm_limit": null, "models": []}`))
		if err != nil {
			t.Fatal(err)
		}
		if changed.Expires != 0 || len(changed.Models) != 0 || changed.Alias != "k" || changed.Updated <= key.Updated {
			t.Errorf("after the update: %+v", changed)
		}
	})
}

// Aliases are unique, and free again when their key goes.
func TestAliases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, false)
		a := h.generate(t, `{"key_alias": "one"}`)
		b := h.generate(t, `{"key_alias": "two"}`)
		if _, err := h.keys.Update(t.Context(), boss, b.Reveal(), object(t, `{"key_alias": "one"}`)); gateway.AsError(err).Status() != 400 {
			t.Errorf("an alias was given twice: %v", err)
		}
		if _, err := h.keys.Delete(t.Context(), boss, a.Reveal()); err != nil {
			t.Fatal(err)
		}
		if _, err := h.keys.Update(t.Context(), boss, b.Reveal(), object(t, `{"key_alias": "one"}`)); err != nil {
			t.Errorf("a freed alias: %v", err)
		}
		if hash, err := h.keys.ByAlias(t.Context(), "one"); err != nil || hash != auth.Hash(b) {
			t.Errorf("ByAlias = %s, %v", hash, err)
		}
		if _, err := h.keys.ByAlias(t.Context(), "two"); gateway.AsError(err).Status() != 404 {
			t.Errorf("the alias it had before: %v", err)
		}
	})
}
