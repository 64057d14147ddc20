package responses

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/openai"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

func invalid(param, code, message string) *wire.Refusal {
	return &wire.Refusal{Status: http.StatusBadRequest, Param: param, Code: code, Message: message}
}

// unthinking are models that do not reason.
var unthinking = regexp.MustCompile(`^(fake-|fault-)?(gpt-3|gpt-4)`)

// checks are the rules about several fields; items is the whole input, with what previous responses had.
var checks = []func(f Create, r *wire.Request, items []object) *wire.Refusal{
	func(_ Create, r *wire.Request, _ []object) *wire.Refusal {
		return openai.CheckSampling(r.Model, r.Fields)
	},
	checkThinking, checkFormat, checkTools, checkCalls, Create.checkReasoning,
}

func checkThinking(_ Create, r *wire.Request, _ []object) *wire.Refusal {
	if !unthinking.MatchString(r.Model) || r.Manner.Think+r.Manner.Reasoning > 0 {
		return nil
	}
	for name := range wire.Sub(r.Fields, "reasoning") {
		return invalid("reasoning."+name, "unsupported_parameter",
			"Unsupported parameter: 'reasoning."+name+"' is not supported with this model.")
	}
	for _, what := range wire.Strings(r.Fields, "include") {
		if what == "reasoning.encrypted_content" {
			return invalid("include", "", "Encrypted content is not supported with this model.")
		}
	}
	return nil
}

func checkFormat(_ Create, r *wire.Request, items []object) *wire.Refusal {
	f := wire.Sub(wire.Sub(r.Fields, "text"), "format")
	if f["type"] == "json_object" && !strings.Contains(strings.ToLower(string(wire.JSON(items))+wire.Text(r.Fields, "instructions")), "json") {
		return invalid("input", "", "Response input messages must contain the word 'json' in some form to use "+
			"'text.format' of type 'json_object'.")
	}
	what := "response_format '" + wire.Text(f, "name") + "'"
	return openai.CheckStrict("text.format.schema", what, wire.Sub(f, "schema"), wire.Flag(f, "strict"))
}

func checkTools(_ Create, r *wire.Request, _ []object) *wire.Refusal {
	names := map[string]bool{}
	for _, t := range wire.Items(r.Fields, "tools") {
		name := wire.Text(t, "name")
		names[name] = true
		if no := openai.CheckStrict("tools", "function '"+name+"'", wire.Sub(t, "parameters"), wire.Flag(t, "strict")); no != nil {
			return no
		}
	}
	choice := wire.Sub(r.Fields, "tool_choice")
	switch {
	case choice["type"] == "function" && !names[wire.Text(choice, "name")]:
		return invalid("tool_choice", "", "Tool choice 'function' not found in 'tools' parameter.")
	case r.Fields["tool_choice"] == "required" && len(names) == 0:
		return invalid("tool_choice", "", "Tool choice 'required' must be specified with 'tools' parameter.")
	}
	return nil
}

// checkCalls wants every call answered, and no other answers.
func checkCalls(_ Create, _ *wire.Request, items []object) *wire.Refusal {
	open := map[string]bool{}
	for _, it := range items {
		id := wire.Text(it, "call_id")
		switch it["type"] {
		case "function_call":
			open[id] = true
		case "function_call_output":
			if !open[id] {
				return invalid("input", "", "No tool call found for function call output with call_id "+id+".")
			}
			delete(open, id)
		}
	}
	for id := range open {
		return invalid("input", "", "No tool output found for function call "+id+".")
	}
	return nil
}

// checkReasoning wants thoughts back unchanged, with what followed them; and with a call that followed thoughts, those.
func (f Create) checkReasoning(_ *wire.Request, items []object) *wire.Refusal {
	given := map[string]bool{}
	for i, it := range items {
		id := wire.Text(it, "id")
		given[id] = true
		if source, thought := thoughtBefore(id); thought && !given[source] {
			return invalid("input", "", "Item '"+id+"' of type '"+wire.Text(it, "type")+"' was provided without its "+
				"required 'reasoning' item: '"+source+"'.")
		}
		if it["type"] != "reasoning" {
			continue
		}
		switch sealed := wire.Text(it, "encrypted_content"); {
		case sealed != "" && !wire.Sealed(maker, sealed):
			return invalid("", "invalid_encrypted_content", "The encrypted content for item "+id+" could not be verified. Reason: "+
				"Encrypted content could not be decrypted or parsed.")
		case sealed == "" && !f.store.hasItem(id):
			return &wire.Refusal{Status: http.StatusNotFound, Param: "input", Message: "Item with id '" + id +
				"' not found. Items are not persisted when " +
				"`store` is set to false. Try again with `store` set to true, or remove this item from your input."}
		case i == len(items)-1 || items[i+1]["role"] == "user" || items[i+1]["type"] == "function_call_output":
			return invalid("input", "", "Item '"+id+"' of type 'reasoning' was provided without its required following item.")
		}
	}
	return nil
}
