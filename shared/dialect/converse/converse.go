// Package converse is the dialect of Amazon Bedrock's Converse and ConverseStream (vendor API reference and the AWS SDK for Go, read
// 2026-11). It goes to upstreams only. One request form serves models of many makers; how they differ is in one table (families).
package converse

import (
	"net/http"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Dialect is Converse: no caller speaks it.
var Dialect = dialect.Dialect{Op: gateway.OpConverse, Out: Outbound{}}

// Outbound translates for Bedrock. It has no state.
type Outbound struct{}

var _ dialect.Outbound = Outbound{}

// carried are the params that some model of Bedrock's takes; what a model lacks of them is in its family.
var carried = []llm.Param{
	llm.Tools, llm.ToolChoiceParam, llm.StrictTools, llm.JSONMode, llm.JSONSchemas, llm.MaxOutput, llm.Stop, llm.Temperature, llm.TopP,
	llm.TopK, llm.Seed, llm.PresencePenalty, llm.FrequencyPenalty, llm.ReasoningParam, llm.ServiceTier, llm.ImageURLs, llm.ImageData,
	llm.DocumentURLs, llm.DocumentData, llm.AudioInput, llm.VideoInput, llm.ResultImages, llm.CacheMarkers, llm.ThinkingParts,
	llm.CitationsWanted, llm.AssistantPrefill,
}

// Carries is what Bedrock can express for at least one model. URLs are of S3 only: EncodeRequest refuses others.
func (Outbound) Carries() llm.Carries { return llm.Carries{Params: carried, Extra: extraNames} }

// EncodeRequest writes the request for a model, after what its family lacks was left out or refused.
func (Outbound) EncodeRequest(r *llm.Request, t dialect.Target) (dialect.Wire, error) {
	e := newEncoder(r, t)
	body, err := e.encode()
	if err != nil {
		return dialect.Wire{}, err
	}
	return dialect.Wire{Path: route(t.Model, r.Stream), Body: body, Dropped: e.leftOut()}, nil
}

// DecodeStream reads a ConverseStream.
func (Outbound) DecodeStream() dialect.StreamDecoder { return &stream{} }

// Framing is Amazon's event stream.
func (Outbound) Framing() dialect.Framing {
	return dialect.Framing{MediaType: "application/vnd.amazon.eventstream", Open: openFrames}
}

// DecodeError reads an error answer, or an exception inside a stream.
func (Outbound) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return decodeError(status, h, body)
}
