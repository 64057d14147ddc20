package e2e_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// refusalLimit is how long a start that must fail may take.
const refusalLimit = 30 * time.Second

// serve starts `sluice serve`, which must refuse, and returns what it said.
func serve(t *testing.T, dir string, env []string, args ...string) told {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), refusalLimit)
	defer cancel()
	got := finish(t, command(ctx, dir, env, bin.sluice, append([]string{"serve"}, args...)...), "")
	if ctx.Err() != nil {
		t.Errorf("serve %v does not refuse", args)
	}
	return got
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const garbage = "this is no database, and was somebody's work\n"
	for name, test := range map[string]struct {
		prepare func(t *testing.T, dir string)
		env     []string
		args    []string
		says    []string
	}{
		"open address without a master key":  {args: []string{"--host", "0.0.0.0"}, says: []string{"SLUICE_MASTER_KEY", "0.0.0.0"}},
		"every address without a master key": {args: []string{"--host", ""}, says: []string{"SLUICE_MASTER_KEY"}},
		"short master key":                   {env: []string{"SLUICE_MASTER_KEY=sk-short"}, says: []string{"12 characters"}},
		"master key of another form":         {env: []string{"LITELLM_MASTER_KEY=secret-of-mine"}, says: []string{`"sk-"`}},
		"garbage for a data file": {
			prepare: func(t *testing.T, dir string) { write(t, filepath.Join(dir, "data", "sluice.db"), garbage) }, says: []string{"sluice.db"},
		},
		"folder for a data file": {
			prepare: func(t *testing.T, dir string) { write(t, filepath.Join(dir, "data", "sluice.db", "x"), "") }, says: []string{"sluice.db"},
		},
		"file for a data folder": {
			prepare: func(t *testing.T, dir string) { write(t, filepath.Join(dir, "data"), "") }, says: []string{"data"},
		},
		"broken config.yaml": {
			prepare: func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "c.yaml"), "model_list:\n  - model_name: [a\n  b: {\n")
			},
			args: []string{"--config", "c.yaml"}, says: []string{"c.yaml:", "YAML"},
		},
		"config.yaml without a model": {
			prepare: func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "c.yaml"), "model_list:\n  - model_name: a\n    litellm_params: {api_key: sk-secret-of-the-file}\n")
			},
			args: []string{"--config", "c.yaml"}, says: []string{"c.yaml:2", "litellm_params.model"},
		},
		"no config.yaml":     {args: []string{"--config", "absent.yaml"}, says: []string{"absent.yaml"}},
		"PORT is no number":  {env: []string{"PORT=many"}, says: []string{"PORT", "many"}},
		"port out of range":  {args: []string{"--port", "70000"}, says: []string{"70000"}},
		"unknown flag":       {args: []string{"--nonsense"}, says: []string{"nonsense"}},
		"unknown provider":   {args: []string{"--model", "nobody/model"}, says: []string{"nobody"}},
		"model without key":  {args: []string{"--model", "gpt-3.5-turbo"}, says: []string{"OPENAI_API_KEY"}},
		"api_base is no URL": {args: []string{"--model", "gpt-3.5-turbo", "--api_base", "localhost"}, says: []string{"api_base"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if test.prepare != nil {
				test.prepare(t, dir)
			}
			env := append([]string{"PORT=" + strconv.Itoa(freePort(t))}, test.env...)
			got := serve(t, dir, env, append([]string{"--data", filepath.Join(dir, "data")}, test.args...)...)
			if got.code != 1 {
				t.Errorf("the exit code is %d, want 1", got.code)
			}
			for _, want := range test.says {
				if !strings.Contains(got.err, want) {
					t.Errorf("it says %q, want %q in it", got.err, want)
				}
			}
			if strings.Contains(got.out+got.err, "secret-of") || strings.Contains(got.err, "goroutine") {
				t.Errorf("it says %q", got.out+got.err)
			}
			if text, err := os.ReadFile(filepath.Join(dir, "data", "sluice.db")); err == nil && name == "garbage for a data file" && string(text) != garbage {
				t.Error("a file that is no database was overwritten")
			}
		})
	}
}

// Two processes on one folder would each take the other's work for lost.
func TestServeRefusesSharedData(t *testing.T) {
	t.Parallel()
	g := startLocal(t, allModels)
	data := filepath.Join(g.dir, "data")
	got := serve(t, t.TempDir(), []string{"SLUICE_MASTER_KEY=" + masterKey}, "--data", data, "--port", strconv.Itoa(freePort(t)))
	if got.code != 1 || !strings.Contains(got.err, data) {
		t.Errorf("a second process on the same folder: %+v", got)
	}
	port := g.url[strings.LastIndex(g.url, ":")+1:]
	got = serve(t, t.TempDir(), []string{"SLUICE_MASTER_KEY=" + masterKey}, "--data", t.TempDir(), "--port", port)
	if got.code != 1 || !strings.Contains(got.err, port) {
		t.Errorf("a second process on the same port: %+v", got)
	}
	key := g.newKey(t, nil)
	if a := g.call(t, key, http.MethodPost, "/v1/chat/completions", chatBody(chatModel, "still here")); a.status != http.StatusOK {
		t.Errorf("the first process answers %d: %s", a.status, a.body)
	}
	g.checkBooks(t)
	g.worker.stop(t)
	if code := g.worker.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("after SIGTERM the exit code is %d", code)
	}
	g.restart(t) // the folder is free again, and the key is still there
	if a := g.call(t, key, http.MethodGet, "/v1/models", nil); a.status != http.StatusOK {
		t.Errorf("after the restart the key gets %d", a.status)
	}
}

// LiteLLM's shortest start: one model, from one address. The port comes from the environment, and the key from the folder.
func TestServeOneModel(t *testing.T) {
	t.Parallel()
	provider, api := fakeprovider.Start(t)
	dir := t.TempDir()
	g := &sluice{engine: "local", dir: dir, provider: provider, url: "http://127.0.0.1:" + strconv.Itoa(freePort(t))}
	p := spawn(t, dir, []string{"PORT=" + g.url[len("http://127.0.0.1:"):], "OPENAI_API_KEY=" + fakeprovider.DefaultKey, "GROQ_API_KEY=gsk-unused"},
		bin.sluice, "serve", "--data", "data", "--model", chatModel, "--api_base", api+"/v1", "--num_workers", "8", "--debug")
	p.untilServing(t, g.url+"/health/readiness")
	text, err := os.ReadFile(filepath.Join(dir, "data", "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(string(text))
	provider.AddCanaries(key)
	if info, err := os.Stat(filepath.Join(dir, "data", "master.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of the master key is %v, %v", info.Mode(), err)
	}
	models := must[struct{ Data []struct{ ID string } }](t, g, key, http.MethodGet, "/v1/models", nil)
	if len(models.Data) != 1 || models.Data[0].ID != chatModel {
		t.Errorf("served are %+v, want %s alone", models.Data, chatModel)
	}
	for model, want := range map[string]int{chatModel: 200, otherModel: 400, "groq/llama-3.1-8b-instant": 400, "echo": 400, "": 400} {
		if a := g.call(t, key, http.MethodPost, "/v1/chat/completions", chatBody(model, "hello")); a.status != want {
			t.Errorf("model %q: status %d, want %d: %s", model, a.status, want, a.body)
		}
	}
	if n := len(provider.Bill()); n != 1 {
		t.Errorf("the provider has %d requests, want 1", n)
	}
	log, err := os.ReadFile(p.log(dir))
	if err != nil || strings.Contains(string(log), key) || strings.Contains(string(log), fakeprovider.DefaultKey) {
		t.Errorf("a secret is in the log, %v", err)
	}
}
