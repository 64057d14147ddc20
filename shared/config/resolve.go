package config

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// unusable is the error for a deployment that is written correctly and cannot work here: a provider that is not supported,
// a key that is not set. A config file goes on without the row; flags fail.
type unusable string

func (u unusable) Error() string { return string(u) }

// upstream is what a config row or the flags say about a deployment, before the provider table fills the gaps.
type upstream struct {
	name       string // the public name
	model      string // "provider/model", or bare
	provider   string // overrides the prefix of model when set
	base       string
	key        gateway.Secret
	keyGiven   bool              // key was written down, even if empty: then no variable replaces it
	params     map[string]string // by the names that package variable params has; some are secret
	headers    []routing.Header
	drop       *bool
	dropFields []string
	baseModel  string // what the model is, where its name does not tell
}

// resolve makes the deployments; the first is the one that has the public name. The notes are warnings for a person; err is an
// unusable or a mistake.
func (u upstream) resolve(env lookup) (ds []routing.Deployment, notes []string, err error) {
	p, vendor, err := u.split()
	if err != nil {
		return nil, nil, err
	}
	if err := checkWildcard(u.name, vendor); err != nil {
		return nil, nil, err
	}
	if p.make == nil {
		p.make = plain
	}
	ds, notes, err = p.make(p, u, vendor, env)
	for name, group := range params {
		if u.params[name] != "" && !slices.Contains(p.reads, group) && err == nil {
			notes = append(notes, "litellm_params."+name+" has no effect with "+p.prefix)
		}
	}
	slices.Sort(notes)
	return ds, notes, err
}

func (u upstream) split() (provider, string, error) {
	if u.provider == "" {
		return splitModel(u.model, u.base != "")
	}
	p, _, err := splitModel(u.provider+"/x", false)
	return p, strings.TrimPrefix(u.model, u.provider+"/"), err
}

// checkWildcard holds both sides to the one trailing star that routing knows.
func checkWildcard(name, vendor string) error {
	for _, s := range []string{name, vendor} {
		if i := strings.Index(s, "*"); i >= 0 && i != len(s)-1 {
			return unusable(fmt.Sprintf("%q: a * is supported at the end of a name only", s))
		}
	}
	if strings.HasSuffix(name, "*") != strings.HasSuffix(vendor, "*") {
		return unusable(fmt.Sprintf("%q and %q must both end in *, or neither", name, vendor))
	}
	return nil
}

// plain makes the deployment of a provider that is an address and a key.
func plain(p provider, u upstream, vendor string, env lookup) ([]routing.Deployment, []string, error) {
	base, notes, err := p.resolveBase(u.base, env)
	if err != nil {
		return nil, nil, err
	}
	cred, note, err := p.resolveKey(u, base, env)
	if err != nil {
		return nil, nil, err
	}
	if note != "" {
		notes = append(notes, note)
	}
	d := p.deployment(u, vendor)
	d.BaseURL, d.Credential = base, cred
	return []routing.Deployment{d}, notes, nil
}

// deployment is what all kinds of deployments have in common.
func (p provider) deployment(u upstream, vendor string) routing.Deployment {
	return routing.Deployment{
		Model: u.name, Provider: p.word, VendorModel: vendor, Speaks: p.speaks, Headers: u.headers,
		Drop: u.drop != nil && *u.drop, DropFields: u.dropFields,
	}
}

// resolveBase picks the address: what was written, else the provider's variable, else its public one.
func (p provider) resolveBase(given string, env lookup) (string, []string, error) {
	source := "api_base"
	if given == "" {
		source, given = firstSet(env, p.baseEnv)
	}
	if given == "" {
		if p.needBase {
			return "", nil, unusable(fmt.Sprintf("%s needs api_base or %s", p.prefix, strings.Join(p.baseEnv, " or ")))
		}
		return p.base, nil, nil
	}
	return p.cleanBase(source, given)
}

// cleanBase cleans an address that came from somewhere.
func (p provider) cleanBase(source, given string) (string, []string, error) {
	base, cut, err := CleanBase(given)
	if err != nil {
		return "", nil, errors.New(strings.Replace(err.Error(), "api_base", source, 1))
	}
	if before, found := strings.CutSuffix(base, p.trim); found && p.trim != "" {
		base, cut = before, p.trim+cut
	}
	if pathless(base) {
		base += p.root
	}
	if cut != "" {
		return base, []string{fmt.Sprintf("%s should not end in %s; it was removed", source, cut)}, nil
	}
	return base, nil, nil
}

// resolveKey picks the credential: what was written, else the provider's variable. A host of one's own may need none. A key
// from the environment that goes to another host than its vendor's is worth a note.
func (p provider) resolveKey(u upstream, base string, env lookup) (routing.Credential, string, error) {
	none := routing.Credential{Kind: routing.NoCredential}
	switch {
	case p.cred == routing.NoCredential || u.keyGiven && u.key == "" || u.sends(p.cred):
		return none, "", nil
	case u.keyGiven:
		return routing.Credential{Kind: p.cred, Value: u.key}, "", nil
	}
	name, value := firstSet(env, p.keyEnv)
	own := p.needBase || hostOf(base) != hostOf(p.base)
	switch {
	case value == "" && !p.keyless && !own:
		return none, "", unusable(fmt.Sprintf("%s has no key: set api_key or %s", p.prefix, strings.Join(p.keyEnv, " or ")))
	case value == "":
		return none, "", nil
	case u.base != "" && own && !p.keyless && !p.needBase:
		return routing.Credential{Kind: p.cred, Value: gateway.Secret(value)},
			fmt.Sprintf("%s is sent to %s; set api_key to choose another", name, hostOf(base)), nil
	default:
		return routing.Credential{Kind: p.cred, Value: gateway.Secret(value)}, "", nil
	}
}

// sends reports whether the owner's own headers have the credential in them.
func (u upstream) sends(kind routing.CredentialKind) bool {
	name := "Authorization"
	if kind == routing.APIKeyHeader || kind == routing.XAPIKey || kind == routing.XGoogAPIKey {
		name = http.CanonicalHeaderKey(string(kind))
	}
	return slices.ContainsFunc(u.headers, func(h routing.Header) bool { return h.Name == name })
}

// param is a litellm_param, or else the first of the variables that is set.
func (u upstream) param(env lookup, name string, variables ...string) string {
	if v := strings.TrimSpace(u.params[name]); v != "" {
		return v
	}
	_, v := firstSet(env, variables)
	return v
}

// spread makes of a pattern several where its star stands for models that are served differently. The shape sees a deployment's
// VendorModel, with its star, and sets what depends on it; starts are what names begin with that it tells apart.
func spread(d routing.Deployment, starts []string, shape func(*routing.Deployment)) []routing.Deployment {
	fixed, wild := strings.CutSuffix(d.VendorModel, "*")
	out := []routing.Deployment{d}
	if wild {
		for _, start := range starts {
			if rest, longer := strings.CutPrefix(start, fixed); longer && rest != "" {
				some := d
				some.Model, some.VendorModel, some.Hidden = strings.TrimSuffix(d.Model, "*")+rest+"*", start+"*", true
				out = append(out, some)
			}
		}
	}
	for i := range out {
		shape(&out[i])
	}
	return out
}
