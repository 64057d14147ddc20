package config

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

const (
	// azureVersion is used where nobody names one, as LiteLLM does. The interface of version v1 needs none.
	azureVersion = "2025-02-01-preview"
	// foundryVersion is that of the model inference interface (Microsoft's documentation of Azure AI Foundry, read 2026-11).
	foundryVersion = "2024-05-01-preview"
	deployments    = "/openai/deployments"
	azureV1        = "/openai/v1"
)

// azure makes a deployment of Azure OpenAI: below the path of a deployment with a dated version, or below /openai/v1, which has
// responses too (Microsoft's documentation of the API's versions, read 2026-11).
func azure(p provider, u upstream, vendor string, env lookup) ([]routing.Deployment, []string, error) {
	given, inBase := versioned(u.param(env, "", p.baseEnv...), u.base)
	base, notes, err := p.resolveBase(given, env)
	if err != nil {
		return nil, nil, err
	}
	d := p.deployment(u, vendor)
	if d.Credential, err = p.azureKey(u, env); err != nil {
		return nil, nil, err
	}
	for _, kind := range []string{"o_series/", "gpt5_series/"} { // LiteLLM's words for what base_model tells
		d.VendorModel = strings.TrimPrefix(d.VendorModel, kind)
	}
	rest, asked := strings.CutPrefix(d.VendorModel, "responses/")
	d.VendorModel = rest
	version := cmp.Or(strings.TrimSpace(u.params["api_version"]), inBase, u.param(env, "", "AZURE_API_VERSION"), azureVersion)
	root, at, _ := cutPath(base, "/openai")
	only := asked || onlyResponses("azure", u.baseModel, rest)
	if only {
		d.Speaks = responsesOnly
	}
	switch {
	case at == "/v1" || version == "v1" || version == "latest" || version == "preview" || only:
		d.BaseURL = root + azureV1
		if d.Speaks == nil {
			d.Speaks = withResponses
		}
		if version == "preview" {
			d.Query = "api-version=preview"
		}
	case strings.HasPrefix(at, "/deployments/"):
		d.BaseURL, d.Query = base, "api-version="+url.QueryEscape(version)
	default:
		d.BaseURL, d.Query = root+deployments+"/{model}", "api-version="+url.QueryEscape(version)
	}
	return []routing.Deployment{d}, notes, nil
}

// versioned takes the version out of an address as Azure's portal shows it: ".../chat/completions?api-version=2024-10-21".
func versioned(variable, given string) (base, version string) {
	base, query, found := strings.Cut(cmp.Or(given, variable), "?")
	values, err := url.ParseQuery(strings.TrimSpace(query))
	if !found || err != nil || len(values) != 1 || !values.Has("api-version") {
		return given, ""
	}
	return base, values.Get("api-version")
}

// azureKey picks the credential: a key, a token, or what a token is made of. What was written counts before what the environment has.
func (p provider) azureKey(u upstream, env lookup) (routing.Credential, error) {
	none := routing.Credential{Kind: routing.NoCredential}
	token := strings.TrimSpace(u.params["azure_ad_token"])
	switch {
	case u.keyGiven && u.key == "" || u.sends(p.cred) || u.sends(routing.Bearer):
		return none, nil
	case u.keyGiven:
		return routing.Credential{Kind: p.cred, Value: u.key}, nil
	case token == "" && u.params["client_secret"] == "" && u.params["client_id"] == "":
		if _, key := firstSet(env, p.keyEnv); key != "" {
			return routing.Credential{Kind: p.cred, Value: gateway.Secret(key)}, nil
		}
		token = u.param(env, "", "AZURE_AD_TOKEN")
	}
	if token != "" && !strings.HasPrefix(token, oidc) {
		return routing.Credential{Kind: routing.Bearer, Value: gateway.Secret(token)}, nil
	}
	e, err := entra(u, token, env)
	if err != nil {
		return none, err
	}
	if e == (routing.Entra{}) {
		return none, unusable(p.prefix + " has no key: set api_key, " + strings.Join(p.keyEnv, ", ") +
			", AZURE_AD_TOKEN, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")
	}
	return routing.Credential{Kind: routing.EntraIdentity, Entra: e}, nil
}

// entra says how a token is got of Azure's directory; the zero value if nothing says so.
func entra(u upstream, token string, env lookup) (routing.Entra, error) {
	e := routing.Entra{
		Tenant: u.param(env, "tenant_id", "AZURE_TENANT_ID"), Client: u.param(env, "client_id", "AZURE_CLIENT_ID"),
		Scope: u.param(env, "azure_scope", "AZURE_SCOPE"), Authority: u.param(env, "", "AZURE_AUTHORITY_HOST"),
	}
	var err error
	secret := u.param(env, "client_secret", "AZURE_CLIENT_SECRET")
	file := u.param(env, "", "AZURE_FEDERATED_TOKEN_FILE")
	named := e.Tenant != "" && e.Client != ""
	switch {
	case token != "" && !named:
		return routing.Entra{}, unusable("azure_ad_token of an identity needs tenant_id and client_id, or AZURE_TENANT_ID and AZURE_CLIENT_ID")
	case token != "":
		e.Identity, err = identity("azure_ad_token", token, env)
	case named && secret != "":
		e.Secret = gateway.Secret(secret)
	case named && file != "":
		e.Identity.File = file
	case env("AZURE_CREDENTIAL") == "ManagedIdentityCredential":
		e.Tenant = ""
		if e.Scope == "" && e.Client == "" {
			e.Scope = "https://cognitiveservices.azure.com/.default"
		}
	default:
		return routing.Entra{}, nil
	}
	return e, err
}

func azureReady(p provider, env lookup) bool {
	_, base := firstSet(env, p.baseEnv)
	c, err := p.azureKey(upstream{}, env)
	return base != "" && err == nil && c.Kind != routing.NoCredential
}

// foundry makes a deployment of Azure AI Foundry: its model inference interface, the one of Anthropic for Claude, or an endpoint of one
// model (Microsoft's documentation, read 2026-11).
func foundry(p provider, u upstream, vendor string, env lookup) ([]routing.Deployment, []string, error) {
	given, inBase := versioned(u.param(env, "", p.baseEnv...), u.base)
	base, notes, err := p.resolveBase(given, env)
	if err != nil {
		return nil, nil, err
	}
	d := p.deployment(u, vendor)
	if d.Credential, err = p.azureKey(u, env); err != nil {
		return nil, nil, err
	}
	version := cmp.Or(strings.TrimSpace(u.params["api_version"]), inBase, foundryVersion)
	root, _, anthropic := cutPath(base, "/anthropic")
	resource := strings.HasSuffix(hostOf(base), ".services.ai.azure.com")
	if resource {
		root = origin(base)
	}
	shape := func(d *routing.Deployment) {
		switch {
		case anthropic || resource && strings.HasPrefix(strings.ToLower(d.VendorModel), "claude"):
			d.BaseURL, d.Speaks = root+"/anthropic/v1", []gateway.Op{gateway.OpMessages}
			if d.Credential.Kind == routing.APIKeyHeader {
				d.Credential.Kind = routing.XAPIKey
			}
		case strings.HasSuffix(base, azureV1):
			d.BaseURL, d.Speaks = base, withResponses
		case resource:
			d.BaseURL, d.Query = root+"/models", "api-version="+url.QueryEscape(version)
		default:
			d.BaseURL = base
			if pathless(base) {
				d.BaseURL += "/v1"
			}
			if d.Credential.Kind == routing.APIKeyHeader {
				d.Credential.Kind = routing.Bearer
			}
		}
	}
	return spread(d, []string{"claude"}, shape), notes, nil
}
