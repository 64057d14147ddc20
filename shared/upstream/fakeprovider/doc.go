// Package fakeprovider is a model provider for tests. It speaks the wire formats of OpenAI (chats, completions, embeddings and
// responses), Azure, Anthropic, Gemini and Bedrock on one port, is strict about what it accepts, misbehaves on request, and keeps
// its own bill. Only tests and benchmarks import it. [Wires] lists the wires.
//
// # Routes
//
//	openai            POST [/v1]/chat/completions, /completions, /embeddings; GET [/v1]/models           bearer DefaultKey
//	responses         POST [/v1]/responses, /responses/input_tokens; GET and DELETE /responses/ID,
//	                  GET /responses/ID/input_items                                                    bearer DefaultKey
//	azure             POST /openai/deployments/MODEL/chat/completions?api-version=..., the same
//	                  of /completions and /embeddings; all three under /openai/v1                      api-key DefaultKey, or
//	azure-responses   the routes of responses under /openai/v1                                         bearer FakeToken
//	anthropic         POST [/v1]/messages, /messages/count_tokens; with anthropic-version              x-api-key DefaultKey
//	vertex-anthropic  POST PLACE/publishers/anthropic/models/MODEL:rawPredict, :streamRawPredict,
//	                  and count-tokens:rawPredict                                                      bearer FakeToken
//	gemini            POST /v1beta/models/MODEL:generateContent, :streamGenerateContent?alt=sse,
//	                  :countTokens, :batchEmbedContents                                                x-goog-api-key DefaultKey
//	vertex            the first three of gemini's methods, and :predict for embeddings, under
//	                  PLACE/publishers/google/models/MODEL                                             bearer FakeToken
//	bedrock           POST /model/MODEL/converse, /converse-stream, /count-tokens, and /invoke         SigV4 with FakeAccessKey and
//	                  for embeddings by Titan and Cohere                                               FakeSecretKey, or bearer DefaultKey
//
// PLACE is /v1/projects/P/locations/L. A request must carry exactly one credential. GET /bill and /violations need none.
//
// # Strictness
//
// Bodies are one JSON object of valid UTF-8 without duplicate keys. Each wire refuses what its vendor does, in the vendor's words as
// far as they are known: fields that there are not (not on OpenAI's chats, completions and embeddings, which also stand for those
// that speak like OpenAI), missing ones, wrong types and ranges, tool results that do not answer the calls before them, schemas
// outside the vendor's subset, thoughts that come back changed. A header that is no business of the vendor, a second credential,
// a canary, or a field that steers gateways is a [Violation] beside.
//
// # Answers
//
// The answer repeats the words of the last user message (of the prompt, for completions), at most [MaxWords] of them; "ok" if
// there are none. Parts that are no text are words like image:image/png, image:https://..., document:NAME and audio:wav. If tools
// were called, the last message is the row of their results; "error:" comes before one that failed. A call whose tool choice
// forces one is answered with it; if a JSON schema is asked for, the answer obeys it: required properties only, or all if none is
// required, with the property's name as text. JSON without a schema is {"answer": WORDS}. A stop sequence ends the text before it.
//
// A thought is "thought one two three ...", as many words as tokens. Wires on which thoughts must be asked for show none without;
// asked for without a number in the model's name, there are three. A thought is signed with "sig-" and a hash, or sealed, by the
// vendor: under thinking blocks of Anthropic and Bedrock, as encrypted_content of Responses, as thoughtSignature on the first
// function call or on the text of Gemini's (always from gemini-3 on). What comes back must fit.
//
// # Tokens
//
// One word is one completion token and one content chunk, for each of the n choices; so is a word of a thought that is shown, and
// each started 8 bytes of JSON in an answer or in the arguments of a tool call. A limit cuts the answer. Thoughts that are not
// shown are tokens and no chunks.
//
// A prompt costs, for each message and for a system prompt, 3 plus the bytes of its text divided by 4 and rounded up, plus 85 for
// each part that is no text (audio tokens, for sound); then the bytes of tools divided by 4, rounded up (each tool on its own,
// where cache marks may stand between them). Tool calls in the history cost nothing. A completion prompt or an embedding input
// costs its bytes divided by 4 rounded up, or its length if it is an array of tokens. See [PromptTokens]. Counting tokens is free,
// and not on the bill.
//
// # Model names
//
// Any name works. A name may ask for behaviours: what follows "fault-" or "fake-", then each word after a "+". So
// "fault-cut-after-3", "fake-words-50+slow-20ms" and "gpt-4o-mini+no-usage" all mean something; "fake-anything" is an ordinary
// model and "fault-anything" an unknown one (404). Every behaviour may end in -once or -twice: then the first one or two calls
// with the same model and the same last user message get it, and later ones are served normally. Names that begin with o1, gpt-5,
// gemini-3 and the like, after "fake-" or "fault-" if that is there, get the rules of those models.
//
// What the bill says stands last; "full" is billed with all tokens, "so far" is partial with the chunks written. A stream's
// terminator is [DONE], response.completed, message_stop, the event with Gemini's finish reason, or Bedrock's metadata.
//
//	N                   answers status N (400 to 599) with the vendor's error; 429 says when to retry   rejected
//	retry-after-N       with a status: Retry-After: N; 0 leaves the header out (Google says it in the body)
//	retry-after-date    with a status: Retry-After as an HTTP date, 2 s ahead
//	retry-after-absurd  with a status: Retry-After: 99999999999999999999
//	secret-echo         401 whose body and headers quote the credential                                 rejected
//	redirect            307 to /redirected; following it is a violation                                 rejected
//	error-in-200        200 with an error body                                                          rejected
//	html, empty         200 with a web page; 200 with no body                                           full
//	truncated-json      half a JSON body; in a stream, half an event and then a clean end               full
//	silent              accepts and never answers                                                       prompt only
//	delay-Nms           waits before the first byte
//	slow-Nms            waits before each chunk
//	split, drip-Nms     writes byte by byte; with N ms between bytes
//	cut-after-N         closes the connection after N content chunks; a JSON body is cut in its middle  so far; JSON: full
//	reset-after-N       the same with a TCP reset
//	silent-after-N      the same without a close: nothing more ever comes                               so far; JSON: full
//	error-after-N       the vendor's error event after N content chunks, then a clean end               so far
//	error-in-stream     is error-after-2
//	cut-before-finish   closes after the last content chunk                                             full
//	cut-before-done     closes after the finish chunk, before usage and terminator                      full
//	cut-before-end      closes after usage, before the terminator                                       full
//	no-done             ends cleanly, without the terminator                                            full
//	no-usage            never reports usage                                                             full
//	usage-twice         a stream reports 1 token of each, then the truth (not on Responses)             full
//	usage-every         every chunk of a chat reports the usage so far; Gemini always does              full
//	usage-zero, -negative, -huge, -float, -text, -null   lies about usage; the bill has the truth       full
//	json-for-stream     answers JSON though a stream was asked for                                      full
//	stream-for-json     answers a stream though JSON was asked for                                      full
//	crlf, cr            line ends of events
//	comments            comments, ids, retry and empty fields between events
//	no-space, bom, multi-data, no-final-newline   other legal framings of events
//	bad-crc             a wrong checksum in every message of Bedrock's streams
//	big-event-N         the first word of the answer is N KiB long
//	unknown-fields      fields we have never heard of at every level
//	hostile-headers     Set-Cookie, hop-by-hop and gateway-like headers on a good answer                full
//	huge-headers        a header of 2 MiB                                                               full
//	many-headers        10,000 headers                                                                  full
//	bad-length          Content-Length is larger than the body                                          full
//	informational-N     N informational answers (102) before the real one
//	gzip-bomb           32 MiB of zeros, gzipped, whether or not gzip was accepted                      full
//	words-N             the answer has N words
//	tools-N             calls N of the tools offered, in turn and in parallel, unless tools were called just now
//	schema              nothing: every model obeys schemas
//	reasoning-N         N tokens of thoughts come before the words, seen where the wire and the request show them
//	think-N             the same; chats show them as reasoning_content, and want them back with tool results, as DeepSeek does
//	redact              thoughts come sealed: redacted_thinking, redactedContent
//	refuse              the model refuses: refusal of OpenAI's, stop reason refusal of Anthropic's; else just text
//	filter              the vendor's filter ends the answer in its middle                               what was said
//	block               the vendor's filter refuses the prompt: an error; Gemini and Bedrock answer so  rejected; prompt only
//	citations           the text has a source
//	logprobs            log probabilities, asked for or not; OpenAI's and Gemini's
//	cached              OpenAI, Responses, Azure, Gemini: a prompt that repeats an earlier one's first 1024 tokens or more reports
//	                    cached tokens, in steps of 128; Anthropic, Bedrock: prompts up to cache marks, from 1024 tokens on, are
//	                    written for 5 minutes or an hour, and read when a later prompt begins with them
//	mistral             chats as at Mistral: no fields but its own, tool call ids of 9 letters and digits, usage with the finish
//
// # The bill
//
// A request's line is on the bill before the last byte of its answer leaves, so a test that has read an answer finds its line.
// A client that hangs up is billed for the chunks written until then, and the line says when that was noticed.
package fakeprovider
