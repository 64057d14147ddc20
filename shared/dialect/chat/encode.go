package chat

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// completed is a whole answer.
type completed struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage,omitempty"`
	Tier    string   `json:"service_tier,omitempty"`
}

type choice struct {
	Index    int       `json:"index"`
	Message  *message  `json:"message,omitempty"`
	Delta    *message  `json:"delta,omitempty"`
	Text     *string   `json:"text,omitempty"` // of a completion
	Logprobs *logprobs `json:"logprobs"`
	Finish   *string   `json:"finish_reason"`
}

type logprobs struct {
	Content []logprob `json:"content"`
	Refusal []logprob `json:"refusal"`
}

type logprob struct {
	Token   string    `json:"token"`
	Logprob float64   `json:"logprob"`
	Bytes   []int     `json:"bytes"`
	Top     []logprob `json:"top_logprobs,omitempty"`
}

type usage struct {
	Prompt     int64         `json:"prompt_tokens"`
	Completion int64         `json:"completion_tokens"`
	Total      int64         `json:"total_tokens"`
	Input      inputTokens   `json:"prompt_tokens_details"`
	Output     *outputTokens `json:"completion_tokens_details,omitempty"`
	CacheRead  int64         `json:"cache_read_input_tokens,omitempty"` // LiteLLM's name
	CacheWrite int64         `json:"cache_creation_input_tokens,omitempty"`
}

type inputTokens struct {
	Cached int64 `json:"cached_tokens"`
	Audio  int64 `json:"audio_tokens,omitempty"`
	Image  int64 `json:"image_tokens,omitempty"`
}

type outputTokens struct {
	Reasoning int64 `json:"reasoning_tokens"`
	Audio     int64 `json:"audio_tokens,omitempty"`
	Image     int64 `json:"image_tokens,omitempty"`
}

type annotation struct {
	Type string   `json:"type"`
	URL  citation `json:"url_citation"`
}

type citation struct {
	URL   string `json:"url"`
	Title string `json:"title"`
	Start int64  `json:"start_index"`
	End   int64  `json:"end_index"`
}

// finishes are OpenAI's words.
var finishes = map[llm.Finish]string{
	llm.FinishStop: "stop", llm.FinishStopSeq: "stop", llm.FinishLength: "length", llm.FinishTools: "tool_calls",
	llm.FinishFilter: "content_filter", llm.FinishRefusal: "content_filter", llm.FinishPause: "stop",
}

// finishOf is why a choice ended. Of a refusal that the model has words for OpenAI says stop.
func finishOf(f llm.Finish, refusal bool) *string {
	if f == llm.FinishRefusal && refusal {
		f = llm.FinishStop
	}
	return finishWord(f)
}

func finishWord(f llm.Finish) *string {
	word, known := finishes[f]
	if !known {
		word = "stop"
	}
	return &word
}

// EncodeResponse writes a whole answer.
func (in *inbound) EncodeResponse(r *llm.Response) ([]byte, error) {
	out := completed{ID: answerID("chatcmpl-", r.ID), Object: "chat.completion", Created: createdAt(r.Created), Model: r.Model, Tier: r.Tier}
	out.Usage = usageFrom(r.Usage)
	for i := range r.Choices {
		c := &r.Choices[i]
		m := messageFrom(c.Parts)
		out.Choices = append(out.Choices, choice{
			Index: i, Message: m, Logprobs: logprobsFrom(c.Logprobs), Finish: finishOf(c.Finish, m.Refusal != nil),
		})
	}
	return json.Marshal(out)
}

// answerID gives a vendor's id the prefix that clients know.
func answerID(prefix, id string) string {
	if strings.HasPrefix(id, prefix) {
		return id
	}
	return prefix + id
}

func createdAt(vendors int64) int64 {
	if vendors != 0 {
		return vendors
	}
	return time.Now().Unix()
}

func usageFrom(u gateway.Usage) *usage {
	return &usage{
		Prompt: u.InputTokens, Completion: u.OutputTokens, Total: u.Total(),
		Input:     inputTokens{Cached: u.CachedTokens, Audio: u.AudioInputTokens, Image: u.ImageInputTokens},
		Output:    &outputTokens{Reasoning: u.ReasoningTokens, Audio: u.AudioOutputTokens, Image: u.ImageOutputTokens},
		CacheRead: u.CachedTokens, CacheWrite: u.CacheWriteTokens + u.CacheWrite1hTokens,
	}
}

func logprobsFrom(list []llm.Logprob) *logprobs {
	if len(list) == 0 {
		return nil
	}
	return &logprobs{Content: logprobList(list)}
}

func logprobList(list []llm.Logprob) []logprob {
	out := make([]logprob, len(list))
	for i, l := range list {
		out[i] = logprob{Token: l.Token, Logprob: l.Logprob}
		for _, b := range l.Bytes {
			out[i].Bytes = append(out[i].Bytes, int(b))
		}
		if len(l.Top) > 0 {
			out[i].Top = logprobList(l.Top)
		}
	}
	return out
}

// messageFrom is an answer's message.
func messageFrom(parts []llm.Part) *message {
	m := &message{Role: "assistant", Content: json.RawMessage("null")}
	var text, refusal, thought strings.Builder
	for i := range parts {
		p := &parts[i]
		switch p.Kind {
		case llm.Text:
			m.Cited = append(m.Cited, annotations(p.Citations)...)
			text.WriteString(p.Text)
		case llm.Refusal:
			refusal.WriteString(p.Text)
		case llm.Thinking:
			thought.WriteString(p.Text)
			m.Thoughts = append(m.Thoughts, thinkingFrom(p)...)
		case llm.Sealed:
			m.Thoughts = append(m.Thoughts, thinkingFrom(p)...)
		case llm.ToolCall:
			m.Calls = append(m.Calls, callFrom(p))
		case llm.Image:
			m.Images = append(m.Images, imageFrom(p))
		}
	}
	if text.Len() > 0 {
		m.Content = quoted(text.String())
	}
	m.Refusal, m.Thought = orNil(refusal.String()), orNil(thought.String())
	return m
}

func quoted(s string) json.RawMessage {
	text, _ := json.Marshal(s) // strings only: cannot fail
	return text
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// annotations are the citations that OpenAI has a form for: of web pages.
func annotations(citations []llm.Citation) (out []annotation) {
	for _, c := range citations {
		if c.URL != "" {
			out = append(out, annotation{"url_citation", citation{c.URL, c.Title, c.Start, c.End}})
		}
	}
	return out
}

// thinkingFrom is a thought that must come back; one without a seal need not.
func thinkingFrom(p *llm.Part) []thinking {
	seal := p.Signature.Text(llm.MakerAnthropic)
	switch {
	case seal == "":
		return nil
	case p.Kind == llm.Sealed:
		return []thinking{{Type: "redacted_thinking", Data: seal}}
	default:
		return []thinking{{Type: "thinking", Thinking: p.Text, Signature: seal}}
	}
}

func callFrom(p *llm.Part) toolCall {
	c := toolCall{ID: llm.Pack(p.Call.ID, p.Signature), Type: "function", Function: &called{p.Call.Name, p.Call.Arguments}}
	if signature := p.Signature.By(llm.MakerGemini); signature != "" {
		c.Extra = &extra{}
		c.Extra.Google.Signature = signature
	}
	return c
}

func imageFrom(p *llm.Part) part {
	url, _ := json.Marshal(picture{URL: p.Media.DataURL()})
	return part{Type: "image_url", Image: url}
}
