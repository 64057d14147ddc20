package gemini

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// config writes generationConfig.
func (w *writer) config() (map[string]any, error) {
	r, out := w.r, map[string]any{}
	limit := r.MaxOutput
	if limit == 0 {
		limit = w.t.Clamp
	}
	put(out, "maxOutputTokens", limit, limit > 0)
	put(out, "candidateCount", r.N, r.N > 1)
	put(out, "stopSequences", r.Stop, len(r.Stop) > 0)
	put(out, "temperature", r.Temperature, r.Temperature != nil)
	put(out, "topP", r.TopP, r.TopP != nil)
	put(out, "topK", r.TopK, r.TopK != nil)
	put(out, "presencePenalty", r.PresencePenalty, r.PresencePenalty != nil)
	put(out, "frequencyPenalty", r.FrequencyPenalty, r.FrequencyPenalty != nil)
	put(out, "responseLogprobs", true, r.Logprobs || r.TopLogprobs > 0)
	put(out, "logprobs", r.TopLogprobs, r.TopLogprobs > 0)
	put(out, "mediaResolution", w.resolution(), w.resolution() != "")
	thinking, ok := w.model.thinking(r.Reasoning)
	if !ok {
		w.dropped = append(w.dropped, string(llm.ReasoningParam))
	}
	put(out, "thinkingConfig", thinking, thinking != nil)
	for _, step := range [...]func(map[string]any) error{w.seed, w.format, w.speech} {
		if err := step(out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func put(out map[string]any, name string, value any, given bool) {
	if given {
		out[name] = value
	}
}

// seed is of 32 bits to Google.
func (w *writer) seed(out map[string]any) error {
	if w.r.Seed == nil {
		return nil
	}
	if *w.r.Seed < math.MinInt32 || *w.r.Seed > math.MaxInt32 {
		return w.refuse("seed", "seed must be a whole number of 32 bits for this model's provider.")
	}
	out["seed"] = *w.r.Seed
	return nil
}

// format asks for JSON. Before generation 3 models cannot both answer in JSON and call functions: there the answer is a function of its
// own.
func (w *writer) format(out map[string]any) error {
	f := &w.r.Format
	if f.Kind == "" {
		return nil
	}
	if w.hasFunctions() && !w.model.atLeast(3, 0) {
		w.answers = true
		return nil
	}
	out["responseMimeType"] = "application/json"
	if f.Kind != llm.JSONSchema || len(f.Schema) == 0 {
		return nil
	}
	schema, err := cleanSchema(f.Schema)
	if err != nil {
		return gateway.Invalid("response_format", "The schema of response_format cannot be used: %v.", err)
	}
	out["responseJsonSchema"] = schema
	return nil
}

func (w *writer) hasFunctions() bool {
	return slices.ContainsFunc(w.r.Tools, func(t llm.Tool) bool { return t.Vendor == nil })
}

// speech asks for what is no text. Models that speak do nothing else.
func (w *writer) speech(out map[string]any) error {
	var wanted []string
	for _, m := range w.r.Modalities {
		if m = strings.ToUpper(m); m != "TEXT" || !strings.Contains(w.t.Model, "tts") {
			wanted = append(wanted, m)
		}
	}
	if len(wanted) > 0 && !slices.Equal(wanted, []string{"TEXT"}) {
		out["responseModalities"] = wanted
	}
	if len(w.r.Voice) == 0 {
		return nil
	}
	var voice struct {
		Voice  any    `json:"voice"`
		Format string `json:"format"`
	}
	name, ok := "", false
	if json.Unmarshal(w.r.Voice, &voice) == nil {
		name, ok = voice.Voice.(string)
	}
	if !ok || name == "" {
		return gateway.Invalid("audio.voice", "audio.voice must be the name of one of the provider's voices.")
	}
	out["speechConfig"] = map[string]any{"voiceConfig": map[string]any{"prebuiltVoiceConfig": map[string]string{"voiceName": name}}}
	if voice.Format != "" && voice.Format != speechFormat && voice.Format != "pcm" {
		return w.refuse("audio.format", "audio.format must be pcm16: this model's provider makes no other.")
	}
	return nil
}

// resolution is how closely images are looked at: Google has one word for all of a request.
func (w *writer) resolution() string {
	images, low := 0, 0
	for i := range w.r.Messages {
		for _, p := range w.r.Messages[i].Parts {
			if p.Kind != llm.Image || p.Media == nil {
				continue
			}
			images++
			switch p.Media.Detail {
			case "high":
				return "MEDIA_RESOLUTION_HIGH"
			case "low":
				low++
			}
		}
	}
	if images > 0 && images == low {
		return "MEDIA_RESOLUTION_LOW"
	}
	return ""
}
