package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// tariff is what every model costs in a test of budgets: whole nano-dollars for a token, so that nothing is rounded.
type tariff struct{ input, output int64 }

// models is a config.yaml with the tariff for every model name.
func (p tariff) models(api string) string {
	perToken := func(nano int64) string {
		return fmt.Sprintf("%d.%09d", nano/int64(gateway.USD), nano%int64(gateway.USD))
	}
	return fmt.Sprintf("model_list:\n  - model_name: \"*\"\n    litellm_params: {model: \"openai/*\", api_base: %q, api_key: %q, "+
		"input_cost_per_token: %s, output_cost_per_token: %s}\n", api, fakeprovider.DefaultKey, perToken(p.input), perToken(p.output))
}

// cost is what a line of the bill comes to.
func (p tariff) cost(l fakeprovider.Line) gateway.NanoUSD {
	return gateway.NanoUSD(l.PromptTokens*p.input + l.CompletionTokens*p.output)
}

// total is what the lines come to.
func (p tariff) total(lines []fakeprovider.Line) (sum gateway.NanoUSD) {
	for _, l := range lines {
		sum = sum.Plus(p.cost(l))
	}
	return sum
}

// overhead is what the gateway adds to a body's bytes for a bound of its input tokens.
const overhead = 64

// bound is the most that the gateway takes an order to cost.
func (p tariff) bound(o order) gateway.NanoUSD {
	return gateway.NanoUSD(int64(len(o.body())+overhead)*p.input + int64(o.limit)*p.output)
}

// order is a call to be made. The provider answers a chat with its own words.
type order struct {
	model  string
	words  int
	limit  int // max_tokens; 0 is none
	stream bool
}

func (o order) body() []byte {
	fields := chatBody(o.model, strings.TrimSpace(strings.Repeat("word ", o.words)))
	if o.limit > 0 {
		fields["max_tokens"] = o.limit
	}
	if o.stream {
		fields["stream"] = true
	}
	body, _ := json.Marshal(fields) // maps of strings always encode
	return body
}

// result is what came of a call.
type result struct {
	member, life int
	status       int    // 0: no whole answer came
	kind         string // of an error
	id           string // of the attempt, which the bill has too
	header       http.Header
	begun, ended time.Time
}

func (r result) good() bool { return r.status == http.StatusOK }

// overBudget tells of a refusal for want of money.
func (r result) overBudget() bool {
	return r.status == http.StatusTooManyRequests && r.kind == "budget_exceeded"
}

func (r result) String() string {
	return fmt.Sprintf("status %d %s from process %d.%d after %v", r.status, r.kind, r.member, r.life, r.ended.Sub(r.begun).Round(time.Millisecond))
}

// ask makes a call to a member.
func (f *fleet) ask(ctx context.Context, m *member, key string, o order) (r result) {
	life, ok := m.await(ctx)
	r = result{member: m.n, life: life, begun: time.Now()}
	if !ok {
		r.ended = r.begun
		return r
	}
	defer func() { r.ended = time.Now() }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+"/v1/chat/completions", bytes.NewReader(o.body()))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		return r
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	r.id, r.header = resp.Header.Get("X-Request-Id"), resp.Header
	if err != nil || o.stream && resp.StatusCode == http.StatusOK && !bytes.HasSuffix(text, []byte("data: [DONE]\n\n")) {
		return r
	}
	r.status = resp.StatusCode
	if r.status != http.StatusOK {
		var failure struct{ Error struct{ Type string } }
		_ = json.Unmarshal(text, &failure)
		r.kind = failure.Error.Type
	}
	return r
}
