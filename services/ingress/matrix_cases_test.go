package ingress_test

import (
	"fmt"
	"reflect"
	"strings"
)

// probe is a case: a conversation and what must come of it.
type probe struct {
	name   string
	words  string // what the model's name asks of the fake
	thinks bool   // a model that thinks
	talk   func(*cell) *talk
	then   func(*cell, *result) *talk // the next turn, if there is one
	check  func(*cell, *result)       // of the last answer, if it is a good one
	fails  *failure                   // what must go wrong instead
	only   string                     // plain or stream; empty: both
	slow   bool                       // most of its time is spent waiting
	not    string                     // a wire or a dialect in which it cannot be

	cached   bool // the usage of two equal calls differs
	blocked  bool // the provider answers that it does not answer
	unbilled bool // the fake does not see it

	own func(*cell) *unlike // in place of all the above
}

// says is a conversation that is the same in every cell.
func says(t talk) func(*cell) *talk { return func(*cell) *talk { return &t } }

const phrase = "one two three four five"

func phrased(t talk) func(*cell) *talk { t.turns = []turn{user(phrase)}; return says(t) }

// is wants an answer's text.
func is(text, finish string) func(*cell, *result) {
	return func(c *cell, r *result) {
		if r.text != text || r.finish != finish || len(r.calls) > 0 {
			c.t.Errorf("%s: said %.200q, finish %s, calls %v; want %.200q, %s", c.form, r.text, r.finish, r.calls, text, finish)
		}
	}
}

// contains wants a word in an answer's text.
func contains(words ...string) func(*cell, *result) {
	return func(c *cell, r *result) {
		for _, w := range words {
			if !strings.Contains(r.text, w) {
				c.t.Errorf("%s: no %q in %q", c.form, w, r.text)
			}
		}
	}
}

// calls wants so many tool calls, in turn, with arguments that fit the schema.
func calls(n int) func(*cell, *result) {
	return func(c *cell, r *result) {
		if len(r.calls) != n || r.finish != "calls" {
			c.t.Errorf("%s: %d calls, finish %s, want %d calls: %+v", c.form, len(r.calls), r.finish, n, r.calls)
			return
		}
		for i, call := range r.calls {
			args, err := parseObject(call.args)
			if err != nil || !reflect.DeepEqual(args, weatherArgs(i)) || call.name != toolNames[i%2] || call.id == "" && c.in.name() != "gemini" {
				c.t.Errorf("%s: call %d is %+v", c.form, i, call)
			}
		}
	}
}

// forecast wants JSON of the weather schema.
func forecast(c *cell, r *result) {
	if said, err := parseObject(r.text); err != nil || r.finish != "stop" || !reflect.DeepEqual(said, weatherArgs(0)) || len(r.calls) > 0 {
		c.t.Errorf("%s: %q, finish %s, calls %v", c.form, r.text, r.finish, r.calls)
	}
}

// answering gives each call of an answer its result.
func answering(t talk, each func(i int) answered) func(*cell, *result) *talk {
	return func(c *cell, r *result) *talk {
		next := t
		if c.col.wire == "bedrock" {
			next.choice = "" // once tools were called, Bedrock has no word for none
		}
		var list []answered
		for i, call := range r.calls {
			a := each(i)
			a.call = call
			list = append(list, a)
		}
		next.turns = append(next.turns[:len(next.turns):len(next.turns)], turn{said: r}, turn{answers: list})
		return &next
	}
}

func rain(i int) answered { return answered{text: fmt.Sprint("rain", i)} }

// asked is a talk with a question.
func asked(t talk) talk { t.turns = []turn{user("how is the weather")}; return t }

var (
	oneTool  = asked(talk{tools: 1})
	twoTools = asked(talk{tools: 2})
	pondered = asked(talk{tools: 1, think: true})
)

// thought wants thoughts billed, and shown where that can be: OpenAI's models show them to who asks for summaries.
func thought(c *cell, r *result) {
	if c.col.shows && (c.col.wire != "responses" || c.in.name() != "chat") && r.thoughts != threeThoughts {
		c.t.Errorf("%s: thoughts are %q", c.form, r.thoughts)
	}
	if r.usage.thought == 0 && c.col.wire != "bedrock" {
		c.t.Errorf("%s: no thoughts are counted: %+v", c.form, r.usage)
	}
}

// threeThoughts is what the fake thinks when nobody says how much.
const threeThoughts = "thought one two"

func both(checks ...func(*cell, *result)) func(*cell, *result) {
	return func(c *cell, r *result) {
		for _, check := range checks {
			check(c, r)
		}
	}
}

// long is a prompt that is worth caching, another one in each cell and form.
func (c *cell) long(cache string) *talk {
	return &talk{system: strings.Repeat(c.t.Name()+" "+c.form+". ", 6000/len(c.t.Name())+1), cache: cache, turns: []turn{user(phrase)}}
}

var goodCases = []probe{
	{name: "text", talk: phrased(talk{}), check: is(phrase, "stop")},
	{name: "system prompt", talk: phrased(talk{system: "Be brief."}), check: is(phrase, "stop")},
	{name: "several turns", talk: phrased(talk{system: "Be brief."}), check: is("and then", "stop"), then: func(_ *cell, r *result) *talk {
		return &talk{system: "Be brief.", turns: []turn{user(phrase), {said: r}, user("and then")}}
	}},
	{name: "tool call and result", words: "+tools-1", talk: says(oneTool), then: answering(oneTool, rain), check: is("rain0", "stop")},
	{name: "parallel tools", words: "+tools-2", talk: says(twoTools), check: calls(2)},
	{name: "parallel results", words: "+tools-2", talk: says(twoTools), then: answering(twoTools, rain), check: is("rain0 rain1", "stop")},
	{name: "one tool at a time", words: "+tools-2", talk: says(asked(talk{tools: 2, single: true})), check: single},
	{name: "failed tool", words: "+tools-1", talk: says(oneTool), check: contains("it broke"),
		then: answering(oneTool, func(int) answered { return answered{text: "it broke", failed: true} })},
	{name: "image from a tool", words: "+tools-1", talk: says(oneTool), check: contains("image:image/png"),
		then: answering(asked(talk{tools: 1, choice: "none"}), func(int) answered { return answered{text: "seen", image: true} })},
	{name: "tool choice: any", talk: says(asked(talk{tools: 2, choice: "any"})), check: calls(1)},
	{name: "tool choice: named", talk: says(asked(talk{tools: 2, choice: toolNames[0]})), check: calls(1)},
	{name: "tool choice: none", words: "+tools-1", talk: says(asked(talk{tools: 1, choice: "none"})), check: is("how is the weather", "stop")},
	{name: "image", talk: says(talk{turns: []turn{{text: "look", media: "image"}}}), check: contains("look", "image:image/png")},
	{name: "PDF", talk: says(talk{turns: []turn{{text: "read", media: "pdf"}}}), check: contains("read", "document:")},
	{name: "audio", talk: says(talk{turns: []turn{{text: "hear", media: "audio"}}}), check: contains("hear", "audio:wav")},
	{name: "JSON object", talk: says(talk{object: true, turns: []turn{user("say json")}}), check: func(c *cell, r *result) {
		if _, err := parseObject(r.text); err != nil || r.finish != "stop" {
			c.t.Errorf("%s: %q, finish %s", c.form, r.text, r.finish)
		}
	}},
	{name: "JSON schema", words: "+schema", talk: says(asked(talk{schema: true})), check: forecast},
	{name: "JSON schema with tools", words: "+schema", talk: says(asked(talk{schema: true, tools: 1})), check: func(c *cell, r *result) {
		if len(r.calls) > 0 { // where answers in JSON are a tool too, the fake takes the first
			calls(1)(c, r)
		} else {
			forecast(c, r)
		}
	}},
	{name: "length", words: "+words-40", talk: phrased(talk{limit: 20}), check: func(c *cell, r *result) {
		if n := len(strings.Fields(r.text)); n != 20 || r.finish != "length" {
			c.t.Errorf("%s: %d words, finish %s", c.form, n, r.finish)
		}
	}},
	{name: "stop sequence", talk: phrased(talk{stop: " four"}), check: is("one two three", "stop")},
	{name: "seed", talk: phrased(talk{seed: true}), check: is(phrase, "stop")},
	{name: "two answers", talk: phrased(talk{n: 2}), check: both(is(phrase, "stop"), func(c *cell, r *result) {
		if r.choices != 2 {
			c.t.Errorf("%s: %d answers", c.form, r.choices)
		}
	})},
	{name: "logprobs", talk: phrased(talk{logprobs: true}), check: both(is(phrase, "stop"), func(c *cell, r *result) {
		if r.logprobs != 5 {
			c.t.Errorf("%s: %d logprobs", c.form, r.logprobs)
		}
	})},
	{name: "reasoning", words: "+reasoning-3", thinks: true, talk: phrased(talk{think: true}), check: both(is(phrase, "stop"), thought)},
	{name: "reasoning, next turn", words: "+reasoning-3", thinks: true, talk: phrased(talk{think: true}), check: is("and then", "stop"),
		then: func(_ *cell, r *result) *talk {
			return &talk{think: true, turns: []turn{user(phrase), {said: r}, user("and then")}}
		}},
	{name: "reasoning with tools", words: "+reasoning-3+tools-1", thinks: true, talk: says(pondered), check: both(calls(1), thought)},
	{name: "reasoning, tool result", words: "+reasoning-3+tools-1", thinks: true, talk: says(pondered), then: answering(pondered, rain),
		check: is("rain0", "stop")},
	{name: "cached usage", words: "+cached", cached: true, talk: func(c *cell) *talk { return c.long("") },
		then: func(c *cell, _ *result) *talk { return c.long("") }, check: func(c *cell, r *result) {
			if byMarks := c.col.wire == "anthropic" || c.col.wire == "bedrock"; (r.usage.cached > 0) == byMarks {
				c.t.Errorf("%s: usage %+v", c.form, r.usage)
			}
		}},
	{name: "cache markers, 5 minutes", words: "+cached", cached: true, talk: func(c *cell) *talk { return c.long("5m") },
		then: func(c *cell, _ *result) *talk { return c.long("5m") }, check: reread},
	{name: "cache markers, 1 hour", words: "+cached", cached: true, talk: func(c *cell) *talk { return c.long("1h") }, check: kept},
	{name: "filter", words: "+filter", talk: phrased(talk{}), check: func(c *cell, r *result) {
		if r.finish != "filter" && r.finish != "refusal" || r.text != "one two" {
			c.t.Errorf("%s: %q, finish %s", c.form, r.text, r.finish)
		}
	}},
	{name: "refusal", words: "+refuse", not: "completions", talk: phrased(talk{}), check: func(c *cell, r *result) {
		const words = "I cannot help with that."
		tells := c.col.wire != "gemini" && c.col.wire != "bedrock"
		told := r.refusal == words || r.finish == "filter" || r.finish == "refusal"
		if r.text+r.refusal != words || told != tells {
			c.t.Errorf("%s: %q, refusal %q, finish %s", c.form, r.text, r.refusal, r.finish)
		}
	}},
}

func single(c *cell, r *result) {
	want := 1
	if c.col.wire == "anthropic" || c.col.wire == "bedrock" {
		want = len(r.calls) // the fake does not obey there
	}
	calls(want)(c, r)
}

// kept wants the prompt written to the cache where the provider caches by markers; the ledger has been compared with the bill.
func kept(c *cell, r *result) {
	if c.col.wire == "anthropic" && r.usage.written == 0 {
		c.t.Errorf("%s: nothing was cached: %+v", c.form, r.usage)
	}
}

// reread wants it read by the second call.
func reread(c *cell, r *result) {
	if (c.col.wire == "anthropic" || c.col.title == "bedrock, Claude") && r.usage.cached == 0 {
		c.t.Errorf("%s: nothing was read from the cache: %+v", c.form, r.usage)
	}
}
