package responses

import (
	"bytes"
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// echoed are the fields of a request that its Response tells again, with what holds where the caller said nothing. Their order is
// OpenAI's.
var echoed = [...]struct{ name, otherwise string }{
	{"instructions", "null"},
	{"max_output_tokens", "null"},
	{"max_tool_calls", "null"},
	{"metadata", "{}"},
	{"parallel_tool_calls", "true"},
	{"prompt_cache_key", "null"},
	{"prompt_cache_retention", "null"},
	{"reasoning", "{}"},
	{"safety_identifier", "null"},
	{"temperature", "1"},
	{"text", "{}"},
	{"tool_choice", `"auto"`},
	{"tools", "[]"},
	{"top_logprobs", "0"},
	{"top_p", "1"},
	{"truncation", `"disabled"`},
	{"user", "null"},
}

// completed are the fields within an echoed object that are always there.
var completed = map[string][]struct{ name, otherwise string }{
	"reasoning": {{"effort", "null"}, {"summary", "null"}},
	"text":      {{"format", `{"type":"text"}`}},
}

// echo is what a Response tells of its request, as members of an object.
func (x *exchange) echo() (members []byte, tier string) {
	var fields [len(echoed) + 1]jsonedit.Field
	for i := range echoed {
		fields[i].Name = echoed[i].name
	}
	last := &fields[len(echoed)]
	last.Name = "service_tier"
	jsonedit.Find(x.request.Body, fields[:])
	o := open(nil)
	for i := range echoed {
		value := []byte(echoed[i].otherwise)
		if fields[i].Given() {
			value = fields[i].Raw
		}
		o.json(echoed[i].name, complete(echoed[i].name, value))
	}
	o.textOrNull("previous_response_id", x.since())
	o.raw("store", truth(x.stored))
	tier, _ = last.Text()
	var out bytes.Buffer
	if json.Compact(&out, o.close()) != nil { // the body was checked: cannot fail
		return nil, tier
	}
	return out.Bytes()[1 : out.Len()-1], tier
}

func truth(is bool) string {
	if is {
		return "true"
	}
	return "false"
}

// complete adds the fields that OpenAI's clients rely on.
func complete(name string, value []byte) []byte {
	if name == "tools" {
		return completeTools(value)
	}
	for _, inner := range completed[name] {
		field := [1]jsonedit.Field{{Name: inner.name}}
		if len(value) > 0 && value[0] == '{' && jsonedit.Find(value, field[:]) && !field[0].Present() {
			value = jsonedit.Replace(nil, value, field[0].Set([]byte(inner.otherwise)))
		}
	}
	return value
}

// completeTools gives each function the fields that the API document requires of it.
func completeTools(list []byte) []byte {
	if len(list) == 0 || list[0] != '[' {
		return list
	}
	out := []byte{'['}
	for _, raw := range elements(list) {
		fields := [...]jsonedit.Field{{Name: "type"}, {Name: "parameters"}, {Name: "strict"}}
		if raw[0] == '{' && jsonedit.Find(raw, fields[:]) && string(fields[0].Raw) == `"function"` {
			var edits []jsonedit.Edit
			for i := range fields[1:] {
				if f := &fields[1+i]; !f.Present() {
					edits = append(edits, f.Set([]byte("null")))
				}
			}
			raw = jsonedit.Replace(nil, raw, edits...)
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, raw...)
	}
	return append(out, ']')
}

// told is what of a Response changes while it is made.
type told struct {
	status string // in_progress, completed, incomplete, failed
	reason string // why it is incomplete
	output []byte // the items, as a list
	usage  *gateway.Usage
	tier   string
	fault  *gateway.Error
	ended  int64 // Unix seconds; 0 if it is not completed
}

// shell writes the Responses of one exchange.
type shell struct {
	*exchange
	members []byte // what the request said
	tier    string // as the caller asked for
}

func (s *shell) write(dst []byte, t *told) []byte {
	if s.members == nil {
		s.members, s.tier = s.echo()
	}
	o := open(dst)
	o.text("id", s.ID())
	o.raw("object", `"response"`)
	o.number("created_at", s.createdAt())
	o.text("status", t.status)
	o.raw("background", "false")
	if t.ended != 0 {
		o.number("completed_at", t.ended)
	} else {
		o.raw("completed_at", "null")
	}
	o.json("error", faultOf(t.fault))
	o.json("incomplete_details", reasonOf(t.reason))
	o.text("model", s.request.Model)
	o.json("output", t.output)
	o.text("service_tier", s.tierOf(t.tier))
	if t.usage != nil {
		o.json("usage", appendUsage(nil, *t.usage))
	} else {
		o.raw("usage", "null")
	}
	o.b = append(append(o.b, ','), s.members...)
	return o.close()
}

func (s *shell) tierOf(served string) string {
	switch {
	case served != "":
		return served
	case s.tier != "" && s.tier != "auto":
		return s.tier
	default:
		return "default"
	}
}

func reasonOf(reason string) []byte {
	if reason == "" {
		return []byte("null")
	}
	o := open(nil)
	o.text("reason", reason)
	return o.close()
}

func faultOf(e *gateway.Error) []byte {
	if e == nil {
		return []byte("null")
	}
	o := open(nil)
	o.text("code", failureCode(e))
	o.text("message", e.Message)
	return o.close()
}

// failureCode is the word for an error in a Response, whose codes are fewer (API document, read 2026-11).
func failureCode(e *gateway.Error) string {
	switch {
	case e.Kind == gateway.KindBudget || e.Code == "insufficient_quota":
		return "insufficient_quota"
	case e.Status() == 429:
		return "rate_limit_exceeded"
	case e.Code != "" && statuses[e.Code] != 0:
		return e.Code
	case e.Kind == gateway.KindInvalid:
		return "invalid_prompt"
	default:
		return "server_error"
	}
}
