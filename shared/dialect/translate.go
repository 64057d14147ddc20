package dialect

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Translate is the passage of a request to upstreams of another dialect.
func Translate(r *Request, out Outbound) Passage { return &translation{request: r, out: out} }

type translation struct {
	request *Request
	out     Outbound
	neutral *llm.Request
}

// Outgoing decodes the request once, whatever the number of targets.
func (t *translation) Outgoing(target Target) (w Wire, err error) {
	if t.neutral == nil {
		if t.neutral, err = t.request.In.DecodeRequest(); err != nil {
			return w, err
		}
	}
	fitted := *t.neutral
	dropped, err := fitted.Fit(t.out.Carries(), t.request.In.Field, target.Drop)
	if err != nil {
		return w, err
	}
	may := target.Drop
	target.Drop = func(name string) bool { return may(t.callers(name)) }
	w, err = t.out.EncodeRequest(&fitted, target)
	for _, name := range w.Dropped {
		dropped = append(dropped, t.callers(name))
	}
	w.Dropped = dropped
	if e := (*gateway.Error)(nil); errors.As(err, &e) {
		name := t.callers(e.Param)
		if rest, about := strings.CutPrefix(e.Message, e.Param); about && e.Param != "" {
			e.Message = name + rest
		}
		e.Param = name
	}
	return w, err
}

// usual are OpenAI's names for fields, which outbound dialects use as well as those of the neutral form.
var usual = map[string]llm.Param{
	"messages": llm.ImageData, "response_format": llm.JSONSchemas, "max_tokens": llm.MaxOutput, "reasoning_effort": llm.ReasoningParam,
}

// callers is the caller's name for a field that may have another one.
func (t *translation) callers(name string) string {
	p, found := usual[name]
	if !found {
		p = llm.Param(name)
	}
	if found || slices.Contains(llm.AllParams(), p) {
		return t.request.In.Field(p)
	}
	return name
}

func (t *translation) Answer(body []byte) (a Answer, err error) {
	response, err := t.out.DecodeResponse(body)
	if err != nil {
		return a, err
	}
	a.Usage, a.Tier = response.Usage, response.Tier
	if a.Usage.Source == "" {
		a.Usage = gateway.Usage{InputTokens: t.request.CountInput(), OutputTokens: CountOutput(body), Source: gateway.UsageCounted}
		response.Usage = a.Usage
	}
	response.Model = t.request.Model
	if response.ID == "" {
		response.ID = newID()
	}
	a.Body, err = t.request.In.EncodeResponse(response)
	return a, err
}

// newID is for an answer whose vendor gives it none.
func newID() string {
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

func (t *translation) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return t.out.DecodeError(status, h, body)
}

func (t *translation) Framing() Framing { return t.out.Framing() }

func (t *translation) Tap() Tap {
	t.neutral = nil // a prompt may be long, and a stream too
	return &translator{request: t.request, from: t.out.DecodeStream(), to: t.request.In.EncodeStream()}
}

// translator is the tap of a translated stream.
type translator struct {
	request *Request
	from    StreamDecoder
	to      StreamEncoder
	seen    Seen
	events  []llm.Event
	told    bool // the usage has been told to the caller
}

func (t *translator) Frame(dst []byte, f Frame) ([]byte, error) {
	events, err := t.from.Decode(t.events[:0], f)
	for i := range events {
		dst = t.pass(dst, &events[i])
	}
	clear(events)
	t.events = events[:0]
	return dst, err
}

func (t *translator) pass(dst []byte, e *llm.Event) []byte {
	switch e.Type {
	case llm.Begin:
		e.Model = t.request.Model
		if e.ID == "" {
			e.ID = newID()
		}
	case llm.Delta:
		t.seen.Chunks++
	}
	if e.Tier != "" {
		t.seen.Tier = e.Tier
	}
	if e.Usage != nil && e.Usage.Source != "" {
		t.seen.Usage = *e.Usage
		t.told = t.told || e.Type == llm.Spent
	}
	return t.to.Encode(dst, e)
}

func (t *translator) Progress() Progress { return t.from.Progress() }

func (t *translator) Seen() Seen { return t.seen }

func (t *translator) End(dst []byte) []byte {
	if !t.told {
		usage := t.seen.Counted(t.request)
		dst = t.to.Encode(dst, &llm.Event{Type: llm.Spent, Usage: &usage, Tier: t.seen.Tier})
	}
	return t.to.End(dst)
}

func (t *translator) Fail(dst []byte, e *gateway.Error) []byte { return t.to.Fail(dst, e) }
