package dialecttest

import (
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Answers are answers of every kind. Signatures are by the maker.
func Answers(maker string) map[string]*llm.Response {
	seal := llm.Signature{Maker: maker, Value: "c2lnbmF0dXJlLW9mLWEtdGhvdWdodA=="}
	call := func(id, name, arguments string) llm.Part {
		return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: name, Arguments: arguments}}
	}
	thought := llm.Part{Kind: llm.Thinking, Text: "First I look. Then I say.", Signature: seal}
	text := llm.TextPart("Hello, \"world\"!\nÄöü 漢字 🙂 \u2028 data: [DONE]")
	return map[string]*llm.Response{
		"text":            answer(llm.FinishStop, text),
		"one letter":      answer(llm.FinishStop, llm.TextPart("x")),
		"length":          answer(llm.FinishLength, llm.TextPart("It was a dark and")),
		"stop sequence":   answer(llm.FinishStopSeq, llm.TextPart("until")),
		"filtered":        answer(llm.FinishFilter, llm.TextPart("I")),
		"tool":            answer(llm.FinishTools, call("call_1", "get_weather", `{"city":"Zürich","days":[1,2.5,null,true]}`)),
		"no arguments":    answer(llm.FinishTools, call("call_1", "now", `{}`)),
		"text and tool":   answer(llm.FinishTools, text, call("call_1", "f", `{"a":"\u0000\"\\"}`)),
		"parallel tools":  answer(llm.FinishTools, call("call_1", "f", `{"a":1}`), call("call_2", "g", `{"b":{"c":[]}}`), call("call_3", "f", `{}`)),
		"thought":         answer(llm.FinishStop, thought, text),
		"thought, tool":   answer(llm.FinishTools, thought, call("call_1", "f", `{"a":1}`)),
		"sealed thought":  answer(llm.FinishStop, llm.Part{Kind: llm.Sealed, Signature: seal}, text),
		"thought, length": answer(llm.FinishLength, thought),
	}
}

func answer(finish llm.Finish, parts ...llm.Part) *llm.Response {
	return &llm.Response{
		ID: "answer1", Model: "m", Choices: []llm.Choice{{Parts: parts, Finish: finish}},
		Usage: gateway.Usage{InputTokens: 100, CachedTokens: 40, OutputTokens: 30, ReasoningTokens: 0, Source: gateway.UsageReported},
	}
}
