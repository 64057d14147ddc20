package credential_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream/credential"
)

func TestPlainKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, status(500, ""))
	for kind, want := range map[routing.CredentialKind]string{
		routing.Bearer: "Authorization: Bearer k-1", routing.APIKeyHeader: "Api-Key: k-1", routing.XAPIKey: "X-Api-Key: k-1",
		routing.XGoogAPIKey: "X-Goog-Api-Key: k-1", routing.NoCredential: "", "": "",
	} {
		r, err := w.apply(t.Context(), routing.Credential{Kind: kind, Value: "k-1"})
		var got string
		for name, value := range r.Header {
			got += name + ": " + strings.Join(value, ",")
		}
		if err != nil || got != want {
			t.Errorf("%s: %v, %q", kind, err, got)
		}
		if r, err := w.apply(t.Context(), routing.Credential{Kind: kind}); err != nil || len(r.Header) > 0 {
			t.Errorf("%s without a key: %v, %v", kind, err, r.Header)
		}
	}
	_, err := w.apply(t.Context(), routing.Credential{Kind: "smoke signals", Value: "k-1"})
	wantError(t, err, gateway.KindUpstream, "credential_invalid", "k-1")
}

// Credentials may end up in a log by mistake.
func TestCredentialsPrintNoSecret(t *testing.T) {
	t.Parallel()
	const s = "s3cret"
	c := routing.Credential{Kind: routing.SigV4, Value: s, AWS: routing.AWS{KeyID: "AKID", Secret: s, Session: s, Identity: routing.Identity{Token: s}},
		Google: routing.Google{JSON: s}, Entra: routing.Entra{Secret: s, Identity: routing.Identity{Token: s}}}
	d := routing.Deployment{Credential: c, Headers: []routing.Header{{Name: "X", Value: s}}}
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", d), fmt.Sprintf("%#v", c)} {
		if strings.Contains(text, s) {
			t.Errorf("printed %s", text)
		}
	}
	if m := map[routing.Credential]int{c: 1}; m[c] != 1 {
		t.Error("no key of a map")
	}
}

func TestTokenIsReplacedInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, token("one", 3600))
	want := func(text string, asked int) {
		t.Helper()
		r, err := w.apply(t.Context(), google(routing.Google{}))
		if err != nil || r.Header.Get("Authorization") != "Bearer "+text || len(w.asked()) != asked {
			t.Fatalf("%v, %v, asked %d times", err, r.Header, len(w.asked()))
		}
	}
	want("one", 1)
	w.serving(token("two", 3600))
	w.pass(56 * time.Minute)
	want("one", 1)
	w.pass(2 * time.Minute)
	want("two", 2)
	// the service is away when the token is to be replaced: the old one is used while it works, and the service left alone
	w.pass(58 * time.Minute)
	w.serving(status(503, ""))
	want("two", 4)
	want("two", 4)
	w.pass(30 * time.Second)
	want("two", 6)
	w.pass(2 * time.Minute)
	_, err := w.apply(t.Context(), google(routing.Google{}))
	wantError(t, err, gateway.KindUnavailable, "credential_unavailable")
	_, err = w.apply(t.Context(), google(routing.Google{}))
	wantError(t, err, gateway.KindUnavailable, "credential_unavailable")
	if len(w.asked()) != 8 {
		t.Errorf("asked %d times", len(w.asked()))
	}
	w.serving(token("three", 60))
	w.pass(2 * time.Second)
	want("three", 9)
	w.pass(20 * time.Second)
	want("three", 9)
	w.pass(20 * time.Second)
	want("three", 10)
	// another account has another token
	if r, err := w.apply(t.Context(), google(routing.Google{File: "/nowhere"})); err == nil {
		t.Errorf("%v", r.Header)
	}
}

// Many callers need a token at once: one asks, and its own end is not the others'.
func TestOneAsksForAll(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, a asked) {
		close(arrived)
		<-release
		token("shared", 3600)(rw, a)
	})
	first, hangUp := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _, _ = w.apply(first, google(routing.Google{})) })
	<-arrived
	gone, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("bye"))
	_, err := w.apply(gone, google(routing.Google{}))
	wantError(t, err, gateway.KindCanceled, "")
	for range 8 {
		all.Go(func() {
			if r, err := w.apply(t.Context(), google(routing.Google{})); err != nil || r.Header.Get("Authorization") != "Bearer shared" {
				t.Errorf("%v, %v", err, r.Header)
			}
		})
	}
	hangUp()
	close(release)
	all.Wait()
	if len(w.asked()) != 1 {
		t.Errorf("asked %d times", len(w.asked()))
	}
}

func TestScrub(t *testing.T) {
	t.Parallel()
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://h", nil)
	r.Header = http.Header{"Authorization": {"Bearer tok-12345678"}, "X-Amz-Security-Token": {"sess-12345678"}, "X-Api-Key": {"short"}, "Content-Type": {"application/json"}}
	if got := credential.Scrub("bad tok-12345678 and sess-12345678, short application/json", r.Header); got != "bad *** and ***, short application/json" {
		t.Error(got)
	}
}

// The metadata server's transport reaches nobody else.
func TestMetadataTransport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, token("stolen", 3600))
	s := credential.New(w.Network, w.clock)
	s.MetadataURL = w.server.URL
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://h", nil)
	err := s.Apply(t.Context(), r, nil, google(routing.Google{}))
	wantError(t, err, gateway.KindUnavailable, "credential_unavailable")
	if !strings.Contains(err.Error(), "not the address of the metadata server") || len(w.asked()) > 0 {
		t.Error(err)
	}
}
