package fakeprovider

import "github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"

// MaxWords bounds the words that an answer repeats.
const MaxWords = wire.MaxWords

// PromptTokens is the price in tokens of a text: its bytes divided by 4, rounded up.
func PromptTokens(text string) int64 { return wire.PromptTokens(text) }

// MessageTokens is the price in tokens of one message with this text.
func MessageTokens(text string) int64 { return wire.MessageTokens(text) }
