package gemini

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// third is a generation of models that insist on the signatures of their calls.
func third(model string) bool { return thirds.MatchString(model) }

var thirds = regexp.MustCompile(`^(fake-|fault-)?gemini-[3-9]`)

// having are the parts of a content that have a field.
func having(c map[string]any, field string) (parts []map[string]any) {
	for _, p := range wire.Items(c, "parts") {
		if p[field] != nil {
			parts = append(parts, p)
		}
	}
	return parts
}

// merged are contents with neighbours of one role made one: Google's own clients keep a stream's chunks as contents (the source of its Go
// SDK, read 2026-11).
func merged(contents []map[string]any) (list []map[string]any) {
	for _, c := range contents {
		if n := len(list); n > 0 && list[n-1]["role"] == c["role"] {
			parts, _ := list[n-1]["parts"].([]any)
			more, _ := c["parts"].([]any)
			list[n-1] = map[string]any{"role": c["role"], "parts": append(parts[:len(parts):len(parts)], more...)}
			continue
		}
		list = append(list, c)
	}
	return list
}

// checkTurns are the rules about what follows what (errors as users report them, read 2026-11).
func checkTurns(r *wire.Request) *wire.Refusal {
	contents := merged(wire.Items(r.Fields, "contents"))
	if len(contents) == 0 {
		return invalid("* GenerateContentRequest.contents: contents is not specified")
	}
	if contents[len(contents)-1]["role"] == "model" {
		return invalid("Please ensure that single turn requests end with a user role or the role field is empty.")
	}
	var called []map[string]any
	for i, c := range contents {
		calls, answers := having(c, "functionCall"), having(c, "functionResponse")
		switch {
		case len(answers) != len(called):
			return invalid("Please ensure that the number of function response parts is equal to the number of function call parts of the " +
				"function call turn.")
		case len(calls) > 0 && (c["role"] != "model" || i == 0 || contents[i-1]["role"] == "model"):
			return invalid("Please ensure that function call turn comes immediately after a user turn or after a function response turn.")
		}
		if no := checkIDs(called, answers); no != nil {
			return no
		}
		called = calls
	}
	return checkTexts(contents)
}

// checkIDs wants each answer to be to one of the calls: by id if it has one, else by name.
func checkIDs(calls, answers []map[string]any) *wire.Refusal {
	ids, names := map[string]int{}, map[string]int{}
	for _, p := range calls {
		f := wire.Sub(p, "functionCall")
		ids[wire.Text(f, "id")]++
		names[wire.Text(f, "name")]++
	}
	for _, p := range answers {
		f := wire.Sub(p, "functionResponse")
		id, name := wire.Text(f, "id"), wire.Text(f, "name")
		ids[id]--
		if names[name]--; names[name] < 0 || id != "" && ids[id] < 0 {
			return invalid("Function response '" + wire.First(id, name) + "' does not match any function call of the function call turn.")
		}
	}
	return nil
}

func checkTexts(contents []map[string]any) *wire.Refusal {
	for i, c := range contents {
		for j, p := range wire.Items(c, "parts") {
			if p["text"] == "" && p["thoughtSignature"] == nil {
				return invalid(fmt.Sprintf("* GenerateContentRequest.contents[%d].parts[%d].data: required oneof field 'data' must have one "+
					"initialized field", i, j))
			}
		}
	}
	return nil
}

// pardoned are signatures that stand for calls of other models (guide "Thought signatures", read 2026-11).
var pardoned = []string{"context_engineering_is_the_way_to_go", "skip_thought_signature_validator"}

// checkSignatures wants signatures to be unchanged and, from models of the third generation on, present on the first call of each
// step since the user last spoke.
func checkSignatures(r *wire.Request) *wire.Refusal {
	contents := wire.Items(r.Fields, "contents")
	for i, c := range contents {
		for j, p := range wire.Items(c, "parts") {
			if !genuine(p) {
				return invalid(fmt.Sprintf("Invalid thought signature at contents[%d].parts[%d].", i, j))
			}
		}
	}
	contents = merged(contents)
	for i := len(contents) - 1; i >= 0 && third(r.Model); i-- {
		calls := having(contents[i], "functionCall")
		if contents[i]["role"] != "model" && len(having(contents[i], "functionResponse")) == 0 {
			break
		}
		if len(calls) > 0 && calls[0]["thoughtSignature"] == nil {
			name := wire.Text(wire.Sub(calls[0], "functionCall"), "name")
			return invalid("Function call is missing a thought_signature in functionCall parts. This is required for tools to work " +
				"correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `" +
				"default_api:" + name + "` , position " + fmt.Sprint(i+1) + ".")
		}
	}
	return nil
}

func genuine(p map[string]any) bool {
	given, ok := p["thoughtSignature"].(string)
	if !ok {
		return true
	}
	decoded, _ := base64.StdEncoding.DecodeString(given)
	for _, s := range pardoned {
		if given == s || string(decoded) == s {
			return true
		}
	}
	if f := wire.Sub(p, "functionCall"); f != nil {
		return given == signature(wire.Text(f, "name"), f["args"])
	}
	return strings.HasPrefix(string(decoded), "sig-")
}

// signature is what comes with a function call.
func signature(name string, args any) string {
	if args == nil {
		args = map[string]any{}
	}
	return base64.StdEncoding.EncodeToString([]byte(wire.Sign(maker, name+string(wire.JSON(args)))))
}
