// Package messages is Anthropic's wire format, the Messages API: for callers of /v1/messages and /v1/messages/count_tokens, and for
// upstreams that are Anthropic, Claude on Vertex AI, or another vendor with the same interface. Where a comment names no other source,
// the format is as in Anthropic's API reference and its Go SDK 2.15 (read 2026-11).
package messages

import (
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// OpCountTokens asks how many tokens a request has. It passes through only: see EncodeCount for an answer of our own.
const OpCountTokens gateway.Op = "count_tokens"

// Dialect is the wire format in all its roles.
var Dialect = dialect.Dialect{
	Op: gateway.OpMessages, Peek: Peek, EncodeError: EncodeError, Out: Outbound{},
	KeepAlive: []byte("event: ping\ndata: {\"type\":\"ping\"}\n\n"),
}

// What requests to Anthropic and to Vertex AI carry.
const (
	defaultVersion = "2023-06-01"
	vertexVersion  = "vertex-2023-10-16"
	vertex         = "vertex_ai" // Target.Provider of Claude on Vertex AI

	versionHeader = "Anthropic-Version"
	betaHeader    = "Anthropic-Beta"
)
