package messages

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/llm"
)

const (
	answerText = "Gives the answer. Call it once, as the last thing, with the whole answer."
	jsonText   = "Answer with one JSON object and with nothing before or after it."
)

// format writes what the answer must be: natively for models that have it, else as a tool that the model is made to call. Models that
// have no JSON without a schema, and that no tool can be forced on, are told.
func (e *encoding) format() error {
	f := e.r.Format
	switch schema := len(memberNames(f.Schema)) > 0 && json.Valid(f.Schema); {
	case f.Kind == "":
	case schema && e.is.schema:
		e.body.OutputConfig = &outputConfig{Format: &jsonFormat{"json_schema", cleanSchema(f.Schema)}}
	case e.is.forced:
		e.answers = true
		t := &tool{Name: llm.AnswerTool, Description: f.Description, Schema: json.RawMessage(`{"type":"object"}`)}
		if schema {
			t.Schema = objectSchema(f.Schema)
		}
		if t.Description == "" {
			t.Description = answerText
		}
		e.body.Tools = append(e.body.Tools, t)
	default:
		text := jsonText
		e.body.System = append(e.body.System, block{Type: "text", Text: &text})
	}
	return nil
}

// choiceForAnswer forces the tool that gives the answer. A caller's own tools may be called before.
func (e *encoding) choiceForAnswer(choice llm.ToolChoice) llm.ToolChoice {
	switch {
	case !e.answers || choice.Mode == llm.ChooseTool:
		return choice
	case len(e.r.Tools) > 0 && choice.Mode != llm.ChooseNone:
		return llm.ToolChoice{Mode: llm.ChooseAny}
	default:
		return llm.ToolChoice{Mode: llm.ChooseTool, Name: llm.AnswerTool}
	}
}
