package credential_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream/credential"
)

var start = time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)

// asked is one request that a token service got.
type asked struct {
	method, path string
	header       http.Header
	host         string
	form         url.Values
	body         string
}

// world is a network of token services, with a clock.
type world struct {
	*credential.Signers
	server *httptest.Server

	mu    sync.Mutex
	now   time.Time
	seen  []asked
	serve func(w http.ResponseWriter, a asked)
}

// newWorld has one server that stands for all token services.
func newWorld(t *testing.T, serve func(w http.ResponseWriter, a asked)) *world {
	t.Helper()
	w := &world{now: start, serve: serve}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		if r.Method == http.MethodGet {
			form = r.URL.Query()
		}
		a := asked{r.Method, r.URL.Path, r.Header, r.Host, form, string(body)}
		w.mu.Lock()
		w.seen = append(w.seen, a)
		serve := w.serve
		w.mu.Unlock()
		serve(rw, a)
	}))
	t.Cleanup(w.server.Close)
	w.Signers = credential.New(w.server.Client().Transport, w.clock)
	w.Metadata, w.MetadataURL = w.server.Client().Transport, w.server.URL
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) serving(serve func(w http.ResponseWriter, a asked)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve = serve
}

func (w *world) asked() []asked {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]asked(nil), w.seen...)
}

// apply makes a request with the credential.
func (w *world) apply(ctx context.Context, c routing.Credential) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://provider.example/v1/chat", strings.NewReader("{}"))
	if err != nil {
		return nil, err
	}
	return r, w.Apply(ctx, r, []byte("{}"), c)
}

// token answers as an OAuth service.
func token(text string, seconds int) func(w http.ResponseWriter, a asked) {
	return func(w http.ResponseWriter, _ asked) {
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":%d,"token_type":"Bearer"}`, text, seconds)
	}
}

// status answers with an error that quotes a secret.
func status(code int, body string) func(w http.ResponseWriter, a asked) {
	return func(w http.ResponseWriter, _ asked) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// testKey is made once: it takes a while.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// serviceAccount is a credentials file of Google's.
func serviceAccount(tokenURI string, pkcs8 bool) string {
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(testKey())}
	if pkcs8 {
		der, err := x509.MarshalPKCS8PrivateKey(testKey())
		if err != nil {
			panic(err)
		}
		block = &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	}
	return fmt.Sprintf(`{"type":"service_account","client_email":"sluice@p.iam.gserviceaccount.com","private_key_id":"k1","token_uri":%q,"private_key":%q}`,
		tokenURI, pem.EncodeToMemory(block))
}

// wantError checks the kind and code of an error and that it tells no secret.
func wantError(t *testing.T, err error, kind gateway.Kind, code string, secrets ...string) {
	t.Helper()
	e := gateway.AsError(err)
	if err == nil || e.Kind != kind || e.Code != code {
		t.Fatalf("got %v (kind %v, code %q), want kind %v, code %q", err, e.Kind, e.Code, kind, code)
	}
	for _, secret := range secrets {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%v tells %q", err, secret)
		}
	}
}
