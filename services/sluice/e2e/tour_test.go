package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tour is the shell block of the README that a newcomer types.
func tour(t *testing.T) string {
	t.Helper()
	const heading, fence = "\n## A one-minute tour\n", "```"
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), heading)
	if !found {
		t.Fatalf("the README has no heading%s", heading)
	}
	if next := strings.Index(after, "\n## "); next >= 0 {
		after = after[:next]
	}
	_, after, _ = strings.Cut(after, "\n"+fence+"sh\n")
	block, _, found := strings.Cut(after, "\n"+fence)
	if !found {
		t.Fatalf("no sh block follows the README's heading%s", heading)
	}
	return block
}

// The README's tour works as it is written, on both engines. Only the address differs: tests share the machine.
func TestTour(t *testing.T) {
	t.Parallel()
	const address = "http://127.0.0.1:4000"
	block := tour(t)
	for name, start := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, nil)
			home := t.TempDir()
			key := filepath.Join(home, ".sluice", "master.key") // where both ways to run the gateway leave it
			if err := os.Mkdir(filepath.Dir(key), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(key, []byte(masterKey+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(bin.dir, filepath.Join(home, "bin")); err != nil {
				t.Fatal(err)
			}
			script := "set -euo pipefail\n" + strings.ReplaceAll(block, address, g.url)
			got := finish(t, command(t.Context(), home, []string{"SLUICE_URL=" + g.url}, "bash", "-c", script), "")
			if got.code != 0 {
				t.Fatalf("code %d:\n%s\n%s", got.code, got.out, got.err)
			}
			for _, want := range []string{"Hello,", "data: [DONE]", "You said: Hello again!", "You said: And again!", "Question 3", batchCreated, batchCompleted} {
				if !strings.Contains(got.out, want) {
					t.Errorf("the tour does not show %q:\n%s", want, got.out)
				}
			}
			if n := linesOf(filepath.Join(home, "out.jsonl")); n != 3 {
				t.Errorf("out.jsonl has %d lines", n)
			}
			eventually(t, bookLimit, "the ledger has the tour's six calls", func() error {
				if n := len(g.ledger(t, masterKey)); n != 6 {
					return fmt.Errorf("it has %d entries", n)
				}
				return nil
			})
		})
	}
}
