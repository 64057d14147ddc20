package echo

import "time"

// markers has all of them; docs/echo.md shows this table.
var markers = []marker{
	{
		name: "say", argument: "a text", example: "[[say It is four o'clock.]]",
		what: `says the text instead of "You said: ..."`,
		set:  (*script).setSay,
	},
	{
		name: "words", argument: "a number from 1 to 100000", example: "[[words 500]]",
		what: "counts up to the number, so that a word that got lost is seen",
		set:  count(1, 100_000, func(s *script) **int { return &s.words }),
	},
	{
		name: "empty", example: "[[empty]]",
		what: "answers with no text at all",
		set:  (*script).setEmpty,
	},
	{
		name: "json", argument: "(a JSON value)", example: "[[json]]",
		what: "answers the value; without one what fits `response_format`, or else `{\"echo\": ...}`",
		json: true, set: (*script).setJSON,
	},
	{
		name: "tool", argument: "(the name of a tool) (its arguments, a JSON object)", example: `[[tool read_file {"path": "x"}]]`,
		what: "calls the tool, or the first of the request; arguments that are not given are made up from its schema. " +
			"Several of these are several steps: each waits for the results of the one before",
		json: true, set: (*script).setTool,
	},
	{
		name: "tools", argument: "(a number from 1 to 16)", example: "[[tools 2]]",
		what: "calls so many tools in one step, in the order of the request and around; each tool once without a number",
		set:  (*script).setTools,
	},
	{
		name: "think", argument: "a number from 1 to 10000", example: "[[think 20]]",
		what: "thinks in so many words before it answers",
		set:  count(1, 10_000, func(s *script) **int { return &s.think }),
	},
	{
		name: "refuse", argument: "(a text)", example: "[[refuse]]",
		what: "refuses, in the message's `refusal`",
		set:  (*script).setRefuse,
	},
	{
		name: "filter", argument: "(a number of tokens from 0 to 100000)", example: "[[filter 3]]",
		what: "ends with `content_filter` behind so many tokens; 0 if there is no number",
		set:  optional(0, 100_000, func(s *script) **int { return &s.filter }),
	},
	{
		name: "length", argument: "a number of tokens from 1 to 100000", example: "[[length 3]]",
		what: "ends with `length` behind so many tokens, as with `max_tokens`",
		set:  count(1, 100_000, func(s *script) **int { return &s.length }),
	},
	{
		name: "usage", example: "[[usage 1000 200 800 50]]",
		argument: "tokens of prompt and answer, (cached ones of the prompt) (reasoning ones of the answer), each up to 1000000000; or none",
		what:     "reports this usage, or none at all",
		set:      (*script).setUsage,
	},
	{
		name: "wait", argument: "a time from 1ms to 1h", example: "[[wait 5s]]",
		what: "waits before it answers at all",
		set:  duration(func(s *script) *time.Duration { return &s.wait }),
	},
	{
		name: "slow", argument: "a time from 1ms to 1h", example: "[[slow 200ms]]",
		what: "waits before each event of a stream, otherwise 10ms; a plain answer takes as long as its stream would",
		set:  duration(func(s *script) *time.Duration { return &s.slow }),
	},
	{
		name: "stall", argument: "(a number of events from 0 to 100000)", example: "[[stall 3]]",
		what: "stands still behind so many events of a stream until the caller hangs up; a plain answer never comes",
		set:  optional(0, 100_000, func(s *script) **int { return &s.stall }),
	},
	{
		name: "cut", argument: "(a number of events from 0 to 100000)", example: "[[cut 3]]",
		what: "breaks the connection behind so many events of a stream, or in the middle of a plain answer",
		set:  optional(0, 100_000, func(s *script) **int { return &s.cut }),
	},
	{
		name: "fail", argument: "(a number of events from 0 to 100000) (an error, as of error)", example: "[[fail 3 429]]",
		what: "ends a stream with an error event behind so many others; a plain answer is the error under status 200; 500 if none is named",
		set:  (*script).setFail,
	},
	{
		name: "error", argument: "a status from 400 to 599 or an error's name, (seconds for Retry-After, up to 3600)", example: "[[error 429 20]]",
		what: "answers with the error; also in the text of completions and embeddings",
		set:  (*script).setError,
	},
}
