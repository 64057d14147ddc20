package config

import (
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// params are the litellm_params that only some providers read, with the group that they belong to.
var params = map[string]string{
	"organization": "openai",

	"api_version": "azure", "azure_ad_token": "azure", "azure_scope": "azure",
	"tenant_id": "azure", "client_id": "azure", "client_secret": "azure",

	"aws_region_name": "aws", "region_name": "aws", "aws_access_key_id": "aws", "aws_secret_access_key": "aws", "aws_session_token": "aws",
	"aws_role_name": "aws", "aws_session_name": "aws", "aws_external_id": "aws", "aws_web_identity_token": "aws", "aws_profile_name": "aws",
	"aws_sts_endpoint": "aws", "aws_bedrock_runtime_endpoint": "aws", "model_id": "aws",

	"vertex_project": "vertex", "vertex_location": "vertex", "vertex_credentials": "vertex",
	"vertex_ai_project": "vertex", "vertex_ai_location": "vertex", "vertex_ai_credentials": "vertex",
}

// param reads one of them. Credentials may be written as a mapping.
func (r *reader) param(w *row, name string, f entry) (err error) {
	if w.up.params == nil {
		w.up.params = map[string]string{}
	}
	if strings.HasSuffix(name, "_credentials") && f.val != nil && f.val.Kind == yaml.MappingNode {
		text, err := r.json(f)
		w.up.params[name] = string(text)
		return err
	}
	if f.val != nil && f.val.Tag == "!!timestamp" { // versions of APIs look like dates
		w.up.params[name] = f.val.Value
		return nil
	}
	w.up.params[name], _, err = r.text(f)
	return err
}

// unsendable are headers that are about the connection or the body, and not the owner's to set.
var unsendable = []string{
	"Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Expect", "Host", "Keep-Alive", "Proxy-Authenticate",
	"Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// extraHeaders reads headers that the owner adds. They are sorted, so that a file's order does not matter.
func (r *reader) extraHeaders(w *row, sec entry) error {
	fields, err := r.fields(sec.path, sec.val)
	if err != nil {
		return err
	}
	for _, f := range fields {
		name := strings.TrimPrefix(f.path, sec.path+".")
		if isNull(f.val) {
			continue
		}
		value, err := r.scalar(f, "!!int", "!!float", "!!bool")
		switch {
		case err != nil:
			return err
		case !headerName.MatchString(name):
			return r.errorf(f.line, "%s has a name that is none of a header", sec.path)
		case strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
			return r.errorf(f.line, "%s has control characters in it", f.path)
		case slices.Contains(unsendable, http.CanonicalHeaderKey(name)):
			r.warn(f.line, "%s is not sent: the gateway sets this header itself", f.path)
		default:
			w.up.headers = append(w.up.headers, routing.Header{Name: http.CanonicalHeaderKey(name), Value: gateway.Secret(value)})
		}
	}
	slices.SortStableFunc(w.up.headers, func(a, b routing.Header) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// texts reads a list of texts.
func (r *reader) texts(sec entry) (list []string, err error) {
	if isNull(sec.val) {
		return nil, nil
	}
	if sec.val.Kind != yaml.SequenceNode {
		return nil, r.errorf(sec.val.Line, "%s must be a list, not %s", sec.path, kindOf(sec.val))
	}
	for _, item := range sec.val.Content {
		text, ok, err := r.text(entry{sec.path, item.Line, deref(item)})
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, text)
		}
	}
	return list, nil
}

// truth reads true or false; nil if neither is there.
func (r *reader) truth(f entry) (*bool, error) {
	if isNull(f.val) {
		return nil, nil
	}
	text, err := r.scalar(f, "!!bool")
	if err != nil {
		return nil, err
	}
	is := strings.EqualFold(text, "true")
	if !is && !strings.EqualFold(text, "false") {
		return nil, r.errorf(f.line, "%s must be true or false", f.path)
	}
	return &is, nil
}
