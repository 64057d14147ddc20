package gemini

import (
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/llm"
)

// family is what a model's name says of what it can do.
type family struct {
	major, minor     int
	pro, lite, plain bool // plain: it makes images or speech, and does not think
}

// familyOf reads a name such as gemini-2.5-flash-lite-001, models/gemini-3-pro-preview or gemini-flash-latest. Names that tell no generation
// are taken for the newest if they say "latest", else for 2.5.
func familyOf(model string) family {
	f := family{major: 2, minor: 5, pro: strings.Contains(model, "pro"), lite: strings.Contains(model, "lite")}
	if _, rest, found := strings.Cut(model, "gemini-"); found {
		number, _, _ := strings.Cut(rest, "-")
		major, minor, _ := strings.Cut(number, ".")
		if n, err := strconv.Atoi(major); err == nil && n > 0 && n < 100 {
			f.major, f.minor = n, 0
			f.minor, _ = strconv.Atoi(minor)
		} else if strings.HasSuffix(model, "latest") {
			f.major, f.minor = 3, 99
		}
	}
	f.plain = strings.Contains(model, "tts") || f.major < 3 && strings.Contains(model, "image")
	return f
}

func (f family) atLeast(major, minor int) bool {
	return f.major > major || f.major == major && f.minor >= minor
}

// budgets are how many tokens models of generation 2.5 may think (thinking guide, read 2026-11).
func (f family) budgets() (least, most int64) {
	switch {
	case f.pro:
		return 128, 32768
	case f.lite:
		return 512, 24576
	default:
		return 1, 24576
	}
}

// thinking is the thinkingConfig for what the caller said; nil: none. It reports false if the model cannot think.
func (f family) thinking(r llm.Reasoning) (config map[string]any, ok bool) {
	wants := r.Given() && r.Word() != "none" || r.Summary != "" || r.Show != nil && *r.Show
	if f.plain || !f.atLeast(2, 5) {
		return nil, !wants
	}
	config = map[string]any{}
	switch {
	case !r.Given():
	case f.atLeast(3, 0):
		if level := f.level(r); level != "" {
			config["thinkingLevel"] = level
		}
	default:
		config["thinkingBudget"] = f.tokens(r)
	}
	if wants && (r.Show == nil || *r.Show) {
		config["includeThoughts"] = true
	}
	if len(config) == 0 {
		return nil, true
	}
	return config, true
}

// level is Gemini 3's word for how much to think. It cannot do without: the least stands for none. MINIMAL is Flash's alone, and not
// 3.7's; the first Pro had no MEDIUM (thinking guide, read 2026-11).
func (f family) level(r llm.Reasoning) string {
	word := strings.ToUpper(r.Word())
	switch word {
	case "":
		return ""
	case "NONE", "MINIMAL":
		if f.pro || f.atLeast(3, 7) && !f.lite {
			return "LOW"
		}
		return "MINIMAL"
	case "MEDIUM":
		if f.pro && f.major == 3 && f.minor == 0 {
			return "HIGH"
		}
		return word
	case "LOW":
		return word
	default:
		return "HIGH"
	}
}

// tokens is how much a model of generation 2.5 may think: -1 leaves it to the model. Pro cannot do without.
func (f family) tokens(r llm.Reasoning) int64 {
	least, most := f.budgets()
	switch {
	case r.Auto:
		return -1
	case r.Off || r.Effort == "none":
		if f.pro {
			return least
		}
		return 0
	default:
		return max(least, min(r.Tokens(), most))
	}
}
