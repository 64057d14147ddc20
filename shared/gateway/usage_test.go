package gateway_test

import (
	"encoding/json"
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Ledger entries keep usages as JSON: a class that there are no tokens of takes no room, and names do not change.
func TestUsageJSON(t *testing.T) {
	t.Parallel()
	for want, u := range map[string]gateway.Usage{
		`{"input_tokens":0,"output_tokens":0}`: {},
		`{"input_tokens":9,"audio_input_tokens":1,"image_input_tokens":2,"output_tokens":8,"audio_output_tokens":3,"image_output_tokens":4}`: {
			InputTokens: 9, AudioInputTokens: 1, ImageInputTokens: 2, OutputTokens: 8, AudioOutputTokens: 3, ImageOutputTokens: 4,
		},
	} {
		got, err := json.Marshal(u)
		if err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
		var back gateway.Usage
		if err := json.Unmarshal(got, &back); err != nil || back != u {
			t.Errorf("%s is read as %+v, %v", got, back, err)
		}
	}
}
