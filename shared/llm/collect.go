package llm

// Collector puts an answer together from its events. Its zero value is ready.
type Collector struct {
	response Response
	texts    map[place][]byte
}

type place struct{ choice, part int }

// Add takes one event.
func (c *Collector) Add(e *Event) {
	r := &c.response
	switch e.Type {
	case Begin:
		r.ID, r.Model, r.Tier = e.ID, e.Model, e.Tier
	case Spent:
		if e.Tier != "" {
			r.Tier = e.Tier
		}
	case End:
		choice := c.choice(e.Choice)
		choice.Finish, choice.Stop = e.Finish, e.Stop
	case PartBegin:
		c.begin(e)
	case Delta:
		c.more(e)
	}
	if e.Usage != nil {
		r.Usage = *e.Usage
	}
}

func (c *Collector) choice(n int) *Choice {
	for len(c.response.Choices) <= n {
		c.response.Choices = append(c.response.Choices, Choice{})
	}
	return &c.response.Choices[n]
}

func (c *Collector) begin(e *Event) {
	choice := c.choice(e.Choice)
	for len(choice.Parts) <= e.Index {
		choice.Parts = append(choice.Parts, Part{})
	}
	p := e.Part
	text := p.Text
	if p.Call != nil {
		call := *p.Call
		p.Call, text = &call, call.Arguments
	}
	choice.Parts[e.Index] = p
	if c.texts == nil {
		c.texts = map[place][]byte{}
	}
	c.texts[place{e.Choice, e.Index}] = []byte(text)
}

func (c *Collector) more(e *Event) {
	choice, at := c.choice(e.Choice), place{e.Choice, e.Index}
	choice.Logprobs = append(choice.Logprobs, e.Logprobs...)
	if e.Index >= len(choice.Parts) {
		return
	}
	c.texts[at] = append(c.texts[at], e.Text...)
	p := &choice.Parts[e.Index]
	if !e.Signature.IsZero() {
		p.Signature = e.Signature
	}
	p.Citations = append(p.Citations, e.Citations...)
}

// Response is the answer so far.
func (c *Collector) Response() *Response {
	for at, text := range c.texts {
		p := &c.response.Choices[at.choice].Parts[at.part]
		if p.Call != nil {
			p.Call.Arguments = string(text)
		} else {
			p.Text = string(text)
		}
	}
	return &c.response
}
