package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bin are the binaries under test.
var bin struct{ dir, sluice, ingress, worker string }

// root is the top of the checkout.
const root = "../../.."

// atOnce is how many tests run side by side: most of the time they wait for leases and processes, not for a core.
const atOnce = "4"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	_ = flag.Set("test.parallel", atOnce) // before the command line is read, so that it can say otherwise
	dir, err := os.MkdirTemp("", "sluice-e2e-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return m.Run()
}

// build makes the three binaries, with the race detector where cgo and a C compiler are there.
func build(dir string) error {
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	mode := "without the race detector: it needs CGO_ENABLED=1 and a C compiler"
	if canRace() {
		args, mode = append(args, "-race"), "with the race detector"
	}
	args = append(args, "./services/sluice/cmd/sluice", "./services/ingress/cmd/ingress", "./services/worker/cmd/worker")
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=") // the workspace, whatever this module was built with
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	fmt.Println("e2e: sluice, ingress and worker are built", mode)
	bin.dir = dir
	for name, path := range map[string]*string{"sluice": &bin.sluice, "ingress": &bin.ingress, "worker": &bin.worker} {
		*path = filepath.Join(dir, name)
	}
	return nil
}

func canRace() bool {
	out, err := exec.Command("go", "env", "CGO_ENABLED", "CC").Output()
	words := strings.Fields(string(out))
	if err != nil || len(words) < 2 || words[0] != "1" {
		return false
	}
	_, err = exec.LookPath(words[1])
	return err == nil
}
