package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// told is what a command said and how it ended.
type told struct {
	out, err string
	code     int
}

// run runs a command of the sluice binary against the gateway. The home folder is empty, so that nothing is found there.
func (g *sluice) run(t *testing.T, dir, key, stdin string, args ...string) told {
	t.Helper()
	return finish(t, command(t.Context(), dir, []string{"SLUICE_URL=" + g.url, "SLUICE_API_KEY=" + key}, bin.sluice, args...), stdin)
}

// finish runs a command to its end.
func finish(t *testing.T, cmd *exec.Cmd, stdin string) told {
	t.Helper()
	var out, failure strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = io.Reader(strings.NewReader(stdin)), &out, &failure
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return told{out.String(), failure.String(), cmd.ProcessState.ExitCode()}
}

func TestCLI(t *testing.T) {
	t.Parallel()
	g := startLocal(t, allModels)
	dir := t.TempDir()
	created := g.run(t, dir, masterKey, "", "key", "create", "--models", chatModel+",fault-400", "--alias", "cli", "--user", "cli-user")
	key := strings.TrimSpace(created.out)
	if created.code != 0 || !strings.HasPrefix(key, "sk-") || strings.Count(created.out, "\n") != 1 {
		t.Fatalf("key create: code %d, %q on standard output, %q", created.code, created.out, created.err)
	}
	if strings.Contains(created.err, key) {
		t.Error("key create shows the key twice")
	}
	g.provider.AddCanaries(key)
	t.Run("key", func(t *testing.T) { cliKey(t, g, dir, key) })
	t.Run("chat", func(t *testing.T) { cliChat(t, g, dir, key) })
	t.Run("batch", func(t *testing.T) { cliBatch(t, g, dir, key) })
	t.Run("events", func(t *testing.T) { cliEvents(t, g, dir, key) })
	g.checkBooks(t)
}

func cliKey(t *testing.T, g *sluice, dir, key string) {
	list := g.run(t, dir, masterKey, "", "key", "list")
	if list.code != 0 || !strings.Contains(list.out, "cli") || strings.Contains(list.out, key) {
		t.Errorf("key list: code %d\n%s%s", list.code, list.out, list.err)
	}
	info := g.run(t, dir, key, "", "key", "info")
	if info.code != 0 || !strings.Contains(info.out, "cli-user") {
		t.Errorf("key info: code %d\n%s%s", info.code, info.out, info.err)
	}
	short := g.run(t, dir, masterKey, "", "key", "create", "--alias", "short")
	if gone := g.run(t, dir, masterKey, "", "key", "delete", strings.TrimSpace(short.out)); gone.code != 0 {
		t.Errorf("key delete: code %d, %s", gone.code, gone.err)
	}
	refused := g.run(t, dir, strings.TrimSpace(short.out), "", "chat", chatModel, "hello")
	if refused.code != 1 || refused.out != "" || !strings.Contains(refused.err, "Authentication Error") {
		t.Errorf("chat with a deleted key: %+v", refused)
	}
	if strings.Contains(refused.err, strings.TrimSpace(short.out)) {
		t.Error("an error quotes the key")
	}
}

func cliChat(t *testing.T, g *sluice, dir, key string) {
	if got := g.run(t, dir, key, "", "chat", chatModel, "--usage", "hello", "there"); got.code != 0 || got.out != "hello there\n" || !strings.Contains(got.err, "tokens") {
		t.Errorf("chat: %+v", got)
	}
	if got := g.run(t, dir, key, "from standard input", "chat", chatModel); got.code != 0 || got.out != "from standard input\n" {
		t.Errorf("chat from standard input: %+v", got)
	}
	if got := g.run(t, dir, key, "", "chat", otherModel, "hello"); got.code != 1 || !strings.Contains(got.err, otherModel) {
		t.Errorf("chat with a model that is not allowed: %+v", got)
	}
}

func cliBatch(t *testing.T, g *sluice, dir, key string) {
	for name, test := range map[string]struct {
		content        []byte
		code           int
		lines, errored int    // of the two files; -1: there is none
		says           string // on standard error
	}{
		"good":  {inputFile(30, 0), 0, 30, -1, "30 lines done"},
		"mixed": {inputFile(30, 10), 2, 27, 3, "3 of 30 lines failed"},
		"bad":   {[]byte("no JSON\n"), 3, -1, -1, "failed"},
	} {
		in, out, failures := name+".jsonl", name+".out.jsonl", name+".out.errors.jsonl"
		content := test.content
		if name == "bad" { // its first line tells the endpoint
			content = append(batchLine("a", chatModel, "x"), content...)
		}
		if err := os.WriteFile(filepath.Join(dir, in), content, 0o600); err != nil {
			t.Fatal(err)
		}
		got := g.run(t, dir, key, "", "batch", "run", in, "-o", out)
		if got.code != test.code || got.out != "" || !strings.Contains(got.err, test.says) {
			t.Errorf("batch run %s: %+v, want code %d and %q", name, got, test.code, test.says)
		}
		if strings.ContainsAny(got.err, "\r\x1b") {
			t.Errorf("batch run %s draws a progress bar where there is no terminal: %q", name, got.err)
		}
		for path, want := range map[string]int{out: test.lines, failures: test.errored} {
			if n := linesOf(filepath.Join(dir, path)); n != want {
				t.Errorf("batch run %s: %s has %d lines, want %d", name, path, n, want)
			}
		}
	}
	list := g.run(t, dir, key, "", "batch", "list", "--json")
	var batches []batch
	if err := json.Unmarshal([]byte(list.out), &batches); err != nil || len(batches) != 3 {
		t.Fatalf("batch list: %v, %+v", err, list)
	}
	for _, b := range batches {
		want := map[bool]int{true: 0, false: 3}[b.Status == "completed"]
		if b.Counts.Failed > 0 {
			want = 2
		}
		if got := g.run(t, dir, key, "", "batch", "wait", b.ID); got.code != want {
			t.Errorf("batch wait for one that is %s with %+v: %+v, want code %d", b.Status, b.Counts, got, want)
		}
	}
}

// linesOf counts a file's lines; -1 is no file.
func linesOf(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return -1
	}
	return bytes.Count(text, []byte("\n"))
}

func cliEvents(t *testing.T, g *sluice, dir, key string) {
	all := g.run(t, dir, masterKey, "", "events")
	if all.code != 0 || !strings.Contains(all.out, batchCompleted) || !strings.Contains(all.out, spendRecorded) {
		t.Fatalf("events: code %d\n%.2000s%s", all.code, all.out, all.err)
	}
	lines := strings.Split(strings.TrimSpace(all.out), "\n")
	for _, l := range lines {
		if !json.Valid([]byte(l)) {
			t.Errorf("an event is no JSON: %q", l)
		}
	}
	var first struct{ ID string }
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	rest := g.run(t, dir, masterKey, "", "events", "--after", first.ID)
	if got := strings.Count(rest.out, "\n"); got != len(lines)-1 || strings.Contains(rest.out, first.ID) {
		t.Errorf("events --after the first of %d: %d lines", len(lines), got)
	}
	for kind, without := range map[string]string{"batch": spendRecorded, "spend": batchCompleted} {
		some := g.run(t, dir, masterKey, "", "events", "--type", kind)
		if some.code != 0 || some.out == "" || strings.Contains(some.out, without) {
			t.Errorf("events --type %s: code %d, %d lines of %d, and among them %s: %t", kind, some.code,
				strings.Count(some.out, "\n"), len(lines), without, strings.Contains(some.out, without))
		}
	}
	if refused := g.run(t, dir, key, "", "events"); refused.code != 1 {
		t.Errorf("events with a virtual key: %+v", refused)
	}
}
