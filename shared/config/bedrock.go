package config

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

var (
	awsRegion  = regexp.MustCompile(`^[a-z]{2,3}(-[a-z]+)+-[0-9]+$`)
	regionVars = []string{"AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"}
	// bedrockRoutes are LiteLLM's words for how a model is called. All are called by Converse here.
	bedrockRoutes = []string{"converse/", "converse_like/", "invoke/"}
	// bedrockStarts are what the names of models begin with that Converse does not serve, and LiteLLM's routes.
	bedrockStarts = []string{
		"amazon.titan-embed", "cohere.embed", "us.cohere.embed", "eu.cohere.embed", "global.cohere.embed", "converse/", "invoke/",
	}
	converse    = []gateway.Op{gateway.OpConverse}
	titanEmbed  = []gateway.Op{gateway.OpTitanEmbed}
	cohereEmbed = []gateway.Op{gateway.OpCohereEmbed}
)

// bedrock makes a deployment of Amazon Bedrock, with a signature or an API key of its own (AWS's documentation, read 2026-11). A model
// is an id, an inference profile or an ARN, maybe with LiteLLM's route or region in front.
func bedrock(p provider, u upstream, vendor string, env lookup) ([]routing.Deployment, []string, error) {
	d := p.deployment(u, vendor)
	inName := trimBedrock(&d)
	if id := strings.TrimSpace(u.params["model_id"]); id != "" && !strings.HasSuffix(vendor, "*") {
		d.PriceAs, d.VendorModel = d.VendorModel, id
	}
	if parts := strings.Split(d.VendorModel, ":"); inName == "" && parts[0] == "arn" && len(parts) > 5 {
		inName = parts[3]
	}
	d.Region = u.param(env, "aws_region_name")
	if d.Region == "" {
		d.Region = inName
	}
	if d.Region == "" {
		d.Region = u.param(env, "region_name", regionVars...)
	}
	var err error
	if d.Credential, err = p.awsKey(u, d.Region, env); err != nil {
		return nil, nil, err
	}
	var notes []string
	if d.BaseURL, notes, err = p.bedrockBase(u, d.Region, env); err != nil {
		return nil, nil, err
	}
	return spread(d, bedrockStarts, bedrockShape), notes, nil
}

// trimBedrock takes routes and a region off a model's name, and returns the region.
func trimBedrock(d *routing.Deployment) (region string) {
	for _, route := range bedrockRoutes {
		d.VendorModel = strings.TrimPrefix(d.VendorModel, route)
	}
	if first, rest, found := strings.Cut(d.VendorModel, "/"); found && awsRegion.MatchString(first) {
		region, d.VendorModel = first, rest
	}
	return region
}

// bedrockShape sets what depends on the model.
func bedrockShape(d *routing.Deployment) {
	trimBedrock(d)
	name := strings.ToLower(d.PriceAs + " " + d.VendorModel)
	switch {
	case strings.Contains(name, "titan-embed"):
		d.Speaks = titanEmbed
	case strings.Contains(name, "cohere.embed"):
		d.Speaks = cohereEmbed
	default:
		d.Speaks = converse
	}
}

func (p provider) bedrockBase(u upstream, region string, env lookup) (string, []string, error) {
	if !awsRegion.MatchString(region) {
		return "", nil, unusable("bedrock needs aws_region_name or " + strings.Join(regionVars, ", ") + ": a region such as us-east-1")
	}
	source, given := "api_base", u.base
	if given == "" {
		source, given = "aws_bedrock_runtime_endpoint", u.param(env, "aws_bedrock_runtime_endpoint", "AWS_BEDROCK_RUNTIME_ENDPOINT")
	}
	if given != "" {
		return p.cleanBase(source, given)
	}
	base := "https://bedrock-runtime." + region + ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		base += ".cn" // China is a cloud of its own
	}
	return base, nil, nil
}

// errNoAWS is what is missing where nothing says how to sign.
var errNoAWS = unusable("bedrock has no credential: set api_key, AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, " +
	"AWS_PROFILE, or AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE")

// awsKey picks the credential: what was written, else an API key of Bedrock's, else what the environment has for signing.
func (p provider) awsKey(u upstream, region string, env lookup) (routing.Credential, error) {
	written := false
	for _, name := range []string{"aws_access_key_id", "aws_role_name", "aws_profile_name", "aws_web_identity_token"} {
		written = written || u.params[name] != ""
	}
	_, key := firstSet(env, p.keyEnv)
	switch {
	case u.keyGiven && u.key == "" || u.sends(routing.Bearer):
		return routing.Credential{Kind: routing.NoCredential}, nil
	case u.keyGiven:
		return routing.Credential{Kind: routing.Bearer, Value: u.key}, nil
	case !written && key != "":
		return routing.Credential{Kind: routing.Bearer, Value: gateway.Secret(key)}, nil
	}
	a, err := awsSigner(u, env)
	a.Region = region
	return routing.Credential{Kind: routing.SigV4, AWS: a}, err
}

// awsSigner says with what requests are signed.
func awsSigner(u upstream, env lookup) (a routing.AWS, err error) {
	a = routing.AWS{
		Role:        u.param(env, "aws_role_name", "AWS_ROLE_NAME", "AWS_ROLE_ARN"),
		RoleSession: u.param(env, "aws_session_name", "AWS_SESSION_NAME", "AWS_ROLE_SESSION_NAME"),
		ExternalID:  u.param(env, "aws_external_id", "AWS_EXTERNAL_ID"),
	}
	if sts := u.param(env, "aws_sts_endpoint", "AWS_STS_ENDPOINT"); sts != "" {
		if a.STS, _, err = CleanBase(sts); err != nil {
			return a, errors.New(strings.Replace(err.Error(), "api_base", "aws_sts_endpoint", 1))
		}
	}
	web := u.param(env, "aws_web_identity_token", "AWS_WEB_IDENTITY_TOKEN")
	file := u.param(env, "", "AWS_WEB_IDENTITY_TOKEN_FILE")
	switch {
	case u.params["aws_access_key_id"] != "":
		a.KeyID, a.Role = u.params["aws_access_key_id"], u.params["aws_role_name"]
		a.Secret, a.Session = gateway.Secret(u.params["aws_secret_access_key"]), gateway.Secret(u.params["aws_session_token"])
	case web != "" && a.Role != "":
		a.Identity, err = identity("aws_web_identity_token", web, env)
	case u.params["aws_profile_name"] != "":
		a.Profile, a.Role = u.params["aws_profile_name"], u.params["aws_role_name"]
	case env("AWS_ACCESS_KEY_ID") != "":
		a.KeyID = env("AWS_ACCESS_KEY_ID")
		a.Secret, a.Session = gateway.Secret(env("AWS_SECRET_ACCESS_KEY")), gateway.Secret(env("AWS_SESSION_TOKEN"))
	case file != "" && a.Role != "":
		a.Identity.File = file
	default:
		return awsMachine(a, u, env)
	}
	if err == nil && a.KeyID != "" && a.Secret == "" {
		err = unusable("bedrock has an access key without aws_secret_access_key")
	}
	return filledProfile(a, env), err
}

// awsMachine is what a machine has of itself: a profile, or on Cloud Run an identity of Google's that a role may trust.
func awsMachine(a routing.AWS, u upstream, env lookup) (routing.AWS, error) {
	a.Profile = u.param(env, "", "AWS_PROFILE_NAME", "AWS_PROFILE")
	if a.Profile == "" && home(env, ".aws", "credentials") != "" {
		a.Profile = "default"
	}
	switch {
	case a.Profile != "":
		return filledProfile(a, env), nil
	case a.Role != "" && env("K_SERVICE") != "":
		a.Identity.Audience = "sts.amazonaws.com"
		return a, nil
	default:
		return a, errNoAWS
	}
}

// filledProfile says where the profile's files are.
func filledProfile(a routing.AWS, env lookup) routing.AWS {
	if a.Profile == "" {
		return a
	}
	var files []string
	for _, f := range []struct{ variable, name string }{{"AWS_SHARED_CREDENTIALS_FILE", "credentials"}, {"AWS_CONFIG_FILE", "config"}} {
		if path := env(f.variable); path != "" {
			files = append(files, path)
		} else if folder := env("HOME"); folder != "" {
			files = append(files, filepath.Join(folder, ".aws", f.name))
		}
	}
	a.ProfileFiles = strings.Join(files, string(filepath.ListSeparator))
	return a
}

func bedrockReady(p provider, env lookup) bool {
	_, region := firstSet(env, regionVars)
	_, key := firstSet(env, p.keyEnv)
	_, signer := firstSet(env, []string{
		"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_PROFILE_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN",
	})
	if region == "" || key == "" && signer == "" {
		return false
	}
	_, err := p.awsKey(upstream{}, region, env)
	return err == nil
}
