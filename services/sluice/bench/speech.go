package main

import (
	"fmt"
	"strings"
)

// speech is how the mock says things in one wire format.
type speech struct {
	whole []byte // a whole answer
	head  []byte // the beginning of a stream
	chunk []byte // one of its chunks
	end   []byte // and its end
}

// answerBytes is the length of a whole answer in either wire format.
const answerBytes = 400

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

// chatSpeech is OpenAI's chat completions.
var chatSpeech = speech{
	whole: wholeAnswer(`{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"gpt-3.5-turbo",` +
		`"choices":[{"index":0,"message":{"role":"assistant","content":"?"},"logprobs":null,"finish_reason":"stop"}],` +
		`"usage":{"prompt_tokens":150,"completion_tokens":40,"total_tokens":190},"system_fingerprint":"fp_bench"}`),
	head: []byte(streamHead),
	chunk: inChunk(`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-3.5-turbo",` +
		`"choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n"),
	end: append(inChunk(`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-3.5-turbo",`+
		`"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}`+"\n\n"+
		`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-3.5-turbo",`+
		`"choices":[],"usage":{"prompt_tokens":150,"completion_tokens":40,"total_tokens":190}}`+"\n\ndata: [DONE]\n\n"), "0\r\n\r\n"...),
}

// messagesSpeech is Anthropic's messages (API reference and page on streaming, read 2026-11).
var messagesSpeech = speech{
	whole: wholeAnswer(`{"id":"msg_bench","type":"message","role":"assistant","model":"claude-3-5-haiku-20241022",` +
		`"content":[{"type":"text","text":"?"}],"stop_reason":"end_turn","stop_sequence":null,` +
		`"usage":{"input_tokens":150,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":40}}`),
	head: append([]byte(streamHead), inChunk(event("message_start", `"message":{"id":"msg_bench","type":"message","role":"assistant",`+
		`"model":"claude-3-5-haiku-20241022","content":[],"stop_reason":null,"stop_sequence":null,`+
		`"usage":{"input_tokens":150,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}`)+
		event("content_block_start", `"index":0,"content_block":{"type":"text","text":""}`)+"event: ping\ndata: {\"type\":\"ping\"}\n\n")...),
	chunk: inChunk(event("content_block_delta", `"index":0,"delta":{"type":"text_delta","text":" word"}`)),
	end: append(inChunk(event("content_block_stop", `"index":0`)+
		event("message_delta", `"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":40}`)+
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"), "0\r\n\r\n"...),
}

// wholeAnswer puts as many words in the place of the ? as an answer needs to be as long as all.
func wholeAnswer(body string) []byte {
	body = strings.Replace(body, "?", strings.Repeat("answer ", 40)[:answerBytes-len(body)+1], 1)
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// event is an event of Anthropic's, which has its type twice.
func event(kind, fields string) string {
	return fmt.Sprintf("event: %s\ndata: {\"type\":%q,%s}\n\n", kind, kind, fields)
}

func inChunk(s string) []byte { return fmt.Appendf(nil, "%x\r\n%s\r\n", len(s), s) }
