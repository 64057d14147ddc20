package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	startLimit = 20 * time.Second
	stopLimit  = 10 * time.Second
)

// process is a started target.
type process struct {
	name, addr, log string
	pid             int
	began           time.Time
	stdin           io.Closer
	kill            context.CancelFunc
	ended           chan struct{}
}

// spawn starts a command, whose output goes to a file. It dies with ctx.
func spawn(ctx context.Context, name, bin string, args, env []string, dir, addr string) (*process, error) {
	ctx, kill := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "GOMAXPROCS=1"}, env...)
	cmd.Dir = dir
	p := &process{name: name, addr: addr, log: filepath.Join(dir, "log"), kill: kill, ended: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		kill()
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if p.stdin, err = cmd.StdinPipe(); err == nil {
		p.began = time.Now()
		err = cmd.Start()
	}
	if err != nil {
		kill()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.pid = cmd.Process.Pid
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop asks the process to end, and kills it if it does not.
func (p *process) stop() {
	defer p.kill()
	_ = syscall.Kill(p.pid, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopLimit):
		fmt.Printf("NOTE: %s did not end within %v of SIGTERM\n", p.name, stopLimit)
		p.kill()
		<-p.ended
	}
	_ = p.stdin.Close()
}

// failure says what went wrong with a process, with the end of its output.
func (p *process) failure(err error) error {
	text, _ := os.ReadFile(p.log)
	return fmt.Errorf("%s: %w; its last output:\n%s", p.name, err, text[max(0, len(text)-2000):])
}

// start runs a target in dir on a fresh port.
func (t target) start(ctx context.Context, dir, mockAddr string) (*process, error) {
	host, port, err := freePort()
	if err != nil {
		return nil, err
	}
	config, err := writeConfig(dir, mockAddr)
	if err != nil {
		return nil, err
	}
	s := site{addr: net.JoinHostPort(host, port), host: host, port: port, mock: mockAddr, dir: dir, config: config}
	var args, env []string
	if t.args != nil {
		args = t.args(s)
	}
	if t.env != nil {
		env = t.env(s)
	}
	bin, err := filepath.Abs(t.bin)
	if err != nil {
		return nil, err
	}
	bin, args = pinned(bin, args)
	return spawn(ctx, t.name, bin, args, env, dir, s.addr)
}

// startMock runs the upstream and waits for it.
func startMock(ctx context.Context, dir string) (*process, error) {
	p, err := startRole(ctx, "mock", dir)
	if err != nil {
		return nil, err
	}
	if _, err := p.untilChat(ctx, "-"); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// startRole runs this program in one of its own parts.
func startRole(ctx context.Context, role, dir string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	host, port, err := freePort()
	if err != nil {
		return nil, err
	}
	addr := net.JoinHostPort(host, port)
	return spawn(ctx, role, self, []string{roleArg, role, addr}, nil, dir, addr)
}

func freePort() (host, port string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer l.Close()
	return net.SplitHostPort(l.Addr().String())
}

// untilChat polls in a tight loop and returns the time from before the fork to the first chat that was answered with 200.
func (p *process) untilChat(ctx context.Context, key string) (time.Duration, error) {
	w := &worker{addr: p.addr, request: chatRequest(p.addr, key, chatBody)}
	defer w.close()
	return p.until(ctx, w.once)
}

// untilHealthy does the same with a GET of path.
func (p *process) untilHealthy(ctx context.Context, path string) (time.Duration, error) {
	return p.until(ctx, func() error {
		_, err := get(ctx, "http://"+p.addr+path)
		return err
	})
}

func (p *process) until(ctx context.Context, try func() error) (time.Duration, error) {
	for {
		err := try()
		switch {
		case err == nil:
			return time.Since(p.began), nil
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case time.Since(p.began) > startLimit:
			return 0, p.failure(fmt.Errorf("not ready after %v: %w", startLimit, err))
		}
		select {
		case <-p.ended:
			return 0, p.failure(fmt.Errorf("it ended: %w", err))
		case <-time.After(100 * time.Microsecond):
		}
	}
}

// get fetches a URL and wants a 2xx.
func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("GET %s: status %d: %.200s", url, resp.StatusCode, bytes.TrimSpace(body))
	}
	return body, err
}
