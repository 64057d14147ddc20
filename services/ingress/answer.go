package ingress

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/dialect/all"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ratelimit"
	"github.com/sluice-gateway/sluice/shared/store"
)

// bodyTimeout is how long a caller may take to send a body.
const bodyTimeout = 30 * time.Second

func writeJSON(w http.ResponseWriter, status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a caller who is gone is no error of ours
	return nil
}

// spoken has the paths where callers do not speak OpenAI's chat dialect.
var spoken = []struct {
	prefix string
	op     gateway.Op
}{
	{"/v1/messages", gateway.OpMessages}, {"/messages", gateway.OpMessages},
	{"/v1/responses", gateway.OpResponses}, {"/responses", gateway.OpResponses},
	{"/v1beta/", gateway.OpGemini},
}

// spokenIn is the dialect in which a request's caller is answered.
func spokenIn(r *http.Request) gateway.Op {
	for _, s := range spoken {
		if strings.HasPrefix(r.URL.Path, s.prefix) {
			return s.op
		}
	}
	if r.Method == http.MethodPost && strings.Contains(r.URL.Path, "models/") {
		return gateway.OpGemini // its other version
	}
	return gateway.OpChat
}

// nameCall tells the caller what its call is named, under Anthropic's name for that, too, where that is looked for.
func nameCall(h http.Header, r *http.Request, id string) {
	h[requestID] = []string{id}
	if spokenIn(r) == gateway.OpMessages {
		h["Request-Id"] = h[requestID]
	}
}

// answerError writes an error in the dialect of the path, unless the answer has begun.
func (s *Server) answerError(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errBegun) {
		return
	}
	e := gateway.AsError(err)
	if errors.Is(err, store.ErrFull) || errors.Is(err, blob.ErrFull) {
		e = gateway.Errorf(gateway.KindStorageFull, "The gateway's disk is full.")
	}
	if e.Status() >= 500 {
		s.Log.WarnContext(r.Context(), "call failed", "route", r.Pattern, "status", e.Status(), "type", e.Type(), "error", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if h.Get(requestID) == "" {
		nameCall(h, r, uuid.NewString())
	}
	switch e.Kind {
	case gateway.KindUnauthenticated:
		h.Set("WWW-Authenticate", "Bearer")
	case gateway.KindTooLarge:
		h.Set("Connection", "close") // what is left of the body will not be read
	}
	if e.Kind == gateway.KindBudget {
		h.Set("X-Should-Retry", "false")
	} else if e.Retry != nil {
		h.Set("X-Should-Retry", strconv.FormatBool(*e.Retry))
	}
	var over *ratelimit.Exceeded
	if errors.As(err, &over) {
		tellExceeded(h, over)
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
	}
	w.WriteHeader(e.Status())
	_, _ = w.Write(all.Of(spokenIn(r)).EncodeError(e))
}

// errBegun is what a handler returns when it failed after its answer had begun and has said so itself.
var errBegun = errors.New("the answer has begun")

const requestID = "X-Request-Id"

// recovered turns a panic into a failed call of one caller.
func (s *Server) recovered(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.Log.ErrorContext(r.Context(), "panic in a handler", "route", r.Pattern, "panic", v, "stack", string(debug.Stack()))
	s.answerError(w, r, gateway.Errorf(gateway.KindInternal, "Internal error."))
}

// readBody reads a JSON body whole. Too large a one is refused before it is read where its length is told.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limit := s.MaxBody
	if limit == 0 {
		limit = DefaultMaxBody
	}
	switch {
	case r.ContentLength > limit:
		return nil, tooLarge(limit)
	case r.Header.Get("Content-Encoding") != "" && r.Header.Get("Content-Encoding") != "identity":
		return nil, gateway.Errorf(gateway.KindUnsupported, "Content-Encoding is not supported: send the body as it is.")
	case !isJSON(r.Header.Get("Content-Type")):
		return nil, gateway.Errorf(gateway.KindUnsupported, "Content-Type must be application/json.")
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := readUpTo(r.Body, r.ContentLength, limit)
	_ = control.SetReadDeadline(time.Time{})
	switch {
	case errors.Is(err, errTooLarge):
		return nil, tooLarge(limit)
	case err != nil:
		e := gateway.Errorf(gateway.KindInvalid, "The body could not be read whole.").WithCause(err)
		if r.Context().Err() == nil && isTimeout(err) {
			e.HTTPStatus = http.StatusRequestTimeout
		}
		return nil, e
	}
	return body, nil
}

var errTooLarge = errors.New("too large")

func readUpTo(r io.Reader, length, limit int64) ([]byte, error) {
	if length >= 0 {
		body := make([]byte, length)
		_, err := io.ReadFull(r, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = errTooLarge
	}
	return body, err
}

func tooLarge(limit int64) error {
	return gateway.Errorf(gateway.KindTooLarge, "The body is larger than the limit of %d bytes.", limit)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// isJSON accepts what JSON comes as: a missing type is taken for it, and so is the one that curl -d sends for whatever it
// sends. No browser can send either with a credential without asking first.
func isJSON(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || media == "application/x-www-form-urlencoded")
}

// readObject reads a JSON object whose fields a handler picks.
func (s *Server) readObject(w http.ResponseWriter, r *http.Request) (map[string]json.RawMessage, error) {
	body, err := s.readBody(w, r)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, gateway.Invalid("", "The body is empty: a JSON object is expected.")
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		return nil, gateway.Invalid("", "The body is not a JSON object.")
	}
	return object, nil
}

// readField reads one field of such an object into a Go value.
func readField(object map[string]json.RawMessage, name string, into any, want string) error {
	raw, found := object[name]
	if !found || string(raw) == "null" {
		return gateway.Invalid(name, "%s is required.", name)
	}
	if json.Unmarshal(raw, into) != nil {
		return gateway.Invalid(name, "%s must be %s.", name, want)
	}
	return nil
}
