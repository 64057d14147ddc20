package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/queue"
)

// MaxBodyBytes bounds the body of a push: a message of the largest size in base64, and its attributes.
const MaxBodyBytes = 12 << 20

// Verifier checks the identity token of a push. Package oidc checks Google's, package dispatch its own.
type Verifier interface {
	// Verify returns nil only for a token that proves who pushes. The token is empty when the request carried none; a
	// verifier refuses that unless it was built for a pusher that sends no token. Safe for concurrent use.
	Verify(ctx context.Context, token string) error
}

// Handler receives pushes: it checks the identity token, decodes the message and runs handle under the request's context.
// It answers
//
//	204  handle returned nil; or another error than below, and the message now lies on queue.Dead with the reason
//	400  the body is no push envelope
//	401  the identity token is missing or bad
//	405  not a POST
//	413  the body is larger than MaxBodyBytes
//	503  handle asked for another delivery, panicked, or was cut short by the request's end; or queue.Dead is away
//
// where every answer but 204 makes the service deliver the message again.
func Handler(verify Verifier, handle queue.Handler, dead queue.Publisher, log *slog.Logger) http.Handler {
	return &receiver{verify, handle, dead, log}
}

type receiver struct {
	verify Verifier
	handle queue.Handler
	dead   queue.Publisher
	log    *slog.Logger
}

func (p *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	subscription, m, err := p.admit(w, r)
	if err != nil {
		p.log.WarnContext(r.Context(), "push refused", "error", err)
		refuse(w, gateway.AsError(err))
		return
	}
	if !p.process(r.Context(), subscription, m) {
		refuse(w, gateway.Errorf(gateway.KindUnavailable, "The message was not processed; deliver it again."))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// admit checks who pushes before it reads what is pushed.
func (p *receiver) admit(w http.ResponseWriter, r *http.Request) (subscription string, m queue.Message, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return "", m, gateway.Errorf(gateway.KindMethod, "A push is a POST.")
	}
	if err := p.verify.Verify(r.Context(), bearer(r)); err != nil {
		w.Header().Set("WWW-Authenticate", "Bearer")
		return "", m, gateway.Errorf(gateway.KindUnauthenticated, "The push carries no valid identity token.").WithCause(err)
	}
	var body bytes.Buffer
	body.Grow(int(min(max(0, r.ContentLength), MaxBodyBytes)) + bytes.MinRead)
	_, err = body.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return "", m, gateway.Errorf(gateway.KindTooLarge, "A push may have at most %d bytes.", MaxBodyBytes)
	}
	if err != nil {
		return "", m, gateway.Errorf(gateway.KindInvalid, "The body could not be read.").WithCause(err)
	}
	if subscription, m, err = Decode(body.Bytes()); err != nil {
		return "", m, gateway.Errorf(gateway.KindInvalid, "The body is no Pub/Sub push envelope.").WithCause(err)
	}
	return subscription, m, nil
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// errPanic marks a handler's panic.
var errPanic = errors.New("panic")

// process runs the handler and reports whether the message is done with: processed, or buried.
func (p *receiver) process(ctx context.Context, subscription string, m queue.Message) bool {
	err := p.run(ctx, m)
	if err == nil {
		return true
	}
	log := p.log.With("subscription", subscription, "message_id", m.ID, "attempt", m.Attempt, "error", err)
	switch {
	case errors.Is(err, errPanic):
		log.ErrorContext(ctx, "handler panicked; message will be delivered again")
		return false
	case queue.IsRetry(err), ctx.Err() != nil: // a handler that was cut short has proved nothing about its message
		log.WarnContext(ctx, "message will be delivered again")
		return false
	}
	if lost := p.dead.Publish(ctx, queue.Dead, DeadLetter(subscription, m, err.Error())); lost != nil {
		log.ErrorContext(ctx, "dead letter not published; message will be delivered again", "publish_error", lost)
		return false
	}
	log.ErrorContext(ctx, "message moved to the dead letters")
	return true
}

func (p *receiver) run(ctx context.Context, m queue.Message) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, v, debug.Stack())
		}
	}()
	return p.handle(ctx, m)
}

// refuse writes an error in the shape of the rest of the API. Nobody but a person with curl reads it.
func refuse(w http.ResponseWriter, e *gateway.Error) {
	type fault struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	}
	body, _ := json.Marshal(map[string]fault{"error": {Message: e.Message, Type: e.Type(), Code: strconv.Itoa(e.Status())}})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status())
	_, _ = w.Write(body)
}
