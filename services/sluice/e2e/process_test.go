package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startLimit = 60 * time.Second // for a process to serve; generous, as the race detector and other tests slow it down
	stopLimit  = 30 * time.Second // for a process to end after SIGTERM
)

// process is a running binary. Its output goes to a file that is shown if the test fails.
type process struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
}

// command prepares a binary with an environment of its own: nothing of the test's reaches it but PATH.
func command(ctx context.Context, dir string, env []string, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "GORACE=halt_on_error=0"}, env...)
	cmd.SysProcAttr = diesWithUs()
	return cmd
}

// spawn starts a binary that lives until it is stopped, killed, or the test ends.
func spawn(t testing.TB, dir string, env []string, path string, args ...string) *process {
	t.Helper()
	p := &process{name: filepath.Base(path), ended: make(chan struct{})}
	if _, err := os.Stat(p.log(dir)); err != nil { // the first of its name in this test
		t.Cleanup(func() { p.report(t, dir) })
	}
	log, err := os.OpenFile(p.log(dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.cmd = command(context.WithoutCancel(t.Context()), dir, env, path, args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *process) log(dir string) string { return filepath.Join(dir, p.name+".log") }

// report shows the end of the log of a test that failed, and fails a test whose process saw a data race.
func (p *process) report(t testing.TB, dir string) {
	text, err := os.ReadFile(p.log(dir))
	if err != nil {
		t.Error(err)
	}
	if at := bytes.Index(text, []byte("WARNING: DATA RACE")); at >= 0 {
		t.Errorf("%s has a data race:\n%.6000s", p.name, text[at:])
	}
	if at := bytes.Index(text, []byte("panic")); at >= 0 {
		t.Errorf("%s has panicked:\n%.4000s", p.name, text[at:])
	}
	if t.Failed() {
		t.Logf("the end of the log of %s:\n%s", p.name, text[max(0, len(text)-4000):])
	}
}

// kill is kill -9, and waits for the end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop asks the process to end in order, and expects it to.
func (p *process) stop(t testing.TB) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopLimit):
		p.kill()
		t.Errorf("%s did not end within %v of SIGTERM", p.name, stopLimit)
	}
}

// untilServing waits for a 2xx from url, or for the process to end before that.
func (p *process) untilServing(t testing.TB, url string) {
	t.Helper()
	eventually(t, startLimit, p.name+" serves "+url, func() error {
		select {
		case <-p.ended:
			t.Fatalf("%s ended: %v", p.name, p.cmd.ProcessState)
		default:
		}
		resp, err := http.Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return nil
	})
}

// given are the ports that freePort has picked.
var given sync.Map

// freePort picks a port below those that the kernel gives to outgoing connections, so that it is still free when a killed
// process wants it again. No two tests get the same.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 10_000 + rand.N(10_000)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = l.Close()
			if _, taken := given.LoadOrStore(port, true); !taken {
				return port
			}
		}
	}
	t.Fatal("no free port")
	return 0
}

// pollEvery is the pause between two looks.
const pollEvery = 50 * time.Millisecond

// eventually looks until try returns nil, and fails the test with its last error at the limit.
func eventually(t testing.TB, limit time.Duration, what string, try func() error) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-time.After(pollEvery):
		case <-deadline.C:
			t.Fatalf("%s: not within %v: %v", what, limit, err)
		}
	}
}
