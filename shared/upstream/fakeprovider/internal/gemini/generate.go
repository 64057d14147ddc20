package gemini

import (
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// Generate is generateContent and streamGenerateContent.
type Generate struct{ Vertex bool }

// Parse implements wire.Format.
func (f Generate) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	r.Fields, _ = camel(r.Fields).(map[string]any)
	rules := fields
	if f.Vertex {
		rules = vertexFields
	}
	if no := complain(wire.Closed(rules)(nil, r.Fields)); no != nil {
		return nil, no
	}
	for _, check := range checks {
		if no := check(r); no != nil {
			return nil, no
		}
	}
	c := wire.NewCall("generate", r)
	c.AnswersBlocked = true
	readConfig(c, wire.Sub(r.Fields, "generationConfig"))
	if r.Manner.Logprobs {
		c.Logprobs = max(c.Logprobs, 0)
	}
	readTools(c, r.Fields)
	if s := wire.Sub(r.Fields, "systemInstruction"); s != nil {
		c.Prompt.Open(wire.System)
		readParts(&c.Prompt, s)
	}
	for _, content := range wire.Items(r.Fields, "contents") {
		role := wire.User
		if content["role"] == "model" {
			role = wire.Assistant
		}
		c.Prompt.Open(role)
		readParts(&c.Prompt, content)
	}
	return c, nil
}

func readConfig(c *wire.Call, g map[string]any) {
	c.N = wire.Count(g, "candidateCount", 1)
	c.Limit = wire.Count(g, "maxOutputTokens", 0)
	c.Stops = wire.Strings(g, "stopSequences")
	for _, name := range []string{"responseSchema", "responseJsonSchema", "_responseJsonSchema"} {
		if s := wire.Sub(g, name); s != nil {
			c.Schema = s
		}
	}
	c.JSON = g["responseMimeType"] == "application/json" && c.Schema == nil
	if wire.Flag(g, "responseLogprobs") {
		c.Logprobs = wire.Count(g, "logprobs", 0)
	}
	t := wire.Sub(g, "thinkingConfig")
	c.Shown = wire.Flag(t, "includeThoughts")
	switch {
	case wire.Count(t, "thinkingBudget", -1) == 0:
		c.Thinking = wire.Never
	case t != nil:
		c.Thinking = wire.Asked
	}
}

func readTools(c *wire.Call, fields map[string]any) {
	calling := wire.Sub(wire.Sub(fields, "toolConfig"), "functionCallingConfig")
	allowed := map[string]bool{}
	for _, name := range wire.Strings(calling, "allowedFunctionNames") {
		allowed[name] = true
	}
	for _, t := range wire.Items(fields, "tools") {
		for _, d := range wire.Items(t, "functionDeclarations") {
			s := wire.Sub(d, "parameters")
			if s == nil {
				s = wire.Sub(d, "parametersJsonSchema")
			}
			if name := wire.Text(d, "name"); len(allowed) == 0 || allowed[name] {
				c.Tools = append(c.Tools, wire.Tool{Name: name, Schema: s})
			}
		}
	}
	if tools := fields["tools"]; tools != nil {
		c.Prompt.Price(string(wire.JSON(tools)))
	}
	switch calling["mode"] {
	case "ANY":
		c.Force = wire.AnyTool
	case "NONE":
		c.NoCall = true
	}
}

func readParts(p *wire.Prompt, content map[string]any) {
	for _, part := range wire.Items(content, "parts") {
		switch {
		case part["text"] != nil:
			p.Say(wire.Text(part, "text"))
		case part["functionResponse"] != nil:
			readResponse(p, wire.Sub(part, "functionResponse"))
		default:
			readMedia(p, part)
		}
	}
}

func readMedia(p *wire.Prompt, part map[string]any) {
	if b := wire.Sub(part, "inlineData"); b != nil {
		p.Show(mediaWord(wire.Text(b, "mimeType"), wire.Text(b, "displayName"), ""))
	}
	if f := wire.Sub(part, "fileData"); f != nil {
		p.Show(mediaWord(wire.Text(f, "mimeType"), wire.Text(f, "displayName"), wire.Text(f, "fileUri")))
	}
}

// readResponse adds what a function returned: its output, or its error, or else all of it.
func readResponse(p *wire.Prompt, f map[string]any) {
	response := wire.Sub(f, "response")
	value, failed := response["error"]
	p.Result(failed)
	if !failed {
		value = response
		for _, name := range []string{"output", "result"} {
			if v, ok := response[name]; ok {
				value = v
			}
		}
	}
	if s, ok := value.(string); ok {
		p.Say(s)
	} else {
		p.Say(string(wire.JSON(value)))
	}
	readParts(p, f)
}

// usage is a usage report; protobuf's JSON leaves out zeros.
type usage struct {
	Prompt     int64      `json:"promptTokenCount,omitempty"`
	Candidates int64      `json:"candidatesTokenCount,omitempty"`
	Total      int64      `json:"totalTokenCount,omitempty"`
	Cached     int64      `json:"cachedContentTokenCount,omitempty"`
	Thoughts   int64      `json:"thoughtsTokenCount,omitempty"`
	Details    []modality `json:"promptTokensDetails,omitempty"`
}

type modality struct {
	Modality string `json:"modality"`
	Count    int64  `json:"tokenCount"`
}

func details(prompt, audio int64) []modality {
	list := []modality{{"TEXT", prompt - audio}}
	if audio > 0 {
		list = append(list, modality{"AUDIO", audio})
	}
	return list
}

// Usage implements wire.Format.
func (Generate) Usage(_ *wire.Call, t wire.Tokens) any {
	return usage{
		Prompt: t.Prompt, Candidates: t.Completion - t.Reasoning, Total: t.Prompt + t.Completion, Cached: t.Cached, Thoughts: t.Reasoning,
		Details: details(t.Prompt, t.PromptAudio),
	}
}
