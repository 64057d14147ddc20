package llm_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/llm"
)

func TestReadURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]*llm.Media{
		"https://x/a.png":             {URL: "https://x/a.png"},
		"http://x":                    {URL: "http://x"},
		"gs://bucket/a":               {URL: "gs://bucket/a"},
		"s3://bucket/a":               {URL: "s3://bucket/a"},
		"data:image/png;base64,iVBOR": {Type: "image/png", Data: "iVBOR"},
		"data:text/plain;charset=utf-8;base64,eA": {Type: "text/plain", Data: "eA"},
		"data:image/png,iVBOR":                    nil,
		"data:;base64,x":                          nil,
		"data:image/png;base64,":                  nil,
		"data:image/png;base64":                   nil,
		"data:":                                   nil,
		"https://":                                nil,
		"ftp://x":                                 nil,
		"file:///etc/passwd":                      nil,
		"javascript:alert(1)":                     nil,
		"":                                        nil,
		"/a.png":                                  nil,
	} {
		got, ok := llm.ReadURL(url)
		if diff := cmp.Diff(want, got); diff != "" || ok != (want != nil) {
			t.Errorf("%s: %t (-want +got):\n%s", url, ok, diff)
		}
		if ok && !strings.Contains(url, "charset") && got.DataURL() != url {
			t.Errorf("%s became %s", url, got.DataURL())
		}
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	for _, native := range []string{llm.MakerAnthropic, llm.MakerGemini, llm.MakerOpenAI, ""} {
		for _, maker := range []string{llm.MakerAnthropic, llm.MakerGemini, llm.MakerOpenAI} {
			s := llm.Signature{Maker: maker, Value: "EqQBCkYIBxgC+/=="}
			if got := llm.ReadSignature(s.Text(native), native); got != s {
				t.Errorf("%s in a field of %q is read as %v", maker, native, got)
			}
			if native == maker && s.Text(native) != s.Value {
				t.Errorf("%s's own is written %s", maker, s.Text(native))
			}
			if s.By(maker) != s.Value || s.By("other") != "" {
				t.Errorf("%s's is by another", maker)
			}
		}
	}
	if got := llm.ReadSignature("", llm.MakerOpenAI); !got.IsZero() || got.Maker != "" {
		t.Errorf("of nothing comes %v", got)
	}
}

// A signature survives in a tool call's id, and what comes back broken is no signature.
func TestPack(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"call_1", "", "toolu_01Ab-c"} {
		for _, s := range []llm.Signature{{}, seal, {Maker: llm.MakerGemini, Value: "Cv\x00é+/="}} {
			packed := llm.Pack(id, s)
			if s.IsZero() && packed != id {
				t.Errorf("%q without a signature became %q", id, packed)
			}
			if gotID, got := llm.Unpack(packed); gotID != id || got != s {
				t.Errorf("%q with %v came back as %q with %v", id, s, gotID, got)
			}
			if got := llm.FitID(packed, 1<<10); id != "" && got != packed {
				t.Errorf("%q has letters that not all vendors take", packed)
			}
		}
	}
	if id, s := llm.Unpack("call_1" + llm.PackMark + "%%%"); id != "call_1" || !s.IsZero() {
		t.Errorf("rubbish: %q, %v", id, s)
	}
	if id, s := llm.Unpack("call_1" + llm.PackMark); id != "call_1" || !s.IsZero() {
		t.Errorf("cut: %q, %v", id, s)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	for id, fits := range map[string]bool{
		"call_1": true, "A-z_09": true, "": false, "a.b": false, "functions.f:0": false, "ä": false, "a b": false, "a@b": false, "a[b": false, strings.Repeat("x", 40): true, strings.Repeat("x", 41): false,
	} {
		got := llm.FitID(id, 40)
		if (got == id) != fits || len(got) > 40 || got == "" || got != llm.FitID(id, 40) || llm.FitID(got, 40) != got {
			t.Errorf("%q became %q", id, got)
		}
	}
	if llm.FitID("a.b", 40) == llm.FitID("a:b", 40) {
		t.Error("two ids became one")
	}
	seen := map[string]bool{}
	for _, answer := range []string{"", "x", "y"} {
		for n := range 3 {
			id := llm.CallID(answer, n)
			if seen[id] || id != llm.CallID(answer, n) || llm.FitID(id, 32) != id {
				t.Errorf("call %d of %q is %q", n, answer, id)
			}
			seen[id] = true
		}
	}
}

func TestTextOf(t *testing.T) {
	t.Parallel()
	parts := []llm.Part{llm.TextPart("a"), {Kind: llm.Thinking, Text: "not this"}, llm.TextPart("b")}
	for want, parts := range map[string][]llm.Part{"": nil, "a": parts[:1], "ab": parts} {
		if got := llm.TextOf(parts); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Roles take turns, tool results come first in theirs, and the messages stay as they were.
func TestTurns(t *testing.T) {
	t.Parallel()
	said := func(role llm.Role, parts ...llm.Part) llm.Message { return llm.Message{Role: role, Parts: parts} }
	result := func(id string) llm.Part { return llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id}} }
	messages := func() []llm.Message {
		return []llm.Message{
			said(llm.System, llm.TextPart("s1")), said(llm.User, llm.TextPart("a")), said(llm.System, llm.TextPart("s2")), said(llm.User, llm.TextPart("b")),
			said(llm.Assistant, llm.TextPart("c")), said(llm.User, llm.TextPart("d"), result("1")), said(llm.User, result("2"), llm.TextPart("e")),
		}
	}
	given := messages()
	system, turns := llm.Turns(given)
	if diff := cmp.Diff([]llm.Part{llm.TextPart("s1"), llm.TextPart("s2")}, system); diff != "" {
		t.Errorf("system (-want +got):\n%s", diff)
	}
	want := []llm.Message{
		said(llm.User, llm.TextPart("a"), llm.TextPart("b")), said(llm.Assistant, llm.TextPart("c")),
		said(llm.User, result("1"), result("2"), llm.TextPart("d"), llm.TextPart("e")),
	}
	if diff := cmp.Diff(want, turns); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(messages(), given); diff != "" {
		t.Errorf("what was given (-want +got):\n%s", diff)
	}
}
