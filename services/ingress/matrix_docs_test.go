package ingress_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/config"
)

const providersPage = "../../docs/providers.md"

const providersIntro = `# Providers

Any caller may call any model: what it speaks is translated where the provider speaks something else. The tables below are made by a test that
makes every call, plain and streamed, through a gateway set up by a ` + "`config.yaml`" + `, before a fake of the providers that is as strict as
they are: ` + "`SLUICE_UPDATE=1 go test -run TestMatrix .`" + ` in ` + "`services/ingress`" + ` writes this page. No real provider was called.

`

const matrixIntro = `## What works where

One table for each format that callers speak. **✓**: the caller gets what it asked for, plain and streamed alike, in the form that the format's
documentation has, and tokens and costs are booked as the provider bills them. After a fault: the caller gets the right error in its own format,
what is booked fits what happened, and no broken stream ends as if it were whole. **✓ without** a name: this field was left out, since that
changes no answer's meaning, and the header ` + "`x-sluice-dropped-params`" + ` says so. A **name**: this is refused with a 400 that names the field,
because the provider's format or the model has no place for it; with ` + "`drop_params`" + ` most such fields are left out instead. *(streamed)*: only in
streams. *(by the provider)*: the request passes through as it is, and the provider itself refuses it. **–**: the caller's format has no words
for it, or the fault does not occur there. A *large event* is 4 MiB from the first provider of each format, 64 KiB from
the others. [parameters.md](parameters.md) has the fields of each format.

`

// checkDocument compares the page with what the cells have shown. SLUICE_UPDATE=1 writes it.
func checkDocument(t *testing.T, got map[[3]string]string, probes []probe) {
	t.Helper()
	want := providersIntro + prefixTable(t) + matrixIntro + matrixTables(got, probes)
	if os.Getenv("SLUICE_UPDATE") != "" {
		if err := os.WriteFile(providersPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(providersPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(page)); diff != "" {
		t.Errorf("docs/providers.md is out of date; run this test with SLUICE_UPDATE=1 (-want +got):\n%s", diff)
	}
}

func matrixTables(got map[[3]string]string, probes []probe) string {
	var b strings.Builder
	b.WriteString("The models that stand for the providers: ")
	for i, c := range columns {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(c.title + ": `" + c.model + "`")
		if c.thinker != "" {
			b.WriteString(" (to reason: `" + c.thinker + "`)")
		}
	}
	b.WriteString(".\n")
	for _, in := range speakers {
		b.WriteString("\n### " + in.name() + "\n\n| |")
		line := "|---|"
		for _, c := range columns {
			b.WriteString(" " + c.title + " |")
			line += "---|"
		}
		b.WriteString("\n" + line + "\n")
		for _, p := range probes {
			row := "| " + p.name + " |"
			said := false
			for _, c := range columns {
				what := got[[3]string{in.name(), p.name, c.title}]
				said = said || what != "–"
				row += " " + shownCell(what) + " |"
			}
			if said { // else the format has no words for it at all
				b.WriteString(row + "\n")
			}
		}
	}
	return b.String()
}

// shownCell is an outcome as the page has it: fields in code, what is around them not.
func shownCell(what string) string {
	if what == "✓" || what == "–" {
		return what
	}
	if fields, found := strings.CutPrefix(what, "✓"+without); found {
		return "✓" + without + "`" + strings.ReplaceAll(fields, ", ", "`, `") + "`"
	}
	field, more, found := strings.Cut(what, " (")
	if found {
		more = " (" + more
	}
	return "`" + field + "`" + more
}

// aliases are further names of providers; the environment does not bring them up.
var aliases = []string{"text-completion-openai", "vertex_ai_beta", "codestral", "ai21_chat", "cohere_chat", "ollama", "ollama_chat"}

// environments in which providers show what they read: nothing set, keys, what signs instead of a key, and addresses of one's own.
var environments = []func(name string) string{
	func(string) string { return "" },
	func(name string) string {
		if strings.HasSuffix(name, "_KEY") || strings.Contains(name, "TOKEN") && !strings.HasSuffix(name, "_FILE") {
			return "key"
		}
		return place(name)
	},
	func(name string) string {
		if strings.HasPrefix(name, "AWS_") && strings.Contains(name, "ACCESS_KEY") || slices.Contains([]string{"AZURE_TENANT_ID", "AZURE_CLIENT_ID",
			"AZURE_CLIENT_SECRET"}, name) {
			return "id"
		}
		return address(name)
	},
	func(name string) string {
		if strings.HasSuffix(name, "_KEY") {
			return "key"
		}
		return address(name)
	},
}

func place(name string) string {
	switch {
	case strings.Contains(name, "REGION"):
		return "us-east-1"
	case strings.Contains(name, "PROJECT"):
		return "your-project"
	}
	return ""
}

func address(name string) string {
	if strings.Contains(name, "BASE") || strings.HasSuffix(name, "_ENDPOINT") && strings.HasPrefix(name, "AZURE") {
		return "https://your.host"
	}
	return place(name)
}

// prefixTable asks the config what becomes of each prefix.
func prefixTable(t *testing.T) string {
	t.Helper()
	found, _ := config.Discover(func(name string) string {
		if v := address(name); v != "" {
			return v
		}
		return strings.ToLower(environments[1](name))
	}, nil)
	var prefixes []string
	for _, d := range found {
		if prefix, one := strings.CutSuffix(d.Model, "/*"); one && !slices.Contains(prefixes, prefix) && !strings.Contains(prefix, "/") {
			prefixes = append(prefixes, prefix)
		}
	}
	if len(prefixes) < 40 {
		t.Errorf("only %d providers are found: %v", len(prefixes), prefixes)
	}
	var b strings.Builder
	b.WriteString("## Prefixes of models\n\n" +
		"A model of `config.yaml` is `prefix/model`; without a prefix it is one of OpenAI's. *Speaks* are the formats in which the\n" +
		"provider is called, the preferred one for translation first; on Bedrock and Vertex AI it is the model that decides. What `litellm_params` say\n" +
		"counts before any variable.\n\n" +
		"| Prefix | Speaks | Credential | Address | Variables |\n|---|---|---|---|---|\n")
	for _, prefix := range append(prefixes, aliases...) {
		b.WriteString(prefixRow(t, prefix))
	}
	return b.String() + "\n"
}

// modelsOf are models that a provider may serve each in its own way.
func modelsOf(prefix string) []string {
	switch prefix {
	case "bedrock":
		return []string{"model", "amazon.titan-embed-text-v2:0", "cohere.embed-v4:0"}
	case "vertex_ai", "vertex_ai_beta":
		return []string{"gemini-2.5-flash", "claude-sonnet-4-5", "mistral-large-2411", "meta/llama-4", "text-embedding-005"}
	default:
		return []string{"model"}
	}
}

// quietVars say nothing of a provider.
var quietVars = []string{"HOME", "K_SERVICE"}

func prefixRow(t *testing.T, prefix string) string {
	t.Helper()
	var variables, kinds, speaks []string
	base := ""
	add := func(list *[]string, s string) {
		if s != "" && !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	for i := range len(environments) * len(modelsOf(prefix)) {
		env, model := environments[i%len(environments)], modelsOf(prefix)[i/len(environments)]
		ds, _, err := config.FromFlags(prefix+"/"+model, "", "", func(name string) string {
			if !slices.Contains(quietVars, name) {
				add(&variables, name)
			}
			return env(name)
		})
		if err != nil {
			continue
		}
		add(&kinds, strings.Replace(string(ds[0].Credential.Kind), "none", "", 1))
		for _, op := range ds[0].Speaking() {
			add(&speaks, string(op))
		}
		if base == "" {
			base = ds[0].BaseURL // the vendor's own, where it has one: addresses come last
		}
	}
	if len(speaks) == 0 {
		t.Errorf("the config knows no %s", prefix)
		return ""
	}
	slices.SortFunc(variables, func(a, b string) int { return strings.Compare(a, b) })
	return "| `" + prefix + "` | " + strings.Join(speaks, ", ") + " | " + strings.Join(kinds, ", ") + " | " + base + " | " +
		strings.Join(variables, ", ") + " |\n"
}
