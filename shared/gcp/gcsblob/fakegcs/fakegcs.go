// Package fakegcs serves the part of Cloud Storage's JSON API that package gcsblob speaks, faithfully and strictly, from any
// bucket: from diskblob it is a file-backed cloud, in tests it also makes the faults of a real one.
package fakegcs

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/sluice-gateway/sluice/shared/blob"
)

// Fault is what goes wrong with one request.
type Fault int

const (
	NoFault   Fault = iota
	Refuse          // 503; nothing has happened
	LoseReply       // it has happened, but the connection breaks before the answer
	KeepPart        // of an upload's chunk, only the first 256 KiB are kept
	CutBody         // a download breaks in its middle
)

// Server is the fake. Make one with New; set its fields before it serves.
type Server struct {
	Fault    func(*http.Request) Fault // decides about each request; nil: no faults
	PageSize int                       // of lists; zero: 1,000

	bucket  string
	backing blob.Bucket
	mux     *http.ServeMux

	mu       sync.Mutex
	made     map[string]made     // about the objects that were made here
	sessions map[string]*session // by id
}

// made is what the backing bucket does not keep of an object.
type made struct {
	generation int64
	metadata   map[string]string
}

// New returns a server of one bucket, which keeps its objects in backing.
func New(bucket string, backing blob.Bucket) *Server {
	s := &Server{
		bucket: bucket, backing: backing, mux: http.NewServeMux(),
		made: map[string]made{}, sessions: map[string]*session{},
	}
	s.mux.HandleFunc("GET /storage/v1/b/{bucket}/o", s.list)
	s.mux.HandleFunc("GET /storage/v1/b/{bucket}/o/{name}", s.get)
	s.mux.HandleFunc("DELETE /storage/v1/b/{bucket}/o/{name}", s.delete)
	s.mux.HandleFunc("POST /upload/storage/v1/b/{bucket}/o", s.upload)
	s.mux.HandleFunc("PUT /upload/storage/v1/b/{bucket}/o", s.chunk)
	s.mux.HandleFunc("DELETE /upload/storage/v1/b/{bucket}/o", s.cancel)
	return s
}

// Close abandons the uploads that are not whole.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, session := range s.sessions {
		delete(s.sessions, id)
		session.abandon()
	}
}

type faultKey struct{}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := NoFault
	if s.Fault != nil {
		fault = s.Fault(r)
	}
	r = r.WithContext(context.WithValue(r.Context(), faultKey{}, fault))
	switch fault {
	case Refuse:
		fail(w, http.StatusServiceUnavailable, "backendError")
	case LoseReply:
		s.mux.ServeHTTP(nobody{}, r)
		panic(http.ErrAbortHandler)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// nobody takes an answer that is lost.
type nobody struct{}

func (nobody) Header() http.Header           { return http.Header{} }
func (nobody) Write(p []byte) (int, error)   { return len(p), nil }
func (nobody) WriteHeader(int)               {}
func hasFault(r *http.Request, f Fault) bool { return r.Context().Value(faultKey{}) == f }

func fail(w http.ResponseWriter, status int, reason string) {
	type detail struct {
		Domain string `json:"domain"`
		Reason string `json:"reason"`
	}
	var body struct {
		Error struct {
			Code    int      `json:"code"`
			Message string   `json:"message"`
			Errors  []detail `json:"errors"`
		} `json:"error"`
	}
	body.Error.Code, body.Error.Message = status, http.StatusText(status)
	body.Error.Errors = []detail{{"global", reason}}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

// failFor answers with a backing bucket's error.
func failFor(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, blob.ErrNotFound):
		fail(w, http.StatusNotFound, "notFound")
	case errors.Is(err, blob.ErrExists):
		fail(w, http.StatusPreconditionFailed, "conditionNotMet")
	default:
		fail(w, http.StatusInternalServerError, "backendError")
	}
}

// rightBucket answers for any other.
func (s *Server) rightBucket(w http.ResponseWriter, r *http.Request) bool {
	if r.PathValue("bucket") == s.bucket {
		return true
	}
	fail(w, http.StatusNotFound, "notFound")
	return false
}

// object is the resource of the same name.
type object struct {
	Kind       string            `json:"kind"`
	Name       string            `json:"name"`
	Bucket     string            `json:"bucket"`
	Size       int64             `json:"size,string"`
	Generation int64             `json:"generation,string"`
	CRC32C     string            `json:"crc32c,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
}

func (s *Server) object(info blob.Info, sum uint32) object {
	m := s.about(info.Name)
	return object{
		Kind: "storage#object", Name: info.Name, Bucket: s.bucket, Size: info.Bytes,
		Generation: m.generation, Metadata: m.metadata,
		CRC32C: base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum)),
	}
}

func (s *Server) about(name string) made {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.made[name]
	m.generation = max(m.generation, 1)
	return m
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	if !s.rightBucket(w, r) {
		return
	}
	name := r.PathValue("name")
	if r.FormValue("alt") == "media" {
		s.download(w, r, name)
		return
	}
	content, err := s.backing.Open(r.Context(), name, 0, -1)
	if err != nil {
		failFor(w, err)
		return
	}
	defer content.Close()
	sum := crc32.New(castagnoli)
	n, err := io.Copy(sum, content)
	if err != nil {
		failFor(w, err)
		return
	}
	reply(w, s.object(blob.Info{Name: name, Bytes: n}, sum.Sum32()))
}

func (s *Server) delete(w http.ResponseWriter, r *http.Request) {
	if !s.rightBucket(w, r) {
		return
	}
	name := r.PathValue("name")
	if _, err := s.size(r.Context(), name); err != nil {
		failFor(w, err)
		return
	}
	if want := r.FormValue("ifGenerationMatch"); want != "" && want != strconv.FormatInt(s.about(name).generation, 10) {
		fail(w, http.StatusPreconditionFailed, "conditionNotMet")
		return
	}
	if err := s.backing.Delete(r.Context(), name); err != nil {
		failFor(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// size finds an object in the list, where the port tells sizes.
func (s *Server) size(ctx context.Context, name string) (int64, error) {
	for info, err := range s.backing.List(ctx, name) {
		if err != nil || info.Name == name {
			return info.Bytes, err
		}
		break // a name comes before the longer ones
	}
	return 0, blob.ErrNotFound
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	if !s.rightBucket(w, r) {
		return
	}
	size := 1000
	if n, err := strconv.Atoi(r.FormValue("maxResults")); err == nil && n > 0 {
		size = min(size, n)
	}
	if s.PageSize > 0 {
		size = min(size, s.PageSize)
	}
	var page struct {
		Kind  string   `json:"kind"`
		Next  string   `json:"nextPageToken,omitempty"`
		Items []object `json:"items,omitempty"`
	}
	page.Kind = "storage#objects"
	after, err := base64.URLEncoding.DecodeString(r.FormValue("pageToken"))
	if err != nil {
		fail(w, http.StatusBadRequest, "invalid")
		return
	}
	for info, err := range s.backing.List(r.Context(), r.FormValue("prefix")) {
		if err != nil {
			failFor(w, err)
			return
		}
		if info.Name <= string(after) {
			continue
		}
		if len(page.Items) == size {
			page.Next = base64.URLEncoding.EncodeToString([]byte(page.Items[size-1].Name))
			break
		}
		o := s.object(info, 0)
		o.CRC32C = "" // not worth reading the object
		page.Items = append(page.Items, o)
	}
	reply(w, page)
}

func (s *Server) download(w http.ResponseWriter, r *http.Request, name string) {
	size, err := s.size(r.Context(), name)
	if err != nil {
		failFor(w, err)
		return
	}
	from, end, status := int64(0), size, http.StatusOK
	if header := r.Header.Get("Range"); header != "" {
		from, end = parseRange(header, size)
		if from >= size {
			fail(w, http.StatusRequestedRangeNotSatisfiable, "requestedRangeNotSatisfiable")
			return
		}
		status = http.StatusPartialContent
		w.Header().Set("Content-Range", "bytes "+strconv.FormatInt(from, 10)+"-"+strconv.FormatInt(end-1, 10)+"/"+strconv.FormatInt(size, 10))
	}
	content, err := s.backing.Open(r.Context(), name, from, end-from)
	if err != nil {
		failFor(w, err)
		return
	}
	defer content.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(end-from, 10))
	w.WriteHeader(status)
	if hasFault(r, CutBody) {
		_, _ = io.CopyN(w, content, (end-from)/2)
		panic(http.ErrAbortHandler)
	}
	if _, err := io.Copy(w, content); err != nil {
		panic(http.ErrAbortHandler) // so that the client does not take it for the whole
	}
}

// parseRange reads "bytes=FROM-" or "bytes=FROM-LAST"; anything else it cannot satisfy.
func parseRange(header string, size int64) (from, end int64) {
	first, last, _ := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return size, size
	}
	end = size
	if last != "" {
		l, err := strconv.ParseInt(last, 10, 64)
		if err != nil || l < from {
			return size, size
		}
		end = min(l+1, size)
	}
	return from, end
}
