package routing_test

import (
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

var table = routing.NewTable([]routing.Deployment{
	{Model: "gpt-4o", Provider: "openai", VendorModel: "gpt-4o-2024"},
	{Model: "gpt-4o", Provider: "azure", VendorModel: "prod"},
	{Model: "openai/*", Provider: "openai", VendorModel: "*"},
	{Model: "openai/special-*", Provider: "special", VendorModel: "s-*"},
	{Model: "embed", Provider: "openai", VendorModel: "e", Speaks: []gateway.Op{gateway.OpEmbeddings}},
	{Model: "hidden", Provider: "openai", VendorModel: "h", Hidden: true},
})

func TestPlan(t *testing.T) {
	t.Parallel()
	all, some := gateway.Principal{KeyHash: "h"}, gateway.Principal{KeyHash: "h", Models: []string{"gpt-4o", "openai/*", "ghost"}}
	for name, c := range map[string]struct {
		p      gateway.Principal
		op     gateway.Op
		model  string
		want   string // provider:vendor model of each deployment
		status int
	}{
		"alternatives":     {all, gateway.OpChat, "gpt-4o", "openai:gpt-4o-2024 azure:prod", 0},
		"wildcard":         {all, gateway.OpChat, "openai/gpt-5", "openai:gpt-5", 0},
		"longest wildcard": {all, gateway.OpChat, "openai/special-x", "special:s-x", 0},
		"star for nothing": {all, gateway.OpChat, "openai/", "", 400},
		"hidden":           {all, gateway.OpChat, "hidden", "openai:h", 0},
		"op":               {all, gateway.OpEmbeddings, "embed", "openai:e", 0},
		"wrong op":         {all, gateway.OpChat, "embed", "", 400},
		"unknown":          {all, gateway.OpChat, "nothing", "", 400},
		"case":             {all, gateway.OpChat, "GPT-4o", "", 400},
		"path":             {all, gateway.OpChat, "../../v1/files", "", 400},
		"allowed":          {some, gateway.OpChat, "openai/x", "openai:x", 0},
		"denied":           {some, gateway.OpChat, "embed", "", 403},
		"allowed, unknown": {some, gateway.OpChat, "ghost", "", 400},
		"nobody":           {gateway.Principal{}, gateway.OpChat, "gpt-4o", "", 403},
	} {
		plan, err := table.Plan(c.p, c.op, c.model)
		var got []string
		for _, d := range plan {
			got = append(got, d.Provider+":"+d.VendorModel)
		}
		status := 0
		if err != nil {
			status = gateway.AsError(err).Status()
		}
		if strings.Join(got, " ") != c.want || status != c.status {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// What a caller made up is shown shortened and without control characters.
func TestErrorsQuoteModelsSafely(t *testing.T) {
	t.Parallel()
	_, err := table.Plan(gateway.Principal{KeyHash: "h"}, gateway.OpChat, "a\r\nX-Evil: 1\x00"+strings.Repeat("y", 1000))
	if m := err.Error(); strings.ContainsAny(m, "\r\n\x00") || len(m) > 300 {
		t.Errorf("%q", m)
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	var got []string
	for _, d := range table.Models(gateway.Principal{KeyHash: "h", Models: []string{"gpt-4o", "embed", "hidden"}}) {
		got = append(got, d.Model)
	}
	if strings.Join(got, " ") != "gpt-4o embed" {
		t.Errorf("listed %v", got)
	}
	if _, err := new(routing.Router).Plan(gateway.Principal{KeyHash: "h"}, gateway.OpChat, "x"); err == nil {
		t.Error("the zero router knows a model")
	}
}
