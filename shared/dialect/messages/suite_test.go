package messages_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/messages"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const hello = `"max_tokens":100,"messages":[{"role":"user","content":"hi"}]`

func TestSuite(t *testing.T) {
	t.Parallel()
	s := dialecttest.Suite{
		Dialect: messages.Dialect, Maker: llm.MakerAnthropic, Request: `{"model":"m",` + hello + `}`,
		Streamed: `{"model":"m","stream":true,` + hello + `}`,
		Finishes: map[llm.Finish]llm.Finish{llm.FinishFilter: llm.FinishRefusal},
	}
	t.Run("answers", s.Run)
}
