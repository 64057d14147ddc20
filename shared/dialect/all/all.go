// Package all is the table of dialects.
package all

import (
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/dialect/converse"
	"github.com/sluice-gateway/sluice/shared/dialect/gemini"
	"github.com/sluice-gateway/sluice/shared/dialect/messages"
	"github.com/sluice-gateway/sluice/shared/dialect/responses"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// dialects are all there are; a new one is a folder and a line here.
var dialects = []dialect.Dialect{
	chat.Dialect,
	chat.Completions,
	responses.Dialect,
	messages.Dialect,
	{Op: messages.OpCountTokens, Peek: messages.Peek, EncodeError: messages.EncodeError},
	gemini.Dialect,
	{Op: gemini.OpCountTokens, Peek: gemini.Peek, EncodeError: gemini.EncodeError},
	converse.Dialect,
	chat.Embeddings,
}

var byOp = func() map[gateway.Op]*dialect.Dialect {
	table := make(map[gateway.Op]*dialect.Dialect, len(dialects))
	for i := range dialects {
		table[dialects[i].Op] = &dialects[i]
	}
	return table
}()

// Of returns the dialect of an op; nil if there is none.
func Of(op gateway.Op) *dialect.Dialect { return byOp[op] }

// Base is the dialect in which an op is asked where it goes unchanged: counting tokens is a part of another dialect.
func Base(op gateway.Op) gateway.Op {
	switch op {
	case messages.OpCountTokens:
		return gateway.OpMessages
	case gemini.OpCountTokens:
		return gateway.OpGemini
	default:
		return op
	}
}

// Dialects returns the table.
func Dialects() []dialect.Dialect { return dialects }
