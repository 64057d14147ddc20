package gcsblob_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/blob/blobtest"
	"github.com/sluice-gateway/sluice/shared/blob/memblob"
	"github.com/sluice-gateway/sluice/shared/embedded/diskblob"
	"github.com/sluice-gateway/sluice/shared/gcp/gcsblob"
	"github.com/sluice-gateway/sluice/shared/gcp/gcsblob/fakegcs"
)

// serve returns the driver on a fake service.
func serve(t *testing.T, fake *fakegcs.Server) *gcsblob.Bucket {
	t.Helper()
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	t.Cleanup(fake.Close)
	b, err := gcsblob.New(gcsblob.Config{Bucket: "b", BaseURL: server.URL, Client: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSuite(t *testing.T) {
	t.Parallel()
	backings := map[string]func(*testing.T) blob.Bucket{
		"on memory": func(*testing.T) blob.Bucket { return memblob.New() },
		"on disk": func(t *testing.T) blob.Bucket {
			b, err := diskblob.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			return b
		},
	}
	for name, backing := range backings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blobtest.Run(t, func(t *testing.T) blob.Bucket {
				fake := fakegcs.New("b", backing(t))
				fake.PageSize = 5
				return serve(t, fake)
			})
		})
	}
}

// TestSuiteOnABadDay runs the suite against a service where every third request fails in one way or another.
func TestSuiteOnABadDay(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakegcs.Fault{
		"refuse": fakegcs.Refuse, "lose the reply": fakegcs.LoseReply, "keep a part": fakegcs.KeepPart,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blobtest.Run(t, func(t *testing.T) blob.Bucket {
				var requests atomic.Int32
				fake := fakegcs.New("b", memblob.New())
				fake.Fault = func(*http.Request) fakegcs.Fault {
					if requests.Add(1)%3 == 0 {
						return fault
					}
					return fakegcs.NoFault
				}
				return serve(t, fake)
			})
		})
	}
}

// once makes a fault of the first request of a method.
func once(method string, fault fakegcs.Fault) func(*http.Request) fakegcs.Fault {
	var done atomic.Bool
	return func(r *http.Request) fakegcs.Fault {
		if r.Method == method && done.CompareAndSwap(false, true) {
			return fault
		}
		return fakegcs.NoFault
	}
}

func content(t *testing.T, b blob.Bucket, name string) string {
	t.Helper()
	r, err := b.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestLostReplyOfACreate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method string // of the request that completes the object
		bytes  int
	}{
		"small": {http.MethodPost, 10},
		"large": {http.MethodPut, 8<<20 + 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := fakegcs.New("b", memblob.New())
			var puts atomic.Int32
			fake.Fault = func(r *http.Request) fakegcs.Fault {
				final := c.bytes < 8<<20 || strings.HasPrefix(r.Header.Get("Content-Range"), "bytes 8388608-")
				if r.Method == c.method && final && puts.Add(1) == 1 {
					return fakegcs.LoseReply
				}
				return fakegcs.NoFault
			}
			b := serve(t, fake)
			want := strings.Repeat("x", c.bytes)
			if info, err := b.Create(t.Context(), "a", strings.NewReader(want)); err != nil || info.Bytes != int64(c.bytes) {
				t.Fatalf("Create = %v, %v; want success", info, err)
			}
			if content(t, b, "a") != want {
				t.Error("the content differs")
			}
			if _, err := b.Create(t.Context(), "a", strings.NewReader(want)); !errors.Is(err, blob.ErrExists) {
				t.Errorf("Create of equal content = %v; want ErrExists", err)
			}
		})
	}
}

func TestLostReplyDoesNotHideAnother(t *testing.T) {
	t.Parallel()
	backing := memblob.New()
	fake := fakegcs.New("b", backing)
	first := true
	fake.Fault = func(r *http.Request) fakegcs.Fault {
		if r.Method == http.MethodPost && first { // ours gets lost on the way, while another's arrives
			first = false
			if _, err := backing.Create(r.Context(), "a", strings.NewReader("equal")); err != nil {
				t.Error(err)
			}
			return fakegcs.Refuse
		}
		return fakegcs.NoFault
	}
	b := serve(t, fake)
	if _, err := b.Create(t.Context(), "a", strings.NewReader("equal")); !errors.Is(err, blob.ErrExists) {
		t.Errorf("Create = %v; want ErrExists", err)
	}
}

func TestOneOfTwoLargeCreatorsWins(t *testing.T) {
	t.Parallel()
	b := serve(t, fakegcs.New("b", memblob.New()))
	var ready, done sync.WaitGroup
	ready.Add(2)
	errs := make([]error, 2)
	for i := range errs {
		done.Go(func() {
			// Both have sent their first chunk before either can finish.
			wait := sync.OnceFunc(func() { ready.Done(); ready.Wait() })
			body := io.MultiReader(strings.NewReader(strings.Repeat("x", 9<<20)), tail(wait))
			_, errs[i] = b.Create(t.Context(), "a", body)
		})
	}
	done.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), blob.ErrExists) {
		t.Errorf("%v and %v; want one to win, the other to get ErrExists", errs[0], errs[1])
	}
}

type tail func()

func (f tail) Read([]byte) (int, error) { f(); return 0, io.EOF }

func TestCutDownloadIsAnError(t *testing.T) {
	t.Parallel()
	fake := fakegcs.New("b", memblob.New())
	fake.Fault = once(http.MethodGet, fakegcs.CutBody)
	b := serve(t, fake)
	if _, err := b.Create(t.Context(), "a", strings.NewReader(strings.Repeat("x", 1<<20))); err != nil {
		t.Fatal(err)
	}
	r, err := b.Open(t.Context(), "a", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err == nil {
		t.Errorf("read %d bytes of 1 MiB without an error", len(got))
	}
}

func TestAbandonedUploadIsCanceled(t *testing.T) {
	t.Parallel()
	fake := fakegcs.New("b", memblob.New())
	var canceled atomic.Bool
	fake.Fault = func(r *http.Request) fakegcs.Fault {
		if r.Method == http.MethodDelete && r.URL.Query().Has("upload_id") {
			canceled.Store(true)
		}
		return fakegcs.NoFault
	}
	b := serve(t, fake)
	broken := io.MultiReader(strings.NewReader(strings.Repeat("x", 9<<20)), iotest.ErrReader(errors.New("broken")))
	if _, err := b.Create(t.Context(), "a", broken); err == nil {
		t.Error("no error")
	}
	if !canceled.Load() {
		t.Error("the upload was not canceled")
	}
}

func TestErrorsTellNoSecrets(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Location", "http://"+r.Host+"/?upload_id=SECRET")
			return
		}
		http.Error(w, "a page that quotes SECRET", http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	b, err := gcsblob.New(gcsblob.Config{Bucket: "b", BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, opened := b.Open(t.Context(), "a", 0, -1)
	_, created := b.Create(t.Context(), "a", strings.NewReader(strings.Repeat("x", 9<<20)))
	for op, err := range map[string]error{"Open": opened, "Create": created} {
		if err == nil || strings.Contains(err.Error(), "SECRET") || !strings.Contains(err.Error(), "403") {
			t.Errorf("%s: %v; want the status alone", op, err)
		}
	}
}

func TestSilenceIsAnError(t *testing.T) {
	t.Parallel()
	silence := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-silence
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(silence) })
	b, err := gcsblob.New(gcsblob.Config{Bucket: "b", BaseURL: server.URL, Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Open(t.Context(), "a", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); err == nil {
		t.Error("a silent service is taken for an empty object")
	}
}

func TestBadBucketName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a/b", "a?b"} {
		if _, err := gcsblob.New(gcsblob.Config{Bucket: name}); err == nil {
			t.Errorf("took %q", name)
		}
	}
}
