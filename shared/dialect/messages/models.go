package messages

import "strings"

// traits are what a model takes. Anthropic's models differ in it by family and version, and refuse what they do not take (Anthropic's
// pages on thinking, effort, structured outputs, errors, and what is new in each model, read 2026-11).
type traits struct {
	budget    bool   // thinks within a budget of tokens
	adaptive  bool   // thinks as much as it sees fit, steered by effort
	byDefault bool   // thinks if nothing is said
	off       string // the type of thinking that turns it off; empty: it cannot be turned off
	forced    bool   // a tool can be forced on it
	sampling  bool   // temperature, top_p and top_k may differ from their defaults
	both      bool   // temperature and top_p may stand together
	prefill   bool   // an answer can be begun for it
	schema    bool   // answers by a JSON schema
	strict    bool   // tools may be strict
	xhigh     bool   // knows the effort xhigh
	bound     bool   // its thoughts hold for the very conversation only in which they were made
}

// foreign is a model of another vendor with Anthropic's interface: they follow Anthropic's older models.
var foreign = traits{budget: true, off: "disabled", forced: true, sampling: true, both: true, prefill: true}

// version is a model's, major times a hundred plus minor.
type version int

// traitsOf tells a model by its name, in any of the forms that Anthropic's, Google's and Amazon's platforms have for it. Models that are
// newer than this table are taken for the newest that it knows.
func traitsOf(model string) traits {
	family, v := familyOf(model)
	if family == "" {
		return foreign
	}
	large := family == "fable" || family == "mythos"
	if large && v == 0 {
		v = 407 // claude-mythos-preview
	}
	is := traits{
		budget: v >= 307 && v < 406, adaptive: v >= 406, byDefault: v >= 500 || large, forced: v < 501 || v < 505 && !large || family == "haiku",
		sampling: v < 407, both: v < 401, prefill: v < 406, schema: v >= 405, strict: v >= 405, xhigh: v >= 407,
		bound: v >= 505 || large && v >= 501,
	}
	switch {
	case large || family == "opus" && v >= 505 || v < 307:
	case family == "sonnet" && v >= 505:
		is.off = "between_tools"
	default:
		is.off = "disabled"
	}
	return is
}

var families = map[string]bool{"opus": true, "sonnet": true, "haiku": true, "fable": true, "mythos": true}

// familyOf finds the family and the version in a name such as claude-opus-4-5-20251101, claude-3-5-haiku@20241022,
// us.anthropic.claude-sonnet-4-6-v1:0 or claude-fable-5.
func familyOf(model string) (family string, v version) {
	_, name, found := strings.Cut(strings.ToLower(model), "claude-")
	if !found {
		return "", 0
	}
	numbers := 0
	for word := range strings.FieldsFuncSeq(name, func(c rune) bool { return strings.ContainsRune("-@:._/", c) }) {
		switch {
		case families[word]:
			family = word
		case len(word) <= 2 && strings.Trim(word, "0123456789") == "" && numbers < 2:
			n := version(word[0] - '0')
			if len(word) == 2 {
				n = 10*n + version(word[1]-'0')
			}
			v += n * [...]version{100, 1}[numbers]
			numbers++
		case numbers > 0 && family != "":
			return family, v
		}
	}
	return family, v
}
