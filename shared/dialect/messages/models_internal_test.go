package messages

import "testing"

func TestFamilyOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		family string
		v      version
	}{
		"claude-opus-4-5-20251101": {"opus", 405}, "claude-opus-4-5@20251101": {"opus", 405}, "claude-sonnet-4-20250514": {"sonnet", 400},
		"claude-3-5-haiku-20241022": {"haiku", 305}, "claude-3-7-sonnet@20250219": {"sonnet", 307}, "claude-3-opus-20240229": {"opus", 300},
		"us.anthropic.claude-sonnet-4-6-v1:0": {"sonnet", 406}, "anthropic.claude-opus-4-6-v1": {"opus", 406}, "claude-fable-5": {"fable", 500},
		"claude-fable-5-1": {"fable", 501}, "claude-mythos-preview": {"mythos", 0}, "anthropic/claude-opus-4.6": {"opus", 406},
		"claude-haiku-5-5": {"haiku", 505}, "Claude-Opus-10": {"opus", 1000}, "claude-2.1": {"", 201}, "claude-": {"", 0}, "gpt-4o": {"", 0}, "": {"", 0},
	} {
		if family, v := familyOf(name); family != want.family || v != want.v {
			t.Errorf("%q is %s %d", name, family, v)
		}
	}
}

// What Anthropic's pages say of each model (read 2026-11).
func TestTraits(t *testing.T) {
	t.Parallel()
	type row = traits
	for name, want := range map[string]row{
		"claude-3-5-sonnet-20241022": {forced: true, sampling: true, both: true, prefill: true},
		"claude-3-7-sonnet-20250219": {budget: true, off: "disabled", forced: true, sampling: true, both: true, prefill: true},
		"claude-opus-4-1-20250805":   {budget: true, off: "disabled", forced: true, sampling: true, prefill: true},
		"claude-haiku-4-5":           {budget: true, off: "disabled", forced: true, sampling: true, prefill: true, schema: true, strict: true},
		"claude-sonnet-4-6":          {adaptive: true, off: "disabled", forced: true, sampling: true, schema: true, strict: true},
		"claude-opus-4-8":            {adaptive: true, off: "disabled", forced: true, schema: true, strict: true, xhigh: true},
		"claude-sonnet-5":            {adaptive: true, byDefault: true, off: "disabled", forced: true, schema: true, strict: true, xhigh: true},
		"claude-haiku-5-5":           {adaptive: true, byDefault: true, off: "disabled", forced: true, schema: true, strict: true, xhigh: true, bound: true},
		"claude-sonnet-5-5":          {adaptive: true, byDefault: true, off: "between_tools", schema: true, strict: true, xhigh: true, bound: true},
		"claude-opus-5-5":            {adaptive: true, byDefault: true, schema: true, strict: true, xhigh: true, bound: true},
		"claude-fable-5":             {adaptive: true, byDefault: true, forced: true, schema: true, strict: true, xhigh: true},
		"claude-mythos-5-2":          {adaptive: true, byDefault: true, schema: true, strict: true, xhigh: true, bound: true},
		"claude-mythos-preview":      {adaptive: true, byDefault: true, forced: true, schema: true, strict: true, xhigh: true},
		"claude-opus-6":              {adaptive: true, byDefault: true, schema: true, strict: true, xhigh: true, bound: true},
		"kimi-k2":                    foreign,
	} {
		if got := traitsOf(name); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
