package bedrock

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// checkTurns wants user and assistant to take turns, and text wherever text is.
func checkTurns(r *wire.Request) *wire.Refusal {
	for i, b := range wire.Items(r.Fields, "system") {
		if s, ok := b["text"].(string); ok && strings.TrimSpace(s) == "" {
			return blank(fmt.Sprintf("SystemContentBlock object at system.%d", i))
		}
	}
	for i, m := range wire.Items(r.Fields, "messages") {
		want := []string{"user", "assistant"}[i%2]
		switch {
		case i == 0 && m["role"] != want:
			return invalid("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
		case m["role"] != want:
			return invalid("A conversation must alternate between user and assistant roles. Make sure the conversation alternates between " +
				"user and assistant roles and try again.")
		}
		if no := checkBlocks(i, m); no != nil {
			return no
		}
	}
	return nil
}

func blank(where string) *wire.Refusal {
	return invalid("The text field in the " + where + " is blank. Add text to the text field, and try again.")
}

func checkBlocks(i int, m map[string]any) *wire.Refusal {
	names, texts := map[string]bool{}, 0
	for j, b := range wire.Items(m, "content") {
		at := fmt.Sprintf("messages.%d.content.%d", i, j)
		if s, ok := b["text"].(string); ok {
			texts++
			if strings.TrimSpace(s) == "" {
				return blank("ContentBlock object at " + at)
			}
		}
		if d := wire.Sub(b, "document"); d != nil {
			name := wire.Text(d, "name")
			if names[name] {
				return invalid("Messages must not contain duplicate document names.")
			}
			names[name] = true
		}
		if m["role"] == "assistant" && (b["document"] != nil || b["image"] != nil || b["toolResult"] != nil) {
			return invalid("The " + at + " field can only be in a message of the user role.")
		}
		if m["role"] == "user" && (b["toolUse"] != nil || b["reasoningContent"] != nil) {
			return invalid("The " + at + " field can only be in a message of the assistant role.")
		}
		if no := checkResult(at, wire.Sub(b, "toolResult")); no != nil {
			return no
		}
	}
	if len(names) > 0 && texts == 0 {
		return invalid(fmt.Sprintf("A text field is required in the content of messages.%d, since it has a document.", i))
	}
	return nil
}

func checkResult(at string, result map[string]any) *wire.Refusal {
	if result["status"] == "error" && len(wire.Items(result, "content")) == 0 {
		return invalid("The content field at " + at + ".toolResult cannot be empty when status value is error.")
	}
	for _, b := range wire.Items(result, "content") {
		if s, ok := b["text"].(string); ok && s == "" {
			return model("messages: text content blocks must be non-empty")
		}
	}
	return nil
}

// checkResults wants each tool use answered in the next message, and no other answers.
func checkResults(r *wire.Request) *wire.Refusal {
	var open []string
	messages := wire.Items(r.Fields, "messages")
	for i, m := range messages {
		answered, results := map[string]bool{}, 0
		var calls []string
		for _, b := range wire.Items(m, "content") {
			if b["toolUse"] != nil || b["toolResult"] != nil {
				if r.Fields["toolConfig"] == nil {
					return invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
				}
			}
			if use := wire.Sub(b, "toolUse"); use != nil {
				calls = append(calls, wire.Text(use, "toolUseId"))
			}
			if result := wire.Sub(b, "toolResult"); result != nil {
				results++
				answered[wire.Text(result, "toolUseId")] = true
			}
		}
		if results > len(open) {
			return invalid(fmt.Sprintf("The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of "+
				"previous turn.", i))
		}
		if missing := without(open, answered); len(missing) > 0 {
			return unanswered(i, missing)
		}
		open = calls
	}
	if len(open) > 0 {
		return unanswered(len(messages), open)
	}
	return nil
}

func unanswered(i int, ids []string) *wire.Refusal {
	return invalid(fmt.Sprintf("Expected toolResult blocks at messages.%d.content for the following Ids: %s", i, strings.Join(ids, ", ")))
}

func without(ids []string, answered map[string]bool) (missing []string) {
	for _, id := range ids {
		if !answered[id] {
			missing = append(missing, id)
		}
	}
	return missing
}
