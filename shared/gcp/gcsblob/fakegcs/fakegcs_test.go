package fakegcs_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/blob/memblob"
	"github.com/sluice-gateway/sluice/shared/gcp/gcsblob/fakegcs"
)

func send(t *testing.T, server http.Handler, method, url, contentRange, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	if contentRange != "" {
		r.Header.Set("Content-Range", contentRange)
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return w
}

const uploads = "/upload/storage/v1/b/b/o?name=a&uploadType=resumable"

// TestStrictness sends what the service would not take, one after the other in one upload, and then ends it rightly.
func TestStrictness(t *testing.T) {
	t.Parallel()
	server := fakegcs.New("b", memblob.New())
	t.Cleanup(server.Close)
	if w := send(t, server, "POST", uploads, "", ""); w.Code != 400 {
		t.Errorf("without a precondition: %d; want 400", w.Code)
	}
	session := send(t, server, "POST", uploads+"&ifGenerationMatch=0", "", "").Header().Get("Location")
	granule := strings.Repeat("x", 256<<10)
	for _, c := range []struct {
		name, contentRange, body string
		want                     int
		kept                     string // Range header
	}{
		{"nothing kept yet", "bytes */*", "", 308, ""},
		{"no content range", "", "x", 400, ""},
		{"odd chunk before the end", "bytes 0-9/*", "0123456789", 400, ""},
		{"longer than its range", "bytes 0-262143/*", granule + "y", 400, ""},
		{"first chunk", "bytes 0-262143/*", granule, 308, "bytes=0-262143"},
		{"gap", "bytes 262145-262145/262146", "z", 503, ""},
		{"question", "bytes */*", "", 308, "bytes=0-262143"},
		{"question with a total", "bytes */262145", "", 308, "bytes=0-262143"},
		{"past the total", "bytes 262144-262145/262145", "zz", 400, ""},
		{"last chunk", "bytes 262144-262144/262145", "z", 200, ""},
		{"question after the end", "bytes */262145", "", 200, ""},
	} {
		w := send(t, server, "PUT", session, c.contentRange, c.body)
		if w.Code != c.want || w.Header().Get("Range") != c.kept {
			t.Errorf("%s: %d, range %q; want %d, %q", c.name, w.Code, w.Header().Get("Range"), c.want, c.kept)
		}
	}
	if w := send(t, server, "GET", "/storage/v1/b/b/o/a", "", ""); !strings.Contains(w.Body.String(), `"size":"262145"`) {
		t.Errorf("the object is %s", w.Body)
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	server := fakegcs.New("b", memblob.New())
	for method, urls := range map[string][]string{
		"GET":    {"/storage/v1/b/other/o", "/storage/v1/b/b/o/absent", "/storage/v1/b/b/o/absent?alt=media"},
		"DELETE": {"/storage/v1/b/b/o/absent", uploads + "&upload_id=absent"},
		"PUT":    {uploads + "&upload_id=absent"},
	} {
		for _, url := range urls {
			if w := send(t, server, method, url, "bytes */*", ""); w.Code != 404 || !strings.Contains(w.Body.String(), `"reason":"notFound"`) {
				t.Errorf("%s %s: %d %s; want 404", method, url, w.Code, w.Body)
			}
		}
	}
}
