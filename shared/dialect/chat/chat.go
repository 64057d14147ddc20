package chat

import (
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Dialects of OpenAI's older interface.
var (
	Dialect     = dialect.Dialect{Op: gateway.OpChat, Peek: Peek, EncodeError: EncodeError, Out: Outbound{}, KeepAlive: dialect.Comment}
	Completions = dialect.Dialect{Op: gateway.OpCompletions, Peek: Peek, EncodeError: EncodeError, KeepAlive: dialect.Comment}
	Embeddings  = dialect.Dialect{Op: gateway.OpEmbeddings, Peek: Peek, EncodeError: EncodeError}
)
