package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/services/sluice/cli"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// result is what a run of the command leaves behind.
type result struct {
	out, note string
	code      int
}

// safeBuffer is a buffer that a test may read while a command writes.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// sluice runs the command as main does.
func sluice(ctx context.Context, o cli.Options, stdin string, args ...string) result {
	var out, note safeBuffer
	code := execute(ctx, o, strings.NewReader(stdin), &out, &note, args...)
	return result{out.String(), note.String(), code}
}

func execute(ctx context.Context, o cli.Options, in io.Reader, out, note io.Writer, args ...string) int {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	root := &cobra.Command{Use: "sluice", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(cli.Commands(o)...)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(note)
	return cli.Report(note, root.ExecuteContext(ctx))
}

// serve starts a gateway that answers with h.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// says answers every call with one status and body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func contains(t *testing.T, what, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("%s has no %q:\n%s", what, want, got)
		}
	}
}

// TestErrors looks at the ways in which a gateway may answer badly, for one command of each kind.
func TestErrors(t *testing.T) {
	t.Parallel()
	const key = "sk-test-abcdefgh1234"
	commands := map[string][]string{
		"key":    {"key", "delete", key},
		"batch":  {"batch", "cancel", "batch_1"},
		"chat":   {"chat", "echo", "hello"},
		"events": {"events"},
	}
	for name, c := range map[string]struct {
		status     int
		body, want string
	}{
		"envelope":          {403, `{"error":{"message":"no such luck","type":"t","param":null,"code":"403"}}`, "sluice: no such luck\n"},
		"control codes":     {403, `{"error":{"message":"\u001b[31mred\u001b]0;t\u0007"}}`, "sluice: red\n"},
		"key repeated":      {401, `{"error":{"message":"bad key ` + key + `"}}`, "sluice: bad key sk-...1234\n"},
		"no envelope":       {502, `<html>secret</html>`, "answered 502 Bad Gateway"},
		"empty envelope":    {500, `{"error":{}}`, "answered 500 Internal Server Error"},
		"other error shape": {400, `{"detail":"x"}`, "answered 400 Bad Request"},
	} {
		url := serve(t, says(c.status, c.body))
		for kind, args := range commands {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				got := sluice(t.Context(), cli.Options{}, "", append(args, "--url", url, "--key", key)...)
				if got.code != 1 || got.out != "" {
					t.Errorf("code %d, output %q", got.code, got.out)
				}
				contains(t, "message", got.note, c.want)
				if strings.Contains(got.note, key) || strings.Contains(got.note, "<html>") {
					t.Errorf("message %q", got.note)
				}
			})
		}
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(says(200, "{}"))
	s.Close()
	for _, args := range [][]string{{"key", "list"}, {"batch", "cancel", "b"}, {"chat", "echo", "hi"}, {"events"}, {"events", "--follow"}} {
		got := sluice(t.Context(), cli.Options{}, "", append(args, "--url", s.URL)...)
		if got.code != 1 {
			t.Errorf("%v: code %d", args, got.code)
		}
		contains(t, strings.Join(args, " "), got.note, "cannot reach "+s.URL, "connection refused", "is `sluice serve` running?")
	}
}

func TestNotAGateway(t *testing.T) {
	t.Parallel()
	url := serve(t, says(200, "<html>"))
	for _, args := range [][]string{{"key", "create"}, {"key", "list"}, {"key", "info"}, {"key", "delete", "x"},
		{"batch", "list"}, {"batch", "cancel", "b"}, {"batch", "wait", "b"}, {"events"}, {"chat", "echo", "hi"}} {
		if got := sluice(t.Context(), cli.Options{}, "", append(args, "--url", url)...); got.code != 1 || got.note == "" {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

func TestWrongArguments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args string
		want string
	}{
		{"key list --url nonsense", "--url must look like"},
		{"key list --url http://user:pw@host", "--url must look like"},
		{"key list --url ftp://host", "--url must look like"},
		{"key create extra", "unknown command"},
		{"key delete", "at least 1 arg"},
		{"key create --max-budget lots", "--max-budget: an amount in US dollars"},
		{"key create --max-budget -1", "--max-budget: an amount"},
		{"key create --max-budget 0x1p3", "--max-budget: an amount"},
		{"key create --metadata [1]", "--metadata must be a JSON object"},
		{"key create --metadata null", "--metadata must be a JSON object"},
		{"key create --nonsense", "unknown flag"},
		{"batch run in.jsonl", `required flag(s) "output" not set`},
		{"batch run", "accepts 1 arg"},
		{"batch list --limit 0", "--limit must be"},
		{"batch wait b --errors e", "--errors needs -o"},
		{"batch wait b -o x.jsonl --errors ./x.jsonl", "need two files"},
		{"batch wait b -o /no/such/folder/x", "no such file"},
		{"batch wait b -o .", "is a folder"},
		{"batch run same.jsonl -o ./same.jsonl", "is the input"},
		{"batch run /no/such/in.jsonl -o " + t.TempDir() + "/o", "no such file"},
		{"chat", "at least 1 arg"},
		{"chat echo", "there is no prompt"},
	} {
		got := sluice(t.Context(), cli.Options{HTTP: &http.Client{Transport: refuse{}}}, " \n", strings.Fields(c.args)...)
		if got.code != 1 || !strings.Contains(got.note, c.want) {
			t.Errorf("%s: %+v, want %q", c.args, got, c.want)
		}
	}
}

// refuse is a network that nothing may use.
type refuse struct{}

func (refuse) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("the network was used")
}

// spy keeps the last request and answers that there are no keys.
type spy struct{ url, authorization string }

func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	s.url, s.authorization = r.URL.String(), r.Header.Get("Authorization")
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{"keys":[]}`)), Header: http.Header{}}, nil
}

func TestAddressAndKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flags     []string
		env       map[string]string
		url, auth string
	}{
		"nothing set":              {nil, nil, "http://127.0.0.1:4000/key/list", "Bearer sk-local"},
		"url from the environment": {nil, map[string]string{"SLUICE_URL": "http://localhost:9/"}, "http://localhost:9/key/list", "Bearer sk-local"},
		"flag before environment": {[]string{"--url", "http://[::1]:8", "--key", "sk-flag"},
			map[string]string{"SLUICE_URL": "http://x", "SLUICE_API_KEY": "sk-env"}, "http://[::1]:8/key/list", "Bearer sk-flag"},
		"api key first":       {nil, map[string]string{"LITELLM_MASTER_KEY": "c", "SLUICE_MASTER_KEY": "b", "SLUICE_API_KEY": "a"}, "", "Bearer a"},
		"master key second":   {nil, map[string]string{"LITELLM_MASTER_KEY": "c", "SLUICE_MASTER_KEY": "b"}, "", "Bearer b"},
		"LiteLLM's name last": {nil, map[string]string{"LITELLM_MASTER_KEY": "c\n"}, "", "Bearer c"},
		"with /v1":            {[]string{"--url", "https://gw.example/llm/v1/"}, nil, "https://gw.example/llm/key/list", ""},
		"the local key stays": {[]string{"--url", "http://10.0.0.1:4000"}, nil, "http://10.0.0.1:4000/key/list", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := &spy{}
			o := cli.Options{
				Getenv:     func(name string) string { return c.env[name] },
				DefaultKey: func() (gateway.Secret, string) { return "sk-local", "a file" },
				HTTP:       &http.Client{Transport: seen},
			}
			if got := sluice(t.Context(), o, "", append([]string{"key", "list"}, c.flags...)...); got.code != 0 {
				t.Fatalf("%+v", got)
			}
			if !strings.HasPrefix(seen.url, c.url) || seen.authorization != c.auth {
				t.Errorf("called %q with %q", seen.url, seen.authorization)
			}
		})
	}
}

func TestNoKeyHint(t *testing.T) {
	t.Parallel()
	url := serve(t, says(401, `{"error":{"message":"No api key passed in."}}`))
	got := sluice(t.Context(), cli.Options{}, "", "key", "list", "--url", url)
	contains(t, "message", got.note, "No api key passed in.\nname a key with --key or SLUICE_API_KEY")
}
