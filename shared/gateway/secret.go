package gateway

import "log/slog"

// Secret is text that must reach no log, error, store or answer: however it is printed, it prints as ***.
// Reveal is the one way to its value.
type Secret string

const redacted = "***"

func (Secret) String() string               { return redacted }
func (Secret) GoString() string             { return redacted }
func (Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal returns the secret itself, for the one place that sends or compares it.
func (s Secret) Reveal() string { return string(s) }
