package converse

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// usage is Bedrock's: inputTokens does not include what was read from or written to the cache.
type usage struct {
	Input      int64         `json:"inputTokens"`
	Output     int64         `json:"outputTokens"`
	CacheRead  int64         `json:"cacheReadInputTokens"`
	CacheWrite int64         `json:"cacheWriteInputTokens"`
	Details    []cacheDetail `json:"cacheDetails"` // of the writes
}

type cacheDetail struct {
	Tokens int64  `json:"inputTokens"`
	TTL    string `json:"ttl"`
}

// readUsage is the usage if there is one that can be believed.
func readUsage(raw json.RawMessage) gateway.Usage {
	var u usage
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &u) != nil {
		return gateway.Usage{}
	}
	hour := int64(0)
	for _, d := range u.Details {
		if d.TTL == "1h" && d.Tokens > 0 {
			hour = min(u.CacheWrite, d.Tokens)
		}
	}
	out, ok := dialect.CheckUsage(gateway.Usage{
		InputTokens: u.Input + u.CacheRead + u.CacheWrite, CachedTokens: u.CacheRead, CacheWriteTokens: u.CacheWrite - hour,
		CacheWrite1hTokens: hour, OutputTokens: u.Output,
	})
	if !ok || u.Input < 0 {
		return gateway.Usage{}
	}
	return out
}

// finishes are the stop reasons (vendor API reference, read 2026-11). What the model wrote so badly that Bedrock could not read it is
// as incomplete as what was cut.
var finishes = map[string]llm.Finish{
	"end_turn": llm.FinishStop, "tool_use": llm.FinishTools, "max_tokens": llm.FinishLength, "stop_sequence": llm.FinishStopSeq,
	"guardrail_intervened": llm.FinishFilter, "content_filtered": llm.FinishFilter,
	"malformed_model_output": llm.FinishLength, "malformed_tool_use": llm.FinishLength,
	"model_context_window_exceeded": llm.FinishLength, "refusal": llm.FinishRefusal, "pause_turn": llm.FinishPause,
}

// finish is why an answer ended. A call of the answer's tool alone is no tool call.
func finish(reason string, calls, answered bool) llm.Finish {
	f, known := finishes[reason]
	switch {
	case answered && !calls && (f == llm.FinishTools || !known):
		return llm.FinishStop
	case known:
		return f
	case calls:
		return llm.FinishTools
	default:
		return llm.FinishStop
	}
}

// stopSequence reads which stop sequence was met, which Claude tells if it is asked.
func stopSequence(raw json.RawMessage) string {
	var more struct {
		Stop string `json:"stop_sequence"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &more) != nil {
		return ""
	}
	return more.Stop
}
