package ingress_test

import (
	"encoding/json"
	"testing"
	"time"
)

// Anthropic's clients list models in Anthropic's form.
func TestAnthropicModels(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	answer, text := h.do("GET", "/v1/models", h.key(`{"models":["echo"]}`), "", "Anthropic-Version", "2023-06-01")
	var list struct {
		Data []struct {
			Type, ID  string
			Name      string    `json:"display_name"`
			CreatedAt time.Time `json:"created_at"`
		}
		First string `json:"first_id"`
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || answer.StatusCode != 200 || len(list.Data) != 1 || list.First != "echo" ||
		list.Data[0].Type != "model" || list.Data[0].Name == "" || list.Data[0].CreatedAt.IsZero() {
		t.Errorf("%v in %s", err, text)
	}
}
