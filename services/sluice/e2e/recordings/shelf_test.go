package recordings_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-gateway/sluice/shared/dialect/all"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// dialects is where the recordings are.
const dialects = "../../../../shared/dialect"

// shelf is the recordings of one dialect, and how its vendor's SDK reads them.
type shelf struct {
	op     gateway.Op
	folder string // below dialects
	// load makes of a stream's recording what is on the wire; nil if it is that already.
	load func(t testing.TB, recording string) []byte
	// ask gets what is at a URL, whatever is asked there.
	ask func(ctx context.Context, url string, stream bool) (heard, error)
	// finishes are the vendor's words for why an answer ended.
	finishes map[string]llm.Finish
	// apart are recordings that the SDK reads otherwise, by why that is so.
	apart map[string][]string
	// strange are fields of recordings that the SDK does not know: those of vendors that imitate its own, and new ones.
	strange    []string
	noThoughts bool // the vendor's API has no word for them
}

// heard is what an answer says to whoever reads it.
type heard struct {
	Choices       []said
	Input, Output int64 // tokens
	strange       []string
}

type said struct {
	Text, Thoughts, Refusal string
	Calls                   []call
	Finish                  llm.Finish

	vendor string // why it ended, in the vendor's word
}

type call struct{ ID, Name, Arguments string }

// choice is the i-th choice, made if it is not there.
func (h *heard) choice(i int) *said {
	for len(h.Choices) <= i {
		h.Choices = append(h.Choices, said{})
	}
	return &h.Choices[i]
}

// ours is what the gateway reads.
func ours(r *llm.Response) heard {
	h := heard{Input: r.Usage.InputTokens, Output: r.Usage.OutputTokens}
	for i, c := range r.Choices {
		s := h.choice(i)
		s.Finish = c.Finish
		for _, p := range c.Parts {
			switch p.Kind {
			case llm.Text:
				s.Text += p.Text
			case llm.Thinking:
				s.Thoughts += p.Text
			case llm.Refusal:
				s.Refusal += p.Text
			case llm.ToolCall:
				s.Calls = append(s.Calls, call{p.Call.ID, p.Call.Name, p.Call.Arguments})
			}
		}
	}
	return h
}

// plainly is what was heard, in words that the two have in common.
func (sh *shelf) plainly(h heard) heard {
	for i := range h.Choices {
		s := &h.Choices[i]
		if s.vendor != "" {
			s.Finish = sh.finishes[s.vendor]
		}
		if sh.noThoughts {
			s.Thoughts = ""
		}
		s.Calls = slices.DeleteFunc(s.Calls, func(c call) bool {
			if c.Name == llm.AnswerTool { // how the gateway gets JSON from models that have no format for it
				s.Text += canonical(c.Arguments)
			}
			return c.Name == llm.AnswerTool
		})
		for j := range s.Calls {
			s.Calls[j].Arguments = canonical(s.Calls[j].Arguments)
		}
		switch called := len(s.Calls) > 0; { // vendors' words do not tell these apart
		case s.Finish == llm.FinishTools && !called:
			s.Finish = llm.FinishStop
		case s.Finish == llm.FinishStop && called:
			s.Finish = llm.FinishTools
		case s.Finish == llm.FinishStop && s.Refusal != "":
			s.Finish = llm.FinishRefusal
		}
	}
	return h
}

// named takes those ids away that the gateway gave to calls where the vendor gave none.
func (h heard) named(by heard) heard {
	for i := range min(len(h.Choices), len(by.Choices)) {
		for j := range min(len(h.Choices[i].Calls), len(by.Choices[i].Calls)) {
			if by.Choices[i].Calls[j].ID == "" {
				h.Choices[i].Calls[j].ID = ""
			}
		}
	}
	return h
}

// canonical writes arguments in one way.
func canonical(text string) string {
	var v any
	if text == "" || text == "null" {
		return "{}"
	}
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	out, _ := json.Marshal(v)
	return string(out)
}

// recordings are the texts that match a pattern below dialects, by name.
func recordings(t *testing.T, pattern string) map[string]string {
	t.Helper()
	return dialecttest.TextsAt(t, filepath.Join(dialects, pattern))
}

// stub answers everything with one body.
func stub(t *testing.T, status int, mediaType string, body []byte) (url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// patience is for an SDK that waits for more than there is.
const patience = time.Minute

func (sh *shelf) run(t *testing.T) {
	t.Parallel()
	out := all.Of(sh.op).Out
	used := map[string]bool{}
	for name, text := range recordings(t, sh.folder+"/testdata/answers/*.json") {
		name = "answer/" + name
		used[name] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := []byte(text)
			r, err := out.DecodeResponse(body)
			sh.compare(t, name, r, err, stub(t, http.StatusOK, "application/json", body), false)
		})
	}
	for name, text := range recordings(t, sh.folder+"/testdata/streams/*.txt") {
		name = "stream/" + name
		used[name] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := []byte(text)
			if sh.load != nil {
				body = sh.load(t, text)
			}
			r, err := dialecttest.Replay(out, bytes.NewReader(body))
			sh.compare(t, name, r, err, stub(t, http.StatusOK, out.Framing().MediaType, body), true)
			if alive := all.Of(sh.op).KeepAlive; len(alive) > 0 {
				body = append(bytes.Clone(alive), bytes.ReplaceAll(body, []byte("\n\n"), append([]byte("\n\n"), alive...))...)
				sh.compare(t, name, r, err, stub(t, http.StatusOK, out.Framing().MediaType, body), true)
			}
		})
	}
	for why, names := range sh.apart {
		for _, name := range names {
			if !used[name] {
				t.Errorf("there is no recording %q, of which it is said that %s", name, why)
			}
		}
	}
}

// compare compares what the gateway reads in a recording with what the SDK reads. What the gateway takes for an error must not
// look like a whole answer to the SDK; nor what is cut.
func (sh *shelf) compare(t *testing.T, name string, r *llm.Response, failed error, url string, stream bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := sh.ask(ctx, url, stream)
	fault := ""
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		t.Fatal("the SDK hangs")
	case (err == nil) != (failed == nil):
		fault = "one reads an error: the SDK " + text(err) + ", the gateway " + text(failed)
	case err == nil:
		fault = cmp.Diff(sh.plainly(got), sh.plainly(ours(r)).named(got), cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(heard{}, said{}))
	}
	unknown := slices.DeleteFunc(got.strange, func(name string) bool { return slices.Contains(sh.strange, name) })
	switch why := sh.why(name); {
	case len(unknown) > 0 && why == "":
		t.Errorf("the SDK does not know %q", unknown)
	case fault != "" && why == "":
		t.Errorf("(-SDK +gateway):\n%s", fault)
	case fault == "" && why != "":
		t.Errorf("it is read alike, though %s", why)
	}
}

// why is the reason that a recording is read otherwise; empty if there is none.
func (sh *shelf) why(recording string) string {
	for why, names := range sh.apart {
		if slices.Contains(names, recording) {
			return why
		}
	}
	return ""
}

func text(err error) string {
	if err == nil {
		return "none"
	}
	var e *gateway.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// errUnfinished is for a stream without what its vendor ends streams with: an SDK's user sees that for himself.
var errUnfinished = errors.New("the stream has no end")
