package dialecttest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// EventStream makes an event stream of AWS's of lines: a frame's name and its payload. A name such as exception:throttlingException or
// error:ThrottlingException is that of a failure.
func EventStream(t testing.TB, lines string) []byte {
	t.Helper()
	var b bytes.Buffer
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		name, payload, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		m := eventstream.Message{Payload: []byte(payload)}
		set := func(header, value string) { m.Headers.Set(header, eventstream.StringValue(value)) }
		switch kind, rest, found := strings.Cut(name, ":"); {
		case found && kind == "exception":
			set(":exception-type", rest)
			set(":message-type", kind)
		case found && kind == "error":
			set(":error-code", rest)
			set(":error-message", payload)
			set(":message-type", kind)
			m.Payload = nil
		default:
			set(":event-type", name)
			set(":message-type", "event")
		}
		set(":content-type", "application/json")
		if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}
