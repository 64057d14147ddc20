package ingress_test

import (
	"encoding/json"
	"net/url"
)

// geminiSpeaker speaks Google's generateContent (its API reference, read 2026-11).
type geminiSpeaker struct{}

func (geminiSpeaker) name() string { return "gemini" }

func (geminiSpeaker) route(model string, stream bool) (string, string) {
	path := "/v1beta/models/" + (&url.URL{Path: model}).EscapedPath()
	if stream {
		return path + ":streamGenerateContent?alt=sse", "X-Goog-Api-Key"
	}
	return path + ":generateContent", "X-Goog-Api-Key"
}

func (s geminiSpeaker) ask(_ string, t *talk, _ bool) (obj, error) {
	if err := lacks(t.cache != "", t.single); err != nil {
		return nil, err
	}
	contents := []obj{}
	for _, turn := range t.turns {
		contents = append(contents, s.turn(turn))
	}
	body, config := obj{"contents": contents}, obj{}
	if t.system != "" {
		body["systemInstruction"] = obj{"parts": []obj{{"text": t.system}}}
	}
	if t.limit > 0 {
		config["maxOutputTokens"] = t.limit
	}
	if t.stop != "" {
		config["stopSequences"] = []string{t.stop}
	}
	if t.think {
		config["thinkingConfig"] = obj{"includeThoughts": true, "thinkingBudget": 1024}
	}
	if t.seed {
		config["seed"] = 7
	}
	if t.n > 0 {
		config["candidateCount"] = t.n
	}
	if t.logprobs {
		config["responseLogprobs"], config["logprobs"] = true, 2
	}
	if t.object || t.schema {
		config["responseMimeType"] = "application/json"
	}
	if t.schema {
		config["responseSchema"] = geminiSchema()
	}
	if len(config) > 0 {
		body["generationConfig"] = config
	}
	s.tools(body, t)
	return body, nil
}

// geminiSchema is the weather's as Google writes schemas.
func geminiSchema() obj {
	return obj{
		"type": "OBJECT", "properties": obj{"city": obj{"type": "STRING", "description": "where"}, "days": obj{"type": "INTEGER"}},
		"required": []string{"city", "days"},
	}
}

func (geminiSpeaker) tools(body obj, t *talk) {
	var declared []obj
	for _, name := range toolNames[:t.tools] {
		declared = append(declared, obj{"name": name, "description": toolText, "parameters": geminiSchema()})
	}
	if len(declared) == 0 {
		return
	}
	body["tools"] = []obj{{"functionDeclarations": declared}}
	calling := obj{"mode": "ANY"}
	switch t.choice {
	case "":
		return
	case "none":
		calling["mode"] = "NONE"
	case "any":
	default:
		calling["allowedFunctionNames"] = []string{t.choice}
	}
	body["toolConfig"] = obj{"functionCallingConfig": calling}
}

func (geminiSpeaker) turn(t turn) obj {
	if t.said != nil {
		return obj{"role": "model", "parts": t.said.history}
	}
	var parts []obj
	for _, a := range t.answers {
		response := obj{"output": a.text}
		if a.failed {
			response = obj{"error": a.text}
		}
		f := obj{"name": a.call.name, "response": response}
		if a.call.id != "" {
			f["id"] = a.call.id
		}
		if a.image {
			f["parts"] = []obj{{"inlineData": obj{"mimeType": "image/png", "data": pixel}}}
		}
		parts = append(parts, obj{"functionResponse": f})
	}
	if t.text != "" {
		parts = append(parts, obj{"text": t.text})
	}
	if t.media != "" {
		kinds := map[string][2]string{"image": {"image/png", pixel}, "pdf": {"application/pdf", paper}, "audio": {"audio/wav", sound}}
		parts = append(parts, obj{"inlineData": obj{"mimeType": kinds[t.media][0], "data": kinds[t.media][1]}})
	}
	return obj{"role": "user", "parts": parts}
}

// geminiFinish maps finishReason; tool calls end in STOP too.
var geminiFinish = map[string]string{
	"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "filter", "RECITATION": "filter", "BLOCKLIST": "filter", "PROHIBITED_CONTENT": "filter",
}

func (s geminiSpeaker) whole(r *reading, a obj) *result {
	out := &result{}
	s.piece(r, out, a)
	s.close(r, out)
	return out
}

// piece adds an answer, or a part of one.
func (s geminiSpeaker) piece(r *reading, out *result, a obj) {
	out.id = r.text(a, "modelVersion")
	r.text(a, "responseId")
	if u, ok := a["usageMetadata"].(obj); ok {
		out.usage = geminiUsage(r, u)
	}
	if f, ok := a["promptFeedback"].(obj); ok && f["blockReason"] != nil {
		out.finish = "blocked"
	}
	if a["candidates"] == nil {
		return
	}
	for _, c := range r.list(a, "candidates") {
		n := int(maybe(c, "index"))
		out.choices = max(out.choices, n+1)
		if reason := textIn(c, "finishReason"); reason != "" {
			r.want(geminiFinish[reason] != "", "finishReason %s", reason)
			out.finish = geminiFinish[reason]
		}
		if n > 0 || c["content"] == nil {
			continue
		}
		content := r.object(c, "content")
		r.word(content, "role", "model")
		if content["parts"] != nil {
			s.parts(r, out, r.list(content, "parts"))
		}
		if l, ok := c["logprobsResult"].(obj); ok {
			out.logprobs += len(r.list(l, "chosenCandidates"))
			r.want(len(r.list(l, "topCandidates")) == len(r.list(l, "chosenCandidates")), "topCandidates are not as many: %s", brief{l})
		}
	}
}

// parts reads content, and keeps of it what the documentation has, part by part as it came.
func (geminiSpeaker) parts(r *reading, out *result, parts []obj) {
	kept, _ := out.history.([]obj)
	for _, p := range parts {
		k := obj{}
		for _, name := range []string{"text", "thought", "thoughtSignature"} {
			if p[name] != nil {
				k[name] = p[name]
			}
		}
		if f, ok := p["functionCall"].(obj); ok {
			args, _ := json.Marshal(r.object(f, "args"))
			out.calls = append(out.calls, called{textIn(f, "id"), r.text(f, "name"), string(args)})
			k["functionCall"] = f
		} else if text := r.text(p, "text"); p["thought"] == true {
			out.thoughts += text
		} else {
			out.text += text
		}
		if len(k) > 1 || k["text"] != "" {
			kept = append(kept, k)
		}
	}
	out.history = kept
}

func (geminiSpeaker) close(_ *reading, out *result) {
	if out.finish == "stop" && len(out.calls) > 0 {
		out.finish = "calls"
	}
}

func geminiUsage(r *reading, u obj) tokens {
	t := tokens{
		in: maybe(u, "promptTokenCount"), cached: maybe(u, "cachedContentTokenCount"), thought: maybe(u, "thoughtsTokenCount"), written: -1,
	}
	t.out = maybe(u, "candidatesTokenCount") + t.thought
	r.want(maybe(u, "totalTokenCount") == t.in+t.out, "the total is wrong in %s", brief{u})
	return t
}

// stream has no terminator but the finish reason, in the last event.
func (s geminiSpeaker) stream(r *reading, events []frame) *result {
	out := &result{}
	for _, e := range events {
		r.want(!e.done && e.name == "" && out.fault == nil, "event %q %s", e.name, brief{e.data})
		if e.data["error"] != nil {
			out.fault = s.failed(r, e.data)
			out.fault.status = 0
			continue
		}
		s.piece(r, out, e.data)
	}
	out.done = out.finish != "" && out.fault == nil
	s.close(r, out)
	return out
}

func (geminiSpeaker) failed(r *reading, body obj) *refusal {
	e := r.object(body, "error")
	f := &refusal{kind: r.text(e, "status"), message: r.text(e, "message"), status: int(r.number(e, "code"))}
	if e["details"] != nil {
		for _, d := range r.list(e, "details") {
			if d["reason"] != nil {
				f.code = textIn(d, "reason")
			}
			if d["fieldViolations"] != nil {
				f.param = textIn(r.list(d, "fieldViolations")[0], "field")
			}
		}
	}
	return f
}

// geminiKinds are names of google.rpc.Code (Google's API design guide, read 2026-11).
var geminiKinds = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 408: "DEADLINE_EXCEEDED",
	413: "INVALID_ARGUMENT", 422: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 502: "UNAVAILABLE", 503: "UNAVAILABLE",
	504: "DEADLINE_EXCEEDED", 529: "UNAVAILABLE",
}

func (geminiSpeaker) kind(status int, _ string) string { return geminiKinds[status] }
