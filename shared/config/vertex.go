package config

import (
	"cmp"
	"encoding/json"
	"os"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// vertexLocation is where LiteLLM calls Vertex AI when nobody says where.
const vertexLocation = "us-central1"

var (
	projectVars  = []string{"VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT"}
	locationVars = []string{"VERTEXAI_LOCATION", "VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION"}
)

// vertex makes a deployment of Google's Vertex AI: of its own models, of Anthropic's, Mistral's or AI21's, or of the open ones that it
// serves like OpenAI (Google's documentation, read 2026-11).
func vertex(p provider, u upstream, vendor string, env lookup) ([]routing.Deployment, []string, error) {
	g := googleAccount(u, env)
	project := cmp.Or(u.param(env, "vertex_project"), u.param(env, "vertex_ai_project", projectVars...), projectOf(g))
	location := cmp.Or(u.param(env, "vertex_location"), u.param(env, "vertex_ai_location", locationVars...), vertexLocation)
	switch {
	case project == "":
		return nil, nil, unusable(p.prefix + " needs vertex_project or " + strings.Join(projectVars, " or "))
	case !plainName(project) || !plainName(location):
		return nil, nil, unusable("vertex_project and vertex_location must be names of lower-case letters, digits and hyphens")
	}
	version := "/v1"
	if p.prefix == "vertex_ai_beta" {
		version = "/v1beta1"
	}
	root, notes, err := vertexHost(location)+version, []string(nil), error(nil)
	if u.base != "" {
		p.root = version
		if root, notes, err = p.cleanBase("api_base", u.base); err != nil {
			return nil, nil, err
		}
	}
	if u.keyGiven && u.key != "" {
		notes = append(notes, "api_key has no effect: Vertex AI is called with an account of Google's")
	}
	d := p.deployment(u, vendor)
	d.Region, d.Credential = location, routing.Credential{Kind: routing.GoogleIdentity, Google: g}
	if u.sends(routing.Bearer) {
		d.Credential = routing.Credential{Kind: routing.NoCredential}
	}
	root += "/projects/" + project + "/locations/" + location
	if err := checkVertex(vendor); err != nil {
		return nil, nil, err
	}
	return spread(d, vertexStarts(), func(d *routing.Deployment) { vertexShape(d, root) }), notes, nil
}

// vertexHost is the host for a location: "us" and "eu" are several regions, "global" is any.
func vertexHost(location string) string {
	switch location {
	case "global":
		return "https://aiplatform.googleapis.com"
	case "us", "eu":
		return "https://aiplatform." + location + ".rep.googleapis.com"
	default:
		return "https://" + location + "-aiplatform.googleapis.com"
	}
}

// family is a group of models that are called alike, by what their names begin with.
type family struct {
	start     string
	publisher string
	speaks    []gateway.Op
	raw       bool // called by rawPredict
}

// families are the models with a publisher of their own. The first that fits counts.
var families = []family{
	{"gemini-embedding", "google", []gateway.Op{gateway.OpVertexPredict}, false},
	{"text-embedding", "google", []gateway.Op{gateway.OpVertexPredict}, false},
	{"textembedding", "google", []gateway.Op{gateway.OpVertexPredict}, false},
	{"text-multilingual-embedding", "google", []gateway.Op{gateway.OpVertexPredict}, false},
	{"gemini", "google", []gateway.Op{gateway.OpGemini}, false},
	{"claude", "anthropic", []gateway.Op{gateway.OpMessages}, false},
	{"mistral", "mistralai", chatOnly, true},
	{"ministral", "mistralai", chatOnly, true},
	{"codestral", "mistralai", chatOnly, true},
	{"jamba", "ai21", chatOnly, true},
}

// makers are what the names of open models begin with, which Vertex AI serves as OpenAI does.
var makers = []string{"meta/", "openai/", "deepseek-ai/", "qwen/", "moonshotai/", "minimaxai/", "zai-org/", "xai/", "nvidia/", "google/gemma"}

// vertexStarts are what names begin with that are served each in a way of its own.
func vertexStarts() []string {
	starts := append([]string(nil), makers...)
	for _, f := range families {
		starts = append(starts, f.start, f.publisher+"/"+f.start)
	}
	return starts
}

// vertexShape sets what depends on the model. What is not known is taken for one of Google's.
func vertexShape(d *routing.Deployment, root string) {
	name, _ := strings.CutSuffix(strings.ToLower(d.VendorModel), "*")
	for _, f := range families {
		bare, own := strings.CutPrefix(name, f.publisher+"/")
		if !strings.HasPrefix(bare, f.start) {
			continue
		}
		if own {
			d.VendorModel = d.VendorModel[len(f.publisher)+1:]
		}
		d.BaseURL, d.Speaks = root+"/publishers/"+f.publisher, f.speaks
		if f.raw {
			d.Path, d.StreamPath = "/models/{model}:rawPredict", "/models/{model}:streamRawPredict"
		}
		return
	}
	endpoint, tuned := strings.CutPrefix(name, "openai/")
	switch {
	case tuned && isNumber(endpoint): // a model of Model Garden that the owner has deployed
		d.VendorModel = endpoint
		d.BaseURL, d.Speaks = root+"/endpoints/{model}", chatOnly
	case strings.Contains(name, "/"):
		d.BaseURL, d.Speaks = root+"/endpoints/openapi", chatOnly
	default:
		d.BaseURL, d.Speaks = root+"/publishers/google", []gateway.Op{gateway.OpGemini}
	}
}

// unknownVertex are what the names of models begin with that are called in yet another way.
var unknownVertex = []string{"multimodalembedding", "imagen", "veo", "agent_engine/"}

// checkVertex refuses the names of what has an interface that we do not know.
func checkVertex(vendor string) error {
	last := vendor[strings.LastIndexByte(vendor, '/')+1:]
	switch {
	case isNumber(last) && vendor != "openai/"+last:
		return unusable("endpoints of Vertex AI are supported as vertex_ai/openai/<number> only")
	case slices.ContainsFunc(unknownVertex, func(start string) bool { return strings.HasPrefix(vendor, start) }):
		return unusable("model " + vendor + " of Vertex AI is not supported yet")
	default:
		return nil
	}
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// googleAccount says as whom Google is called: what was written, else the file that a variable names, else gcloud's, else the machine's.
func googleAccount(u upstream, env lookup) routing.Google {
	given := cmp.Or(u.param(env, "vertex_credentials"), u.param(env, "vertex_ai_credentials", "VERTEXAI_CREDENTIALS", "VERTEX_CREDENTIALS"))
	if strings.HasPrefix(given, "{") {
		return routing.Google{JSON: gateway.Secret(given)}
	}
	const file = "application_default_credentials.json"
	folder := env("CLOUDSDK_CONFIG")
	if folder != "" {
		folder += "/" + file
	}
	return routing.Google{File: cmp.Or(given, env("GOOGLE_APPLICATION_CREDENTIALS"), folder, home(env, ".config", "gcloud", file))}
}

// projectOf is the project that a credentials file is of.
func projectOf(g routing.Google) string {
	text := []byte(g.JSON.Reveal())
	if g.File != "" {
		text, _ = os.ReadFile(g.File) // what is wrong with it is told when it is used
	}
	var f struct {
		Project string `json:"project_id"`
		Quota   string `json:"quota_project_id"`
	}
	_ = json.Unmarshal(text, &f)
	return cmp.Or(f.Project, f.Quota)
}

// vertexReady wants a variable that is about models: others name a project in every container of Google's.
func vertexReady(_ provider, env lookup) bool {
	_, project := firstSet(env, projectVars[:2])
	return project != ""
}
