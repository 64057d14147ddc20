package all_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect/all"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const page = "../../../docs/parameters.md"

const intro = `# What each dialect carries

A request whose upstream speaks the caller's dialect passes through as it is. Else it is translated, and this table says what the
upstream's dialect has a place for. What it has not is refused with a 400 that names the field, or left out where ` + "`drop_params`" + ` is true in
the request, in the model's ` + "`litellm_params`" + ` or in ` + "`litellm_settings`" + ` (` + "`additional_drop_params`" + ` lists single fields). A **hint** changes
no answer's meaning and is always left out. The header ` + "`x-sluice-dropped-params`" + ` names what was left out. Single models may refuse more.

This page is made from the code: ` + "`SLUICE_UPDATE=1 go test ./dialect/all`" + ` in ` + "`shared`" + ` writes it.

`

// The page about parameters is what the dialects say. SLUICE_UPDATE=1 writes it.
func TestParameters(t *testing.T) {
	t.Parallel()
	want := intro + table() + fields()
	if os.Getenv("SLUICE_UPDATE") != "" {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/parameters.md is out of date; run this test with SLUICE_UPDATE=1 (-want +got):\n%s", diff)
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("| Parameter |")
	line := "|---|"
	for _, d := range all.Dialects() {
		if d.Out != nil {
			b.WriteString(" " + string(d.Op) + " |")
			line += "---|"
		}
	}
	b.WriteString("\n" + line + "\n")
	for _, p := range llm.AllParams() {
		name := string(p)
		if p.IsHint() {
			name += " (hint)"
		}
		b.WriteString("| " + name + " |")
		for _, d := range all.Dialects() {
			switch {
			case d.Out == nil:
			case slices.Contains(d.Out.Carries().Params, p):
				b.WriteString(" yes |")
			default:
				b.WriteString("  |")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func fields() string {
	var b strings.Builder
	b.WriteString("\nBesides, these fields are taken as they are, from callers of any dialect:\n\n")
	for _, d := range all.Dialects() {
		if d.Out == nil || len(d.Out.Carries().Extra) == 0 {
			continue
		}
		names := slices.Clone(d.Out.Carries().Extra)
		slices.Sort(names)
		b.WriteString("- " + string(d.Op) + ": `" + strings.Join(names, "`, `") + "`\n")
	}
	return b.String()
}
