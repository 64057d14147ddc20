package ingress_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/sluice-gateway/sluice/services/ingress"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/blob/memblob"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/engine"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/queue/memqueue"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
	"github.com/sluice-gateway/sluice/shared/upstream"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// column is a kind of upstream.
type column struct {
	title   string // in the document
	prefix  string // of public model names
	model   string // the vendor's name of a model
	thinker string // of one that thinks; empty: model
	wire    string // openai, responses, anthropic, gemini or bedrock
	shows   bool   // its thoughts can be seen by callers
	without string // a dialect in which the provider is not called
}

const sonnetOnBedrock = "anthropic.claude-sonnet-4-5-20250929-v1:0"

var columns = []column{
	{"openai", "openai", "gpt-4o-mini", "o4-mini", "openai", false, ""},
	{"openai, responses only", "pro", "o3-pro", "", "responses", true, ""},
	{"azure, deployments", "azure", "gpt-4o", "o4-mini", "openai", false, ""},
	{"azure, v1", "azure-v1", "gpt-4o", "o4-mini", "openai", false, ""},
	{"anthropic", "anthropic", "claude-sonnet-4-5", "", "anthropic", true, ""},
	{"vertex_ai, Claude", "vertex", "claude-sonnet-4-5@20250929", "", "anthropic", true, ""},
	{"bedrock, Claude", "bedrock", sonnetOnBedrock, "", "bedrock", true, ""},
	{"bedrock, Nova", "bedrock", "amazon.nova-pro-v1:0", "", "bedrock", false, ""},
	{"bedrock, Llama", "bedrock-key", "meta.llama3-3-70b-instruct-v1:0", "", "bedrock", false, ""},
	{"bedrock, Mistral", "bedrock-key", "mistral.mistral-large-2407-v1:0", "", "bedrock", false, ""},
	{"gemini 2.5", "gemini", "gemini-2.5-flash", "", "gemini", true, ""},
	{"gemini 3", "gemini", "gemini-3-pro-preview", "", "gemini", true, ""},
	{"vertex_ai, Gemini", "vertex", "gemini-2.5-flash", "", "gemini", true, ""},
	{"mistral", "mistral", "mistral-large-latest", "", "openai", false, "completions"},
	{"deepseek", "deepseek", "deepseek-reasoner", "", "openai", true, ""},
	{"hosted_vllm", "vllm", "qwen3-32b", "", "openai", false, ""},
}

// configText is what an operator writes for them. VENDOR is the fake's address, CLOUDS that of the clouds' token services.
const configText = `
model_list:
  - {model_name: openai/*,      litellm_params: {model: openai/*, api_base: VENDOR/v1, api_key: os.environ/KEY_OF_TESTS}}
  - {model_name: pro/*,         litellm_params: {model: openai/responses/*, api_base: VENDOR/v1, api_key: os.environ/KEY_OF_TESTS}}
  - {model_name: azure/*,       litellm_params: {model: azure/*, api_base: VENDOR, api_version: 2024-10-21, api_key: os.environ/KEY_OF_TESTS}}
  - {model_name: azure-v1/*,    litellm_params: {model: azure/*, api_base: VENDOR/openai/v1/, tenant_id: t, client_id: c, client_secret: s}}
  - {model_name: anthropic/*,   litellm_params: {model: anthropic/*}}
  - {model_name: vertex/*,      litellm_params: {model: vertex_ai/*, api_base: VENDOR, vertex_project: fake-project, vertex_location: us-central1,
                                                 vertex_credentials: ACCOUNT}}
  - {model_name: bedrock/*,     litellm_params: {model: bedrock/*, aws_region_name: us-east-1, aws_bedrock_runtime_endpoint: VENDOR,
                                                 aws_access_key_id: os.environ/AWS_ID, aws_secret_access_key: os.environ/AWS_SECRET}}
  - {model_name: bedrock-key/*, litellm_params: {model: bedrock/*, aws_region_name: us-east-1, api_base: VENDOR, api_key: os.environ/KEY_OF_TESTS}}
  - {model_name: gemini/*,      litellm_params: {model: gemini/*, api_base: VENDOR}}
  - {model_name: mistral/*,     litellm_params: {model: mistral/*}}
  - {model_name: deepseek/*,    litellm_params: {model: deepseek/*, api_base: VENDOR, api_key: os.environ/KEY_OF_TESTS}}
  - {model_name: vllm/*,        litellm_params: {model: hosted_vllm/*}}
`

// deployments reads the config for a fake.
func deployments(t *testing.T, vendor, clouds string) []routing.Deployment {
	t.Helper()
	text := strings.NewReplacer("VENDOR", vendor, "ACCOUNT", serviceAccount(t, clouds)).Replace(configText)
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"KEY_OF_TESTS": fakeprovider.DefaultKey, "AWS_ID": fakeprovider.FakeAccessKey, "AWS_SECRET": fakeprovider.FakeSecretKey,
		"ANTHROPIC_API_KEY": fakeprovider.DefaultKey, "ANTHROPIC_BASE_URL": vendor, "GEMINI_API_KEY": fakeprovider.DefaultKey,
		"MISTRAL_API_KEY": fakeprovider.DefaultKey, "MISTRAL_API_BASE": vendor + "/v1", "HOSTED_VLLM_API_KEY": fakeprovider.DefaultKey,
		"HOSTED_VLLM_API_BASE": vendor, "AZURE_AUTHORITY_HOST": clouds,
	}
	file, warnings, err := config.ReadFile(path, func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		if !strings.Contains(w.String(), "GEMINI_API_KEY is sent to") {
			t.Errorf("the config is warned of: %s", w)
		}
	}
	return file.Deployments
}

// serviceAccount is a credentials file of Google's whose tokens come from a server of ours, on one line as YAML takes it.
func serviceAccount(t *testing.T, clouds string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "gateway@fake-project.iam.gserviceaccount.com", "token_uri": clouds + "/google", "private_key_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tokens give the fake's token to who asks as Google's and Azure's services are asked.
func tokenService(t *testing.T) string {
	t.Helper()
	clouds := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		google := r.URL.Path == "/google" && strings.Count(r.PostFormValue("assertion"), ".") == 2
		azure := r.URL.Path == "/t/oauth2/v2.0/token" && r.PostFormValue("client_secret") == "s"
		if !google && !azure {
			http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"token_type":"Bearer","expires_in":3600,"access_token":"`+fakeprovider.FakeToken+`"}`)
	}))
	t.Cleanup(clouds.Close)
	return clouds.URL
}

// tooLong are what vendors say of a prompt that is longer than the model takes (their documentation and what users report, read
// 2026-11), by a part of the path. The fake has no limit.
var tooLong = []struct{ path, body string }{
	{"/responses", `{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","param":"input",` +
		`"code":"context_length_exceeded"}}`},
	{"/chat/completions", `{"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 9000.",` +
		`"type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`},
	{"/completions", `{"error":{"message":"This model's maximum context length is 8192 tokens, however you requested 9000.",` +
		`"type":"invalid_request_error","param":null,"code":null}}`},
	{"/converse", `{"message":"Input is too long for requested model."}`},
	{"enerateContent", `{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"The input token count (1048577) exceeds the maximum number of ` +
		`tokens allowed (1048576)."}}`},
	{"", `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 200001 tokens > 200000 maximum"}}`},
}

// mistralDocument is how Mistral takes a document, which the fake does not know (Mistral's guide to document understanding, read 2026-11).
var mistralDocument = regexp.MustCompile(`\{"type":"document_url","document_url":"(data:[^"]+)"(,"document_name":"[^"]*")?\}`)

// beforeFake answers what is too long, and tells the fake of documents in OpenAI's words.
func beforeFake(fake http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("+mistral\"")) {
			body = mistralDocument.ReplaceAll(body, []byte(`{"type":"file","file":{"filename":"document","file_data":"$1"}}`))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !strings.Contains(r.URL.Path, "too-long") && !bytes.Contains(body, []byte("+too-long")) {
			fake.ServeHTTP(w, r)
			return
		}
		for _, known := range tooLong {
			if strings.Contains(r.URL.Path, known.path) {
				w.Header().Set("X-Amzn-Errortype", "ValidationException")
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, known.body)
				return
			}
		}
	})
}

// matrixHouse is an ingress with deployments of every kind, by a config, before a fake of its own.
func matrixHouse(t *testing.T, clouds string) *house {
	t.Helper()
	provider := fakeprovider.New(fakeprovider.WithCanaries(master))
	vendor := httptest.NewServer(beforeFake(provider))
	h := &house{t: t, vendor: vendor.URL, store: &counting{Store: memstore.New()}, provider: provider, log: new(bytes.Buffer)}
	log := slog.New(slog.NewJSONHandler(&syncWriter{w: h.log}, nil))
	events := &event.Sender{Store: h.store.Store, Now: time.Now}
	router := new(routing.Router)
	router.Use(routing.NewTable(deployments(t, vendor.URL, clouds)))
	calls := upstream.New(nil, time.Now, log)
	calls.Timers = upstream.Timers{Header: headerTimer, Idle: idleTimer}
	keys := auth.New(h.store, master, time.Now, log)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = keys.Run(ctx) }()
	server := ingress.New(ingress.Config{
		Engine: engine.Engine{Store: h.store, Queue: memqueue.New(nil), Bucket: memblob.New()}, Auth: keys, Router: router, Upstream: calls,
		Ledger:  ledger.NewRecorder(&ledger.Booker{Store: h.store.Store, Now: time.Now, Events: events}, ledger.OnDisk),
		Budgets: budget.New(budget.Config{Store: h.store.Store, Holder: uuid.NewString(), Events: events, Now: time.Now, Log: log}),
		Now:     time.Now, Log: log,
	})
	front := httptest.NewServer(server.Handler())
	h.url = front.URL
	t.Cleanup(func() { provider.Close(); front.Close(); vendor.Close(); cancel(); <-done })
	return h
}

// Timers that a silent upstream runs into. Nothing else takes near as long.
const (
	headerTimer = 8 * time.Second
	idleTimer   = 6 * time.Second
)
