package openai

import (
	"encoding/base64"
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

type envelope struct {
	ID                string          `json:"id,omitempty"`
	Object            string          `json:"object"`
	Created           int64           `json:"created,omitempty"`
	Model             string          `json:"model"`
	ServiceTier       string          `json:"service_tier,omitempty"`
	SystemFingerprint string          `json:"system_fingerprint,omitempty"`
	Verdicts          any             `json:"prompt_filter_results,omitempty"`
	Choices           []any           `json:"choices"`
	Usage             json.RawMessage `json:"usage,omitempty"`
	Extra             json.RawMessage `json:"x_unknown,omitempty"`
}

type choice struct {
	Index    int             `json:"index"`
	Message  *answered       `json:"message,omitempty"`
	Delta    *delta          `json:"delta,omitempty"`
	Logprobs any             `json:"logprobs"`
	Verdicts any             `json:"content_filter_results,omitempty"`
	Finish   any             `json:"finish_reason"`
	Extra    json.RawMessage `json:"x_unknown,omitempty"`
}

type answered struct {
	Role        string          `json:"role"`
	Content     any             `json:"content"`
	Refusal     any             `json:"refusal"`
	Reasoning   string          `json:"reasoning_content,omitempty"`
	ToolCalls   []call          `json:"tool_calls,omitempty"`
	Audio       *speech         `json:"audio,omitempty"`
	Annotations []any           `json:"annotations"`
	Extra       json.RawMessage `json:"x_unknown,omitempty"`
}

type delta struct {
	Role        string          `json:"role,omitempty"`
	Content     *string         `json:"content,omitempty"`
	Refusal     string          `json:"refusal,omitempty"`
	Reasoning   string          `json:"reasoning_content,omitempty"`
	ToolCalls   []call          `json:"tool_calls,omitempty"`
	Audio       *speech         `json:"audio,omitempty"`
	Annotations []any           `json:"annotations,omitempty"`
	Extra       json.RawMessage `json:"x_unknown,omitempty"`
}

type call struct {
	Index    *int     `json:"index,omitempty"`
	ID       string   `json:"id,omitempty"`
	Type     string   `json:"type,omitempty"`
	Function function `json:"function"`
}

type function struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

type speech struct {
	ID         string `json:"id,omitempty"`
	Data       string `json:"data,omitempty"`
	ExpiresAt  int64  `json:"expires_at,omitempty"`
	Transcript string `json:"transcript,omitempty"`
}

// finishes are the words for why an answer ended.
var finishes = map[wire.Finish]string{
	wire.Length: "length", wire.Calls: "tool_calls", wire.Filtered: "content_filter",
}

func finish(r *wire.Reply) string { return wire.First(finishes[r.Finish], "stop") }

// writer writes one chat answer, whole or as a stream.
type writer struct {
	*wire.Reply
	azure bool
}

func (w writer) envelope(object string) envelope {
	return envelope{
		ID: "chatcmpl-" + w.ID, Object: object, Created: Created, Model: w.Call.Model, ServiceTier: "default",
		SystemFingerprint: "fp_fake", Extra: w.Extra, Choices: []any{},
	}
}

// Whole implements wire.Format.
func (c Chat) Whole(r *wire.Reply) any {
	w := writer{r, c.Azure}
	e := w.envelope("chat.completion")
	e.Usage = r.Usage()
	if w.azure {
		e.Verdicts = promptVerdicts()
	}
	for i := range r.Call.N {
		e.Choices = append(e.Choices, choice{
			Index: i, Message: w.message(), Finish: finish(r), Verdicts: w.verdicts(r.Finish == wire.Filtered), Extra: r.Extra,
			Logprobs: w.logprobs(w.said()...),
		})
	}
	return e
}

func (w writer) message() *answered {
	m := &answered{Role: "assistant", Annotations: []any{}, Reasoning: w.TextOf(wire.Thought), Extra: w.Extra}
	for i, b := range w.Blocks {
		switch b.Kind {
		case wire.Called:
			m.ToolCalls = append(m.ToolCalls, call{ID: w.callID(i), Type: "function", Function: function{b.Name, b.Text()}})
		case wire.Declined:
			m.Refusal = b.Text()
		case wire.Said:
			m.Content = b.Text()
			if b.Cited {
				m.Annotations = []any{citation(b.Text())}
			}
		}
	}
	if text, ok := m.Content.(string); ok && w.Call.Speech {
		m.Content, m.Audio = nil, &speech{"audio_" + w.ID, sound(text), Created + 3600, text}
	}
	return m
}

// callID is 9 characters for Mistral.
func (w writer) callID(block int) string {
	id := w.CallID("call_", w.Calls(block))
	if isMistral(w.Call) {
		return id[len(id)-mistralID:]
	}
	return id
}

func (w writer) verdicts(filtered bool) any {
	switch {
	case !w.azure:
		return nil
	case filtered:
		return verdicts("violence", false)
	}
	return verdicts("", false)
}

// said are the pieces that have logprobs.
func (w writer) said() (pieces []string) {
	for _, b := range w.Blocks {
		if b.Kind == wire.Said {
			pieces = append(pieces, b.Pieces...)
		}
	}
	return pieces
}

func (w writer) logprobs(pieces ...string) any {
	if w.Call.Logprobs < 0 {
		return nil
	}
	return map[string]any{"content": Logprobs(w.Call.Logprobs, pieces), "refusal": nil}
}

// Logprobs gives each token the log probability -0.25, and its alternatives, which are the token with as many primes, one less for
// each.
func Logprobs(top int, pieces []string) []any {
	list := []any{}
	for _, p := range pieces {
		alternatives, text := []any{}, p
		for i := range top {
			alternatives = append(alternatives, logprob(text, -0.25-float64(i)))
			text += "'"
		}
		l := logprob(p, -0.25)
		l["top_logprobs"] = alternatives
		list = append(list, l)
	}
	return list
}

func logprob(token string, p float64) map[string]any {
	bytes := []int{}
	for _, b := range []byte(token) {
		bytes = append(bytes, int(b))
	}
	return map[string]any{"token": token, "logprob": p, "bytes": bytes}
}

func citation(text string) any {
	return map[string]any{"type": "url_citation", "url_citation": map[string]any{
		"start_index": 0, "end_index": len([]rune(text)), "url": wire.SourceURL, "title": wire.SourceTitle,
	}}
}

// sound is the audio of a text: its base64.
func sound(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
