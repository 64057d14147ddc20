package config

import (
	"fmt"
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
	name     string // the public name
	model    string // "provider/model", or bare
	provider string // overrides the prefix of model when set
	base     string
	key      gateway.Secret
	keyGiven bool // key was written down, even if empty: then no variable replaces it
}

// resolve makes the deployment. The notes are warnings for a person; err is an unusable or a mistake.
func (u upstream) resolve(env func(string) string) (d routing.Deployment, notes []string, err error) {
	p, vendor, err := u.split()
	if err != nil {
		return d, nil, err
	}
	if err := checkWildcard(u.name, vendor); err != nil {
		return d, nil, err
	}
	base, notes, err := p.resolveBase(u.base, env)
	if err != nil {
		return d, nil, err
	}
	cred, note, err := p.resolveKey(u, base, env)
	if err != nil {
		return d, nil, err
	}
	if note != "" {
		notes = append(notes, note)
	}
	return routing.Deployment{
		Model: u.name, Provider: p.word, VendorModel: vendor, BaseURL: base, Credential: cred, Ops: p.ops,
	}, notes, nil
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

// resolveBase picks the address: what was written, else the provider's variable, else its public one.
func (p provider) resolveBase(given string, env func(string) string) (string, []string, error) {
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
	base, cut, err := CleanBase(given)
	if err != nil {
		return "", nil, fmt.Errorf("%s", strings.Replace(err.Error(), "api_base", source, 1))
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
func (p provider) resolveKey(u upstream, base string, env func(string) string) (routing.Credential, string, error) {
	none := routing.Credential{Kind: routing.NoCredential}
	if p.cred == routing.NoCredential || (u.keyGiven && u.key == "") {
		return none, "", nil
	}
	if u.keyGiven {
		return routing.Credential{Kind: p.cred, Value: u.key}, "", nil
	}
	name, value := firstSet(env, p.keyEnv)
	own := p.needBase || hostOf(base) != hostOf(p.base)
	switch {
	case value == "" && !p.keyless && !own:
		return none, "", unusable(fmt.Sprintf("%s has no key: set api_key or %s", p.prefix, strings.Join(p.keyEnv, " or ")))
	case value == "":
		return none, "", nil
	case u.base != "" && own && !p.keyless:
		return routing.Credential{Kind: p.cred, Value: gateway.Secret(value)},
			fmt.Sprintf("%s is sent to %s; set api_key to choose another", name, hostOf(base)), nil
	default:
		return routing.Credential{Kind: p.cred, Value: gateway.Secret(value)}, "", nil
	}
}
