package gemini

import "github.com/sluice-gateway/sluice/shared/llm"

// finishReasons are why Google ends a candidate (API reference, read 2026-11). What is not here is no end, or one like STOP: so is a call
// that the model garbled (MALFORMED_FUNCTION_CALL), for no neutral word says it.
var finishReasons = map[string]llm.Finish{
	"STOP":                     llm.FinishStop,
	"MAX_TOKENS":               llm.FinishLength,
	"SAFETY":                   llm.FinishFilter,
	"RECITATION":               llm.FinishFilter,
	"LANGUAGE":                 llm.FinishFilter,
	"BLOCKLIST":                llm.FinishFilter,
	"PROHIBITED_CONTENT":       llm.FinishFilter,
	"SPII":                     llm.FinishFilter,
	"MODEL_ARMOR":              llm.FinishFilter,
	"IMAGE_SAFETY":             llm.FinishFilter,
	"IMAGE_PROHIBITED_CONTENT": llm.FinishFilter,
	"IMAGE_RECITATION":         llm.FinishFilter,
	"CONTINUATION":             llm.FinishPause,
	"OTHER":                    llm.FinishStop,
	"MALFORMED_FUNCTION_CALL":  llm.FinishStop,
	"UNEXPECTED_TOOL_CALL":     llm.FinishStop,
	"TOO_MANY_TOOL_CALLS":      llm.FinishStop,
	"NO_IMAGE":                 llm.FinishStop,
	"IMAGE_OTHER":              llm.FinishStop,
}

// finishes reports whether a reason ends a candidate.
func finishes(reason string) bool { return reason != "" && reason != "FINISH_REASON_UNSPECIFIED" }

// finishOf is the neutral word for a reason. A candidate that calls functions ends in STOP like any other.
func finishOf(reason string, calls bool) llm.Finish {
	finish, known := finishReasons[reason]
	if !known {
		finish = llm.FinishStop
	}
	if finish == llm.FinishStop && calls {
		return llm.FinishTools
	}
	return finish
}

const malformedCall = "MALFORMED_FUNCTION_CALL"

// reasons are Google's words for neutral ones.
var reasons = map[llm.Finish]string{
	llm.FinishStop: "STOP", llm.FinishStopSeq: "STOP", llm.FinishTools: "STOP", llm.FinishLength: "MAX_TOKENS", llm.FinishFilter: "SAFETY",
	llm.FinishRefusal: "SAFETY", llm.FinishPause: "OTHER",
}

func reasonOf(f llm.Finish) string {
	if reason, known := reasons[f]; known {
		return reason
	}
	return "STOP"
}
