// Package responses is OpenAI's wire format for responses, for callers and for upstreams. Where both sides speak it, bodies pass through
// as their sender wrote them; else they are translated, so that a client of it (Codex, the Agents SDK) works with any model. It is
// pure, and keeps nothing: who stores responses finds all that is needed in Stored, and joins a conversation with Expand.
//
// The format is that of OpenAI's API document 2.3.0 (read 2026-11).
package responses

import (
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Dialect is the format's row in the table of all.
var Dialect = dialect.Dialect{Op: gateway.OpResponses, Peek: Peek, EncodeError: EncodeError, Out: Outbound{}, KeepAlive: dialect.Comment}

// route is where responses live below a base URL.
const route = "/responses"
