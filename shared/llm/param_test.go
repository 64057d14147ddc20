package llm_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func media(kind llm.Kind, m llm.Media) *llm.Request {
	return with(llm.Part{Kind: kind, Media: &m})
}

func with(parts ...llm.Part) *llm.Request {
	return &llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: parts}}}
}

// asking has a request for each param that asks for it, and for it alone.
func asking() map[llm.Param]*llm.Request {
	one, k := 1.0, int64(1)
	return map[llm.Param]*llm.Request{
		llm.Tools: {Tools: []llm.Tool{{Name: "f"}}}, llm.ToolChoiceParam: {Choice: llm.ToolChoice{Mode: llm.ChooseAny}}, llm.ParallelTools: {Parallel: new(false)},
		llm.JSONMode: {Format: llm.Format{Kind: llm.JSONObject}}, llm.JSONSchemas: {Format: llm.Format{Kind: llm.JSONSchema}}, llm.MaxOutput: {MaxOutput: 5}, llm.N: {N: 2},
		llm.Stop: {Stop: []string{"x"}}, llm.Temperature: {Temperature: &one}, llm.TopP: {TopP: &one}, llm.TopK: {TopK: &k}, llm.Seed: {Seed: &k},
		llm.PresencePenalty: {PresencePenalty: &one}, llm.FrequencyPenalty: {FrequencyPenalty: &one}, llm.LogitBias: {LogitBias: json.RawMessage(`{"1":1}`)},
		llm.Logprobs: {Logprobs: true}, llm.ReasoningParam: {Reasoning: llm.Reasoning{Effort: "low"}}, llm.Verbosity: {Verbosity: "low"}, llm.ServiceTier: {ServiceTier: "flex"},
		llm.UserParam: {User: "u"}, llm.AudioOutput: {Modalities: []string{"text", "audio"}, Voice: json.RawMessage(`{}`)}, llm.Prediction: {Prediction: json.RawMessage(`{}`)},
		llm.ImageURLs: media(llm.Image, llm.Media{URL: "https://x"}), llm.ImageData: media(llm.Image, llm.Media{Data: "x"}),
		llm.DocumentURLs: media(llm.Document, llm.Media{URL: "https://x"}), llm.DocumentData: media(llm.Document, llm.Media{Data: "x"}),
		llm.AudioInput: media(llm.Audio, llm.Media{Data: "x"}), llm.VideoInput: media(llm.Video, llm.Media{Data: "x"}), llm.FileIDs: media(llm.Image, llm.Media{FileID: "f"}),
		llm.ParticipantNames: {Messages: []llm.Message{{Role: llm.User, Name: "ann"}}}, llm.CacheMarkers: with(llm.Part{Kind: llm.Text, Cache: "5m"}),
		llm.ThinkingParts: with(llm.Part{Kind: llm.Sealed}), llm.CitationsWanted: media(llm.Document, llm.Media{Text: "x", Cited: true}),
		llm.AssistantPrefill: {Messages: []llm.Message{{Role: llm.Assistant}}},
	}
}

// Each param is refused, left out or passed on, and none but it is noticed.
func TestFit(t *testing.T) {
	t.Parallel()
	field := func(p llm.Param) string { return "f:" + string(p) }
	all := llm.AllParams()
	for param, r := range asking() {
		other := llm.Carries{Params: slices.DeleteFunc(slices.Clone(all), func(p llm.Param) bool { return p == param })}
		whole := *r
		if dropped, err := whole.Fit(llm.Carries{Params: all}, field, func(string) bool { return false }); len(dropped) > 0 || err != nil {
			t.Errorf("%s is carried: dropped %q, %v", param, dropped, err)
		}
		strict := *r
		dropped, err := strict.Fit(other, field, func(string) bool { return false })
		var e *gateway.Error
		switch {
		case param.IsHint() && (err != nil || !slices.Equal(dropped, []string{field(param)})):
			t.Errorf("%s is a hint: dropped %q, %v", param, dropped, err)
		case !param.IsHint() && (!errors.As(err, &e) || e.Param != field(param) || e.Code != llm.CodeUnsupported || e.Status() != 400):
			t.Errorf("%s is refused: %v", param, err)
		}
		loose := *r
		asked := ""
		dropped, err = loose.Fit(other, field, func(name string) bool { asked = name; return true })
		if isContent := err != nil; isContent { // content is never left out
			if !errors.As(err, &e) || e.Param != field(param) {
				t.Errorf("%s is content: %v", param, err)
			}
			continue
		}
		if !slices.Equal(dropped, []string{field(param)}) || asked != "" && asked != field(param) {
			t.Errorf("%s is left out: dropped %q, asked for %q", param, dropped, asked)
		}
		if again, err := loose.Fit(other, field, func(string) bool { return false }); err != nil || len(loose.Messages) == 0 && len(again) > 0 {
			t.Errorf("%s is still there: %q, %v", param, again, err)
		}
	}
	if diff := cmp.Diff(asking(), asking()); diff != "" {
		t.Error(diff)
	}
}

// What asks for nothing is no reason to refuse.
func TestFitOfUsualValues(t *testing.T) {
	t.Parallel()
	zero := 0.0
	r := &llm.Request{
		N: 1, Parallel: new(true), Choice: llm.ToolChoice{Mode: llm.ChooseAuto}, PresencePenalty: &zero, FrequencyPenalty: &zero, LogitBias: json.RawMessage(`{}`),
		Modalities: []string{"text"}, ServiceTier: "auto", Reasoning: llm.Reasoning{Off: true}, Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.TextPart("x")}}},
	}
	dropped, err := r.Fit(llm.Carries{}, func(p llm.Param) string { return string(p) }, func(string) bool { return false })
	if len(dropped) > 0 || err != nil {
		t.Errorf("dropped %q, %v", dropped, err)
	}
}

// Parts are found within tool results, too, and tools are loosened without a change to the caller's.
func TestFitWithin(t *testing.T) {
	t.Parallel()
	image := llm.Part{Kind: llm.Image, Media: &llm.Media{URL: "https://x"}}
	r := with(llm.Part{Kind: llm.ToolResult, Result: &llm.Result{Parts: []llm.Part{image}}})
	name := func(p llm.Param) string { return string(p) }
	for _, lacks := range []llm.Param{llm.ImageURLs, llm.ResultImages} {
		carries := llm.Carries{Params: slices.DeleteFunc(llm.AllParams(), func(p llm.Param) bool { return p == lacks })}
		if _, err := r.Fit(carries, name, func(string) bool { return true }); gateway.AsError(err).Param != string(lacks) {
			t.Errorf("%s: %v", lacks, err)
		}
	}
	tools := []llm.Tool{{Name: "f", Strict: new(true)}}
	strict := &llm.Request{Tools: tools}
	dropped, err := strict.Fit(llm.Carries{Params: []llm.Param{llm.Tools}}, name, func(string) bool { return false })
	if err != nil || !slices.Equal(dropped, []string{"tools.strict"}) || strict.Tools[0].Strict != nil || tools[0].Strict == nil {
		t.Errorf("dropped %q, %v", dropped, err)
	}
}

func TestFitOfExtra(t *testing.T) {
	t.Parallel()
	r := &llm.Request{Extra: map[string]json.RawMessage{"a": nil, "b": nil}, Hints: map[string]json.RawMessage{"c": nil, "d": nil}}
	name := func(p llm.Param) string { return string(p) }
	dropped, err := r.Fit(llm.Carries{Extra: []string{"a", "c"}}, name, func(field string) bool { return field == "b" })
	if diff := cmp.Diff([]string{"b", "d"}, dropped); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := r.Fit(llm.Carries{Extra: []string{"a"}}, name, func(string) bool { return false }); gateway.AsError(err).Param != "b" {
		t.Errorf("b is refused: %v", err)
	}
}

func TestReasoning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r      llm.Reasoning
		word   string
		tokens int64
		given  bool
	}{
		{llm.Reasoning{}, "", 0, false},
		{llm.Reasoning{Summary: "auto"}, "", 0, false},
		{llm.Reasoning{Off: true}, "none", 0, true},
		{llm.Reasoning{Auto: true}, "", 0, true},
		{llm.Reasoning{Effort: "low"}, "low", 1024, true},
		{llm.Reasoning{Effort: "max"}, "max", 32768, true},
		{llm.Reasoning{Budget: 1}, "low", 1, true},
		{llm.Reasoning{Budget: 1024}, "low", 1024, true},
		{llm.Reasoning{Budget: 8192}, "medium", 8192, true},
		{llm.Reasoning{Budget: 100_000}, "high", 100_000, true},
	} {
		if c.r.Word() != c.word || c.r.Tokens() != c.tokens || c.r.Given() != c.given {
			t.Errorf("%+v: %q, %d, %t", c.r, c.r.Word(), c.r.Tokens(), c.r.Given())
		}
	}
	for word, is := range map[string]bool{"none": true, "minimal": true, "xhigh": true, "max": true, "": false, "Low": false, "default": false} {
		if llm.IsEffort(word) != is {
			t.Errorf("%q is an effort: %t", word, !is)
		}
	}
}
