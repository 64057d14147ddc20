package gateway_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

func TestParseUSD(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]gateway.NanoUSD{
		"0": 0, "1": gateway.USD, "0.000000001": 1, "1e-3": 1_000_000, "0.1": 100_000_000, "1000000000": gateway.MaxUSD * gateway.USD,
		"2.50": 2_500_000_000, "1E2": 100 * gateway.USD,
	} {
		got, err := gateway.ParseUSD(text)
		if err != nil || got != want {
			t.Errorf("ParseUSD(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "NaN", "Inf", "1e308", "1e99999999", "0.0000000001", "1/3", "0x10", "1_000", "1000000000.1", "ten", strings.Repeat("9", 60)} {
		if got, err := gateway.ParseUSD(text); !errors.Is(err, gateway.ErrAmount) {
			t.Errorf("ParseUSD(%q) = %d, %v; want ErrAmount", text, got, err)
		}
	}
}

func TestNanoUSDString(t *testing.T) {
	t.Parallel()
	for n, want := range map[gateway.NanoUSD]string{
		0: "0", 1: "0.000000001", gateway.USD: "1", 1_500_000_000: "1.5", -125_000: "-0.000125", 10 * gateway.USD: "10",
	} {
		if got := n.String(); got != want {
			t.Errorf("%d.String() = %q, want %q", int64(n), got, want)
		}
		if back, err := gateway.ParseUSD(strings.TrimPrefix(want, "-")); err != nil || (back != n && back != -n) {
			t.Errorf("ParseUSD(%q) = %d, %v; want %d", want, back, err, n)
		}
	}
}

func TestSecretPrintsAsStars(t *testing.T) {
	t.Parallel()
	s := gateway.Secret("sk-canary-123456")
	held := struct{ Key gateway.Secret }{s}
	text, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "key", s, "held", held)
	for _, out := range []string{fmt.Sprint(s), fmt.Sprintf("%v %s %q %#v %+v %x", held, s, s, s, held, s), string(text), logged.String()} {
		if strings.Contains(out, "canary") || strings.Contains(out, fmt.Sprintf("%x", "canary")) {
			t.Errorf("a secret shows in %q", out)
		}
	}
	if s.Reveal() != "sk-canary-123456" {
		t.Error("Reveal does not")
	}
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	p := gateway.Principal{KeyHash: "h", Models: []string{"gpt-4o", "openai/*"}}
	for model, want := range map[string]bool{"gpt-4o": true, "gpt-4o-mini": false, "openai/x": true, "openai": false, "": false} {
		if got := p.MayCall(model); got != want {
			t.Errorf("MayCall(%q) = %t, want %t", model, got, want)
		}
	}
	if (gateway.Principal{}).MayCall("x") || (gateway.Principal{}).Sees(gateway.Owner{}) {
		t.Error("the zero principal may do something")
	}
	if !(gateway.Principal{KeyHash: "h"}).MayCall("anything") {
		t.Error("an empty model list must admit all")
	}
	team := gateway.Principal{KeyHash: "a", UserID: "u", TeamID: "t"}
	mate := gateway.Principal{KeyHash: "b", TeamID: "t"}
	if !mate.Sees(team.Owner()) || p.Sees(team.Owner()) || !(gateway.Principal{KeyHash: "m", Admin: true}).Sees(team.Owner()) {
		t.Error("owners are mixed up")
	}
}

func TestErrorHidesItsCause(t *testing.T) {
	t.Parallel()
	e := gateway.AsError(fmt.Errorf("read x: %w", errors.New("secret of the disk")))
	if e.Status() != 500 || e.Type() != "server_error" || strings.Contains(e.Message, "secret") {
		t.Errorf("AsError of a foreign error = %d %s %q", e.Status(), e.Type(), e.Message)
	}
	inner := gateway.Invalid("n", "n must be 1.").WithCause(errors.New("why"))
	if got := gateway.AsError(fmt.Errorf("outer: %w", inner)); got != inner || got.Status() != 400 {
		t.Errorf("AsError did not find the error inside: %v", got)
	}
}
