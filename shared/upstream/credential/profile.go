package credential

import (
	"bufio"
	"bytes"
	"path/filepath"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// maxSources is how many profiles may stand behind each other as source_profile.
const maxSources = 3

// readProfile replaces a profile's name by what the shared files say of it: a key, or a role and what it is assumed with (AWS's
// documentation on the shared config and credentials files, read 2026-11).
func readProfile(a routing.AWS) (routing.AWS, error) {
	sections := map[string]map[string]string{}
	found := false
	for _, path := range filepath.SplitList(a.ProfileFiles) {
		text, err := readFile(path)
		if err != nil {
			continue // either file is enough
		}
		found = true
		addProfiles(sections, text)
	}
	if !found {
		return a, invalid("the profile's files cannot be read")
	}
	profile := sections[a.Profile]
	role := routing.AWS{Region: a.Region, STS: a.STS, Role: profile["role_arn"]}
	role.RoleSession, role.ExternalID = profile["role_session_name"], profile["external_id"]
	role.Identity.File = profile["web_identity_token_file"]
	for range maxSources {
		if id := profile["aws_access_key_id"]; id != "" {
			role.KeyID = id
			role.Secret, role.Session = gateway.Secret(profile["aws_secret_access_key"]), gateway.Secret(profile["aws_session_token"])
		}
		source := profile["source_profile"]
		if role.KeyID != "" || source == "" {
			break
		}
		profile = sections[source]
	}
	if role.KeyID == "" && (role.Role == "" || role.Identity.File == "") {
		return a, invalid("profile %q has no key; single sign-on and credential_process are not supported", a.Profile)
	}
	return role, nil
}

// addProfiles reads a file. In one of the two files sections are called "profile NAME". What stands in an earlier file counts.
func addProfiles(into map[string]map[string]string, text []byte) {
	var section map[string]string
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if name, ok := strings.CutPrefix(line, "["); ok {
			name, _, _ = strings.Cut(name, "]")
			name = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(name), "profile "))
			if into[name] == nil {
				into[name] = map[string]string{}
			}
			section = into[name]
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if name = strings.ToLower(strings.TrimSpace(name)); !ok || section == nil || strings.HasPrefix(name, "#") || strings.HasPrefix(name, ";") {
			continue
		}
		if _, set := section[name]; !set {
			section[name] = strings.TrimSpace(value)
		}
	}
}
