// Package sluice_test holds the tests of the house as a whole: who may import whom, and what each binary links.
package sluice_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const house = "github.com/sluice-gateway/sluice/"

// pkg is what `go list -json` tells of a package.
type pkg struct {
	ImportPath, Name string
	Imports, Deps    []string
}

func list(t *testing.T, args ...string) (pkgs []pkg) {
	t.Helper()
	c := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Imports,Deps"}, args...)...)
	c.Dir = "../.."
	out, err := c.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("go list: %s", failed.Stderr)
		}
		t.Fatal(err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// Layers of the house, from the ground up. A package may import those of lower layers, and of its own where beside says so.
const (
	vocabulary = iota // what everything is about, and byte tools: no I/O
	port              // what can be swapped, and wire formats
	useCase           // what the gateway does
	assembly          // what a service runs on
	service
	binary
)

type rule struct {
	layer  int
	beside []string // packages of the same layer it may import
	why    string
}

// rules has every package of the house but drivers and tests' tools. A package that is missing fails the test: say what it
// is before you write it.
var rules = map[string]rule{
	"shared/gateway":              {vocabulary, nil, "the vocabulary imports nothing"},
	"shared/jsonedit":             {vocabulary, nil, "a byte tool"},
	"shared/sse":                  {vocabulary, nil, "a byte tool"},
	"shared/period":               {vocabulary, nil, "calendar arithmetic"},
	"shared/field":                {vocabulary + 1, nil, "what fields of management requests must be: pure"},
	"shared/server":               {vocabulary, nil, "knows http.Server and nothing of us"},
	"shared/pricing":              {port, nil, "usage to money, pure"},
	"shared/store":                {port, nil, "a port knows no driver"},
	"shared/queue":                {port, nil, "a port knows no driver"},
	"shared/queue/push":           {port, []string{"shared/queue"}, "the wire format of the port queue"},
	"shared/blob":                 {port, nil, "a port knows no driver"},
	"shared/llm":                  {vocabulary, nil, "the neutral form of a generation: pure"},
	"shared/dialect":              {port, nil, "what a wire format does: pure, it never imports upstream"},
	"shared/dialect/chat":         {port, []string{"shared/dialect"}, "a wire format knows no other"},
	"shared/dialect/messages":     {port, []string{"shared/dialect"}, "a wire format knows no other"},
	"shared/dialect/responses":    {port, []string{"shared/dialect"}, "a wire format knows no other"},
	"shared/dialect/gemini":       {port, []string{"shared/dialect"}, "a wire format knows no other"},
	"shared/dialect/converse":     {port, []string{"shared/dialect"}, "a wire format knows no other"},
	"shared/dialect/embed":        {port, []string{"shared/dialect", "shared/dialect/embed/cl100k"}, "a wire format knows no other"},
	"shared/dialect/embed/cl100k": {port, []string{"shared/dialect"}, "a wire format knows no other"},
	"shared/dialect/all":          {useCase, nil, "the table of wire formats"},
	"shared/routing":              {port, nil, "pure decisions"},
	"shared/audit":                {useCase, nil, "records of changes know no tables"},
	"shared/account":              {useCase, []string{"shared/audit"}, "each change leaves its record"},
	"shared/auth":                 {useCase, []string{"shared/account", "shared/audit"}, "a key works for accounts"},
	"shared/escrow":               {useCase, nil, "shared limits: amounts and documents, nothing of money or calls"},
	"shared/ratelimit":            {useCase, nil, "shared limits per minute: counts and documents, nothing of calls"},
	"shared/budget":               {useCase, []string{"shared/escrow", "shared/ratelimit", "shared/event"}, "what a call may cost, by all its limits"},
	"shared/books":                {useCase, []string{"shared/escrow", "shared/ledger"}, "compares the ledger with all that is derived from it"},
	"shared/response":             {useCase, nil, "keeps responses, and knows nothing of what is in them"},
	"shared/event":                {useCase, nil, "events know nobody who makes them"},
	"shared/ledger":               {useCase, []string{"shared/event"}, "spend is told as events"},
	"shared/upstream":             {useCase, []string{"shared/budget", "shared/ledger", "shared/dialect/all", "shared/upstream/credential", "shared/upstream/echo", "shared/upstream/h1"}, "no call without reservation and entry"},
	"shared/upstream/credential":  {port, []string{"shared/routing"}, "proves to a provider who pays"},
	"shared/upstream/h1":          {vocabulary, nil, "a transport knows HTTP and nothing of us"},
	"shared/upstream/echo":        {vocabulary, nil, "an upstream knows the wire and nothing of us"},
	"shared/batch":                {useCase, []string{"shared/escrow", "shared/event", "shared/ledger"}, "it calls providers through its own port Caller, which also says what a line counts towards"},
	"shared/config":               {useCase, []string{"shared/auth", "shared/budget"}, "what an owner wrote, as deployments and each one's settings"},
	"shared/engine":               {assembly, nil, "names the ports and collections"},
	"shared/embedded":             {assembly, []string{"shared/engine"}, "the engine of one machine"},
	"shared/gcp":                  {assembly, []string{"shared/engine"}, "Google's engine"},
	"shared/gcp/boot":             {assembly, []string{"shared/engine", "shared/gcp"}, "starts a cloud service"},
	"services/ingress":            {service, nil, "services never import each other"},
	"services/worker":             {service, nil, "services never import each other"},

	"services/sluice/cli":          {vocabulary + 1, nil, "speaks HTTP to a gateway, like any client"},
	"services/sluice/local":        {binary, nil, "ingress and worker on the embedded engine"},
	"services/sluice/cmd/sluice":   {binary, []string{"services/sluice/local"}, "a main"},
	"services/ingress/cmd/ingress": {binary, nil, "a main"},
	"services/worker/cmd/worker":   {binary, nil, "a main"},
	"services/sluice/bench":        {binary, nil, "measures binaries from outside"},
}

// drivers implement a port. They may import their port and the vocabulary; only an assembly imports them.
var drivers = map[string][]string{
	"shared/store/memstore":       {"shared/store"},
	"shared/queue/memqueue":       {"shared/queue"},
	"shared/blob/memblob":         {"shared/blob"},
	"shared/embedded/sqlitestore": {"shared/store", "shared/queue"},
	"shared/embedded/diskblob":    {"shared/blob"},
	"shared/embedded/dispatch":    {"shared/queue", "shared/queue/push"},
	"shared/gcp/firestorestore":   {"shared/store"},
	"shared/gcp/pubsubqueue":      {"shared/queue"},
	"shared/gcp/gcsblob":          {"shared/blob"},
	"shared/gcp/oidc":             {"shared/queue/push"},
}

// testTools may be imported by tests only.
var testTools = []string{"shared/dialect/dialecttest", "shared/store/storetest", "shared/queue/queuetest", "shared/blob/blobtest", "shared/upstream/fakeprovider", "shared/gcp/gcsblob/fakegcs",
	"shared/store/memstore", "shared/queue/memqueue", "shared/blob/memblob"}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "./shared/...", "./services/ingress/...", "./services/worker/...", "./services/sluice/...") {
		name := strings.TrimPrefix(p.ImportPath, house)
		if slices.Contains(testTools, name) && drivers[name] == nil || strings.HasPrefix(name, "shared/upstream/fakeprovider/") {
			continue
		}
		r, ruled := rules[name]
		ports, driver := drivers[name]
		if !ruled && !driver && len(p.Imports) > 0 {
			t.Errorf("%s has no rule: add it to rules or drivers, with its reason", name)
			continue
		}
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, house)
			switch {
			case !ours:
			case slices.Contains(testTools, other):
				t.Errorf("%s imports %s, which is for tests", name, other)
			case driver:
				if rules[other].layer != vocabulary && !slices.Contains(ports, other) {
					t.Errorf("the driver %s imports %s: a driver knows its port and the vocabulary", name, other)
				}
			case drivers[other] != nil:
				if r.layer < assembly {
					t.Errorf("%s imports the driver %s: only an assembly does", name, other)
				}
			case rules[other].layer > r.layer || (rules[other].layer == r.layer && !slices.Contains(r.beside, other) && other != "shared/gateway"):
				t.Errorf("%s imports %s: %s", name, other, r.why)
			}
		}
	}
}

// What each binary must not link, by the beginning of the import path.
func TestLinkedModules(t *testing.T) {
	t.Parallel()
	cloud := []string{"modernc.org/", house + "shared/embedded/sqlitestore", house + "shared/embedded/dispatch", "github.com/spf13/cobra", "cloud.google.com/go/storage"}
	for main, forbidden := range map[string][]string{
		"./services/sluice/cmd/sluice":   {"cloud.google.com/", "google.golang.org/", house + "shared/gcp"},
		"./services/ingress/cmd/ingress": cloud,
		"./services/worker/cmd/worker":   cloud,
	} {
		for _, p := range list(t, main) {
			for _, dep := range p.Deps {
				for _, prefix := range append(forbidden, "github.com/openai/", "testing", "net/http/httptest") {
					if dep == prefix || (strings.HasSuffix(prefix, "/") || strings.Contains(prefix, "/")) && strings.HasPrefix(dep, prefix) {
						t.Errorf("%s links %s", main, dep)
					}
				}
			}
		}
	}
}
