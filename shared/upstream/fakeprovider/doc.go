// Package fakeprovider is an OpenAI-compatible provider for tests: it is strict about what it accepts, misbehaves on request,
// and keeps its own bill. Only tests and benchmarks import it.
//
// # Answers
//
// The answer repeats the words of the last user message (of the prompt, for completions), at most [MaxWords] of them; "ok" if
// there are none. One word is one completion token and one stream chunk, for each of the n choices. A limit
// (max_completion_tokens, else max_tokens) cuts the answer and makes finish_reason "length".
//
// Prompt tokens of a chat are, for each message, 3 plus the bytes of its text divided by 4 and rounded up, plus 85 for each
// part that is no text; then the bytes of tools divided by 4, rounded up. A prompt or an embedding input costs its bytes
// divided by 4 rounded up, or its length if it is an array of tokens. See [PromptTokens].
//
// # Model names
//
// Any name works. A name may ask for behaviours: what follows "fault-" or "fake-", then each word after a "+". So
// "fault-cut-after-3", "fake-words-50+slow-20ms" and "gpt-4o-mini+no-usage" all mean something; "fake-anything" is an ordinary
// model and "fault-anything" an unknown one (404). Every behaviour may end in -once or -twice: then the first one or two calls
// with the same model and the same last user message get it, and later ones are served normally.
//
// What the bill says stands last; "full" is billed with all tokens, "so far" is partial with the chunks written.
//
//	N                   answers status N (400 to 599) with OpenAI's error; 429 says Retry-After: 1      rejected
//	retry-after-N       with a status: Retry-After: N; 0 leaves the header out
//	retry-after-date    with a status: Retry-After as an HTTP date, 2 s ahead
//	retry-after-absurd  with a status: Retry-After: 99999999999999999999
//	secret-echo         401 whose body and headers quote the Authorization header                       rejected
//	redirect            307 to /redirected; following it is a violation                                 rejected
//	error-in-200        200 with an error body                                                          rejected
//	html, empty         200 with a web page; 200 with no body                                           full
//	truncated-json      half a JSON body; in a stream, half a JSON event and then a clean end           full
//	silent              accepts and never answers                                                       prompt only
//	delay-Nms           waits before the first byte
//	slow-Nms            waits before each chunk
//	split, drip-Nms     writes byte by byte; with N ms between bytes
//	cut-after-N         closes the connection after N content chunks; a JSON body is cut in its middle  so far; JSON: full
//	reset-after-N       the same with a TCP reset
//	silent-after-N      the same without a close: nothing more ever comes                               so far; JSON: full
//	error-after-N       an error event after N content chunks, then a clean end without [DONE]          so far
//	error-in-stream     is error-after-2
//	cut-before-finish   closes after the last content chunk                                             full
//	cut-before-done     closes after the finish chunk, before usage and [DONE]                          full
//	cut-before-end      closes after usage, before [DONE]                                               full
//	no-done             ends cleanly, without [DONE]                                                    full
//	no-usage            never reports usage                                                             full
//	usage-twice         a stream reports 1 token of each, then the truth                                full
//	usage-every         every chunk reports the usage so far                                            full
//	usage-zero, -negative, -huge, -float, -text, -null   lies about usage; the bill has the truth       full
//	json-for-stream     answers JSON though a stream was asked for                                      full
//	stream-for-json     answers a stream though JSON was asked for                                      full
//	crlf, cr            line ends of events
//	comments            comments, ids, retry and empty fields between events
//	no-space, bom, multi-data, no-final-newline   other legal framings of events
//	big-event-N         the first word of the answer is N KiB long
//	unknown-fields      fields we have never heard of at every level
//	hostile-headers     Set-Cookie, hop-by-hop and gateway-like headers on a good answer                full
//	huge-headers        a header of 2 MiB                                                               full
//	many-headers        10,000 headers                                                                  full
//	bad-length          Content-Length is larger than the body                                          full
//	informational-N     N informational answers (102) before the real one
//	gzip-bomb           32 MiB of zeros, gzipped, whether or not gzip was accepted                      full
//	words-N             the answer has N words
//	reasoning-N         N reasoning tokens come before the words and count as completion tokens
//	cached              a prompt that repeats an earlier one's first 1024 tokens or more reports cached tokens, in steps of 128
//
// # The bill
//
// A request's line is on the bill before the last byte of its answer leaves, so a test that has read an answer finds its line.
// A client that hangs up is billed for the chunks written until then, and the line says when that was noticed.
package fakeprovider
