// Package openai is the wire of OpenAI's chats, completions and embeddings (API reference, read 2026-11), with what Azure changes
// about it, and what Mistral does about chats.
package openai

import (
	"net/http"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// Created is the creation time of everything, so that answers are the same each time.
const Created = 1_700_000_000

// Format is the operation that a path without its version names, or nil.
func Format(path string, azure bool) *wire.Target {
	v := Vendor{Azure: azure}
	switch path {
	case "/chat/completions":
		return &wire.Target{Op: "chat", Format: Chat{v}}
	case "/completions":
		return &wire.Target{Op: "completions", Format: completion{v}}
	case "/embeddings":
		return &wire.Target{Op: "embeddings", Format: embedding{v}}
	}
	return nil
}

// Vendor says errors as OpenAI does, or Azure.
type Vendor struct{ Azure bool }

// kinds are OpenAI's error types by status; others are by class.
var kinds = map[int]struct{ kind, code, message string }{
	401: {"invalid_request_error", "invalid_api_key", "Incorrect API key provided."},
	403: {"permission_error", "", "You are not allowed to use this model."},
	404: {"invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."},
	408: {"timeout", "", "Request timed out."},
	413: {"invalid_request_error", "request_too_large", "The request is too large."},
	429: {"rate_limit_error", "rate_limit_exceeded", "Rate limit reached."},
	503: {"server_error", "", "The engine is currently overloaded, please try again later."},
	529: {"overloaded_error", "", "Overloaded."},
}

// Refuse implements wire.Format. Empty param and code are null.
func (v Vendor) Refuse(no *wire.Refusal, _ http.Header) []byte {
	if no.Detail != nil {
		return wire.JSON(no.Detail)
	}
	if v.Azure {
		if body := azureError(no); body != nil {
			return wire.JSON(body)
		}
	}
	return wire.JSON(map[string]any{"error": Error(no)})
}

// Error is the inside of an error answer.
func Error(no *wire.Refusal) map[string]any {
	known := kinds[no.Status]
	byClass := "invalid_request_error"
	if no.Status >= 500 {
		byClass = "server_error"
	}
	if no.Code == wire.CodeBlocked {
		no.Code, no.Message = "invalid_prompt", "Invalid prompt: your prompt was flagged as potentially violating our usage policy."
	}
	return map[string]any{
		"message": wire.First(no.Message, known.message, "The server had an error while processing your request."),
		"type":    wire.First(no.Kind, known.kind, byClass), "param": wire.OrNull(no.Param),
		"code": wire.OrNull(wire.First(no.Code, known.code)),
	}
}

// Complain says what is wrong with a request.
func Complain(f *wire.Fault) *wire.Refusal {
	if f == nil {
		return nil
	}
	param, _ := f.At[0].(string)
	at := f.At.Brackets()
	switch {
	case f.Missing:
		return coded(param, "missing_required_parameter", "Missing required parameter: '"+at+"'.")
	case f.Unknown:
		return coded(param, "unknown_parameter", "Unknown parameter: '"+at+"'.")
	}
	return coded(param, "invalid_value", "Invalid value for '"+at+"': expected "+f.Want+".")
}

func coded(param, code, message string) *wire.Refusal {
	return &wire.Refusal{Status: http.StatusBadRequest, Param: param, Code: code, Message: message}
}

// tokens is a usage report.
type tokens struct {
	Prompt            int64              `json:"prompt_tokens"`
	Completion        int64              `json:"completion_tokens"`
	Total             int64              `json:"total_tokens"`
	PromptDetails     *promptDetails     `json:"prompt_tokens_details,omitempty"`
	CompletionDetails *completionDetails `json:"completion_tokens_details,omitempty"`
}

type promptDetails struct {
	Cached int64 `json:"cached_tokens"`
	Audio  int64 `json:"audio_tokens"`
}

type completionDetails struct {
	Reasoning          int64 `json:"reasoning_tokens"`
	Audio              int64 `json:"audio_tokens"`
	AcceptedPrediction int64 `json:"accepted_prediction_tokens"`
	RejectedPrediction int64 `json:"rejected_prediction_tokens"`
}

func report(t wire.Tokens) tokens {
	return tokens{Prompt: t.Prompt, Completion: t.Completion, Total: t.Prompt + t.Completion}
}
