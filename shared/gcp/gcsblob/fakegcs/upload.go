package fakegcs

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/blob"
)

const (
	granule     = 256 << 10 // a chunk that is not the last has a multiple of this length
	sessionLife = 7 * 24 * time.Hour
)

var errAbandoned = errors.New("the upload was abandoned")

// upload takes a whole object, or begins one in chunks.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	if !s.rightBucket(w, r) {
		return
	}
	query := r.URL.Query()
	name := query.Get("name")
	if name == "" || query.Get("ifGenerationMatch") != "0" {
		fail(w, http.StatusBadRequest, "required") // the fake does not replace objects
		return
	}
	switch query.Get("uploadType") {
	case "multipart":
		s.whole(w, r, name)
	case "resumable":
		if _, err := s.size(r.Context(), name); err == nil {
			fail(w, http.StatusPreconditionFailed, "conditionNotMet")
			return
		}
		metadata, err := readMetadata(r.Body)
		if err != nil {
			fail(w, http.StatusBadRequest, "parseError")
			return
		}
		query.Set("upload_id", s.begin(name, metadata))
		w.Header().Set("Location", "http://"+r.Host+r.URL.Path+"?"+query.Encode())
	default:
		fail(w, http.StatusBadRequest, "invalid")
	}
}

// whole takes a request of two parts: the metadata and the content.
func (s *Server) whole(w http.ResponseWriter, r *http.Request, name string) {
	_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	parts := multipart.NewReader(r.Body, params["boundary"])
	var metadata map[string]string
	part, err := parts.NextRawPart()
	if err == nil {
		metadata, err = readMetadata(part)
	}
	if err == nil {
		part, err = parts.NextRawPart()
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "badContent")
		return
	}
	sum := crc32.New(castagnoli)
	info, err := s.backing.Create(r.Context(), name, io.TeeReader(part, sum))
	s.created(w, info, metadata, sum.Sum32(), err)
}

func readMetadata(r io.Reader) (map[string]string, error) {
	var resource struct {
		Metadata map[string]string `json:"metadata"`
	}
	err := json.NewDecoder(r).Decode(&resource)
	if err == io.EOF { // none is fine
		err = nil
	}
	return resource.Metadata, err
}

// created answers with the new object.
func (s *Server) created(w http.ResponseWriter, info blob.Info, metadata map[string]string, sum uint32, err error) {
	if err != nil {
		failFor(w, err)
		return
	}
	s.mu.Lock()
	s.made[info.Name] = made{time.Now().UnixMicro(), metadata}
	s.mu.Unlock()
	reply(w, s.object(info, sum))
}

// session is an upload in chunks. They flow into the backing bucket's Create, which shows nothing before the end.
type session struct {
	metadata map[string]string
	expires  *time.Timer

	mu   sync.Mutex // one chunk at a time
	in   *io.PipeWriter
	kept int64
	sum  hash.Hash32
	end  bool // result is known
	done chan struct{}
	info blob.Info
	err  error
}

func (s *Server) begin(name string, metadata map[string]string) (id string) {
	out, in := io.Pipe()
	up := &session{metadata: metadata, in: in, sum: crc32.New(castagnoli), done: make(chan struct{})}
	go func() { // ends with the pipe: at the last chunk, or when the session is abandoned
		defer close(up.done)
		up.info, up.err = s.backing.Create(context.Background(), name, out)
		out.CloseWithError(errors.Join(up.err, io.ErrClosedPipe))
	}()
	id = rand.Text()
	up.expires = time.AfterFunc(sessionLife, func() { s.forget(id) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[id] = up
	return id
}

func (u *session) abandon() {
	u.expires.Stop()
	u.in.CloseWithError(errAbandoned)
	<-u.done
}

func (s *Server) forget(id string) (found bool) {
	s.mu.Lock()
	up := s.sessions[id]
	delete(s.sessions, id)
	s.mu.Unlock()
	if up != nil {
		up.abandon()
	}
	return up != nil
}

func (s *Server) cancel(w http.ResponseWriter, r *http.Request) {
	if !s.forget(r.FormValue("upload_id")) {
		fail(w, http.StatusNotFound, "notFound")
		return
	}
	w.WriteHeader(499) // what the service answers
}

// chunk takes a part of an object, or tells how much it has of it.
func (s *Server) chunk(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	up := s.sessions[r.URL.Query().Get("upload_id")]
	s.mu.Unlock()
	span, err := parseContentRange(r.Header.Get("Content-Range"))
	switch {
	case !s.rightBucket(w, r):
		return
	case up == nil:
		fail(w, http.StatusNotFound, "notFound")
		return
	case err != nil:
		fail(w, http.StatusBadRequest, "badRequest")
		return
	}
	up.mu.Lock()
	defer up.mu.Unlock()
	if !up.end {
		if status := up.take(r, span); status != 0 {
			fail(w, status, "badRequest")
			return
		}
		if span.total != up.kept {
			up.resume(w)
			return
		}
		up.in.Close()
		<-up.done
		up.end = true
	}
	s.created(w, up.info, up.metadata, up.sum.Sum32(), up.err)
}

func (u *session) resume(w http.ResponseWriter) {
	if u.kept > 0 {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", u.kept-1))
	}
	w.WriteHeader(http.StatusPermanentRedirect)
}

// take keeps what the request brings. It answers with a status if the request is none the service takes.
func (u *session) take(r *http.Request, span contentSpan) (status int) {
	n := span.end - span.from
	switch {
	case n == 0:
		return 0
	case span.from != u.kept:
		return http.StatusServiceUnavailable // as the service answers to a gap
	case span.total < 0 && n%granule != 0, r.ContentLength != n:
		return http.StatusBadRequest
	case hasFault(r, KeepPart):
		n = min(n, granule)
	}
	kept, err := io.CopyN(io.MultiWriter(u.in, u.sum), r.Body, n)
	u.kept += kept
	if err != nil { // the client has gone, or the bucket has failed
		return http.StatusServiceUnavailable
	}
	return 0
}

// contentSpan is a Content-Range header. An unknown total is -1.
type contentSpan struct{ from, end, total int64 }

// parseContentRange reads "bytes 0-9/10", "bytes 0-9/*", "bytes */10" or "bytes */*".
func parseContentRange(header string) (span contentSpan, err error) {
	spec, ok := strings.CutPrefix(header, "bytes ")
	bounds, total, split := strings.Cut(spec, "/")
	if !ok || !split {
		return span, errors.New("no content range")
	}
	number := func(s string) int64 {
		n, parseErr := strconv.ParseInt(s, 10, 64)
		err = errors.Join(err, parseErr)
		return n
	}
	span.total = -1
	if total != "*" {
		span.total = number(total)
	}
	if bounds != "*" {
		first, last, _ := strings.Cut(bounds, "-")
		span.from, span.end = number(first), number(last)+1
	}
	if span.end < span.from || span.total >= 0 && span.end > span.total {
		err = errors.Join(err, errors.New("an impossible content range"))
	}
	return span, err
}
