package converse

import (
	"encoding/json"
	"slices"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// extraFields are fields of Converse's own that callers may send at the top level, in Converse's spelling, which LiteLLM uses too, and
// in that of OpenAI's fields.
var extraFields = map[string]string{
	"guardrailConfig": "guardrailConfig", "guardrail_config": "guardrailConfig",
	"performanceConfig": "performanceConfig", "performance_config": "performanceConfig",
	"requestMetadata": "requestMetadata", "request_metadata": "requestMetadata",
	"promptVariables": "promptVariables", "prompt_variables": "promptVariables",
	"serviceTier": "serviceTier", "outputConfig": "outputConfig", "guardContent": "guardContent",
	"additionalModelRequestFields": "additionalModelRequestFields", "additional_model_request_fields": "additionalModelRequestFields",
	"additionalModelResponseFieldPaths":     "additionalModelResponseFieldPaths",
	"additional_model_response_field_paths": "additionalModelResponseFieldPaths",
	"anthropic_beta":                        "anthropic_beta",
}

var extraNames = func() []string {
	names := make([]string, 0, len(extraFields))
	for name := range extraFields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}()

// extras adds the caller's own Converse fields, which come before what was made of others.
func (e *encoder) extras(b *body) error {
	if e.takes(tellsStop) && len(e.Stop) > 0 {
		b.Paths = json.RawMessage(`["/stop_sequence"]`)
	}
	if e.ServiceTier != "" && e.ServiceTier != "auto" && e.ServiceTier != "default" {
		b.Tier = &tier{e.ServiceTier}
	}
	b.Output = e.plan.output()
	for _, name := range extraNames {
		raw, found := e.Extra[name]
		if !found || string(raw) == "null" {
			continue
		}
		if err := e.extra(b, name, raw); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) extra(b *body, name string, raw json.RawMessage) error {
	switch extraFields[name] {
	case "guardrailConfig":
		b.Guardrail = raw
	case "performanceConfig":
		b.Speed = raw
	case "requestMetadata":
		b.Metadata = raw
	case "promptVariables":
		b.Variables = raw
	case "additionalModelResponseFieldPaths":
		b.Paths = raw
	case "anthropic_beta":
		e.more["anthropic_beta"] = raw
	case "serviceTier":
		b.Tier = &tier{}
		if json.Unmarshal(raw, b.Tier) != nil {
			return wrongExtra(name, "an object with a type")
		}
	case "outputConfig":
		return mergeOutput(b, name, raw)
	case "additionalModelRequestFields":
		return e.mergeMore(name, raw)
	}
	return nil // guardContent is in the messages
}

func mergeOutput(b *body, name string, raw json.RawMessage) error {
	var own map[string]json.RawMessage
	if json.Unmarshal(raw, &own) != nil {
		return wrongExtra(name, "an object")
	}
	for key, value := range b.Output {
		if _, found := own[key]; !found {
			own[key] = value
		}
	}
	b.Output = own
	return nil
}

func (e *encoder) mergeMore(name string, raw json.RawMessage) error {
	var own map[string]json.RawMessage
	if json.Unmarshal(raw, &own) != nil {
		return wrongExtra(name, "an object")
	}
	for key, value := range own {
		e.more[key] = value
	}
	return nil
}

func wrongExtra(name, want string) error {
	err := gateway.Invalid(name, "%s must be %s.", name, want)
	err.Code = "invalid_type"
	return err
}

// guards are the blocks of guardContent for the last user message: one, or a list.
func (e *encoder) guards() ([]block, error) {
	raw, found := e.Extra["guardContent"]
	if !found || string(raw) == "null" {
		return nil, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	}
	blocks := make([]block, len(list))
	for i := range list {
		if len(list[i]) == 0 || list[i][0] != '{' {
			return nil, wrongExtra("guardContent", "an object or a list of objects")
		}
		blocks[i].Guard = list[i]
	}
	return blocks, nil
}
