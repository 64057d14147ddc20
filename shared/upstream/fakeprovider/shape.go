package fakeprovider

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
)

// created is the creation time of everything, so that answers are the same each time.
const created = 1_700_000_000

// extraFields is what unknown-fields adds.
var extraFields = json.RawMessage(`{"nested":[1,null,"é\u2028",1e2,{"deep":true}],"big":12345678901234567890}`)

type envelope struct {
	ID                string          `json:"id,omitempty"`
	Object            string          `json:"object"`
	Created           int64           `json:"created,omitempty"`
	Model             string          `json:"model"`
	ServiceTier       string          `json:"service_tier,omitempty"`
	SystemFingerprint string          `json:"system_fingerprint,omitempty"`
	Choices           []any           `json:"choices,omitempty"`
	Data              []embedding     `json:"data,omitempty"`
	Usage             json.RawMessage `json:"usage,omitempty"`
	Extra             json.RawMessage `json:"x_unknown,omitempty"`
}

type chatChoice struct {
	Index    int             `json:"index"`
	Message  *chatMessage    `json:"message,omitempty"`
	Delta    *chatDelta      `json:"delta,omitempty"`
	Logprobs any             `json:"logprobs"`
	Finish   any             `json:"finish_reason"`
	Extra    json.RawMessage `json:"x_unknown,omitempty"`
}

type chatMessage struct {
	Role        string          `json:"role"`
	Content     string          `json:"content"`
	Refusal     any             `json:"refusal"`
	Annotations []any           `json:"annotations"`
	Extra       json.RawMessage `json:"x_unknown,omitempty"`
}

type chatDelta struct {
	Role    string          `json:"role,omitempty"`
	Content *string         `json:"content,omitempty"`
	Extra   json.RawMessage `json:"x_unknown,omitempty"`
}

type textChoice struct {
	Text     string          `json:"text"`
	Index    int             `json:"index"`
	Logprobs any             `json:"logprobs"`
	Finish   any             `json:"finish_reason"`
	Extra    json.RawMessage `json:"x_unknown,omitempty"`
}

type embedding struct {
	Object string `json:"object"`
	Index  int    `json:"index"`
	Vector any    `json:"embedding"` // []float32, or base64 of them in little endian
}

// delta is what one chunk adds to a choice.
type delta struct {
	role, text, finish string
}

// forms are the object names and id prefixes of each operation.
var forms = map[string]struct{ prefix, whole, chunk string }{
	"chat":        {"chatcmpl-", "chat.completion", "chat.completion.chunk"},
	"completions": {"cmpl-", "text_completion", "text_completion"},
	"embeddings":  {"", "list", ""},
}

func (x *exchange) extra() json.RawMessage {
	if x.plan.extra {
		return extraFields
	}
	return nil
}

func (x *exchange) envelope(object string) envelope {
	e := envelope{Object: object, Model: x.call.model, Extra: x.extra()}
	if prefix := forms[x.call.op].prefix; prefix != "" {
		e.ID, e.Created, e.SystemFingerprint = prefix+x.id, created, "fp_fake"
	}
	if x.call.op == "chat" {
		e.ServiceTier = "default"
	}
	return e
}

// whole is the answer in one piece.
func (x *exchange) whole() any {
	e := x.envelope(forms[x.call.op].whole)
	if !x.plan.usage.none {
		e.Usage = x.usage()
	}
	if x.call.op == "embeddings" {
		e.Data = x.call.embed()
		return e
	}
	text := strings.Join(x.words, " ")
	for i := range x.call.n {
		e.Choices = append(e.Choices, x.wholeChoice(i, text))
	}
	return e
}

func (x *exchange) wholeChoice(i int, text string) any {
	if x.call.op == "completions" {
		return textChoice{Index: i, Text: text, Finish: x.finish, Extra: x.extra()}
	}
	m := &chatMessage{Role: "assistant", Content: text, Annotations: []any{}, Extra: x.extra()}
	return chatChoice{Index: i, Message: m, Finish: x.finish, Extra: x.extra()}
}

// chunk is one event of a stream.
func (x *exchange) chunk(choice int, d delta) any {
	e := x.envelope(forms[x.call.op].chunk)
	switch {
	case x.plan.usage.every:
		e.Usage = x.usage()
	case x.call.includeUsage:
		e.Usage = json.RawMessage("null")
	}
	if x.call.op == "completions" {
		e.Choices = []any{textChoice{Index: choice, Text: d.text, Finish: orNull(d.finish), Extra: x.extra()}}
		return e
	}
	cd := &chatDelta{Role: d.role, Extra: x.extra()}
	if d.finish == "" {
		cd.Content = &d.text
	}
	e.Choices = []any{chatChoice{Index: choice, Delta: cd, Finish: orNull(d.finish), Extra: x.extra()}}
	return e
}

// usageChunk is the event after all choices: it has none, but the usage.
func (x *exchange) usageChunk(usage json.RawMessage) any {
	e := x.envelope(forms[x.call.op].chunk)
	e.Usage = usage
	return struct {
		envelope
		Choices []any `json:"choices"`
	}{e, []any{}}
}

// embed makes a vector of length 1 from each input's hash.
func (c *call) embed() []embedding {
	list := make([]embedding, len(c.inputs))
	for i, in := range c.inputs {
		h := fnv.New64a()
		fmt.Fprint(h, in)
		v := make([]float32, c.dimensions)
		state, sum := h.Sum64(), 0.0
		for j := range v {
			state = state*6364136223846793005 + 1442695040888963407
			v[j] = float32(int32(state>>32)) / math.MaxInt32
			sum += float64(v[j]) * float64(v[j])
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(sum))
		}
		list[i] = embedding{"embedding", i, c.encode(v)}
	}
	return list
}

func (c *call) encode(v []float32) any {
	if !c.base64 {
		return v
	}
	b, _ := binary.Append(nil, binary.LittleEndian, v)
	return base64.StdEncoding.EncodeToString(b)
}
