package dialect

import (
	"errors"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Limits of fields that steer the gateway.
const (
	MaxModelBytes = 512
	MaxTokens     = 1 << 31 // of an output limit
)

// Fields that every dialect's body may have for the gateway, by position.
const (
	fModel = iota
	fStream
	fUser
	fSafetyIdentifier
	fMetadata
	fLiteLLMMetadata
	fTags
	fDropParams
	fForbidden // and all that follow
)

// forbidden fields would choose where a call goes or who pays for it: that is the owner's decision.
var forbidden = [...]string{
	"api_base", "base_url", "api_key", "api_version", "custom_llm_provider", "extra_headers", "user_config", "litellm_params",
}

// Steering is the number of fields that Look looks for besides a dialect's own.
const Steering = fForbidden + len(forbidden)

var steering = [Steering]string{"model", "stream", "user", "safety_identifier", "metadata", "litellm_metadata", "tags", "drop_params"}

func init() { copy(steering[fForbidden:], forbidden[:]) }

// Head is what of a body steers the gateway whatever the dialect, and the edits that an upstream's copy of it needs.
type Head struct {
	Model  jsonedit.Field
	Stream jsonedit.Field

	caller   [3]jsonedit.Field // user, safety_identifier, metadata
	ours     [4]jsonedit.Field // tags, litellm_metadata, drop_params, metadata: what is not for the provider
	metadata []byte            // what of the last one is
}

// Look scans a body: fields[Steering:] have the dialect's own names and are filled in. It reads model, stream (as both may stand in
// the path instead, hint comes first), user, tags and drop_params into r. The error is a gateway.Error that names the field.
func Look(r *Request, body []byte, fields []jsonedit.Field, hint Hint) (h Head, err error) {
	for i, name := range steering {
		fields[i].Name = name
	}
	if err := jsonedit.Scan(body, fields); err != nil {
		return h, syntaxError(err)
	}
	for i := fForbidden; i < Steering; i++ {
		if fields[i].Present() {
			e := gateway.Invalid(fields[i].Name, "%s is not allowed in a request: deployments are configured by the gateway's owner.", fields[i].Name)
			e.Code = "field_not_allowed"
			return h, e
		}
	}
	r.Body, r.N = body, 1
	h.Model, h.Stream = fields[fModel], fields[fStream]
	r.Model, r.Stream = hint.Model, hint.Stream
	if r.Model == "" {
		if r.Model, err = readModel(&h.Model); err != nil {
			return h, err
		}
	}
	if !r.Stream {
		if r.Stream, err = ReadBool(&h.Stream); err != nil {
			return h, err
		}
	}
	if f := &fields[fDropParams]; f.Given() {
		drop, err := ReadBool(f)
		if err != nil {
			return h, err
		}
		r.Drop = &drop
	}
	return h, h.readCounted(r, fields)
}

func syntaxError(err error) error {
	var fault *jsonedit.Error
	if !errors.As(err, &fault) {
		return gateway.Invalid("", "The body is not valid JSON.")
	}
	codes := map[jsonedit.Fault]string{
		jsonedit.Empty: "empty_body", jsonedit.TooDeep: "json_too_deep", jsonedit.NotObject: "invalid_type",
		jsonedit.Duplicate: "duplicate_key", jsonedit.BadUTF8: "invalid_utf8",
	}
	e := gateway.Invalid(fault.Field, "The body cannot be read: %v.", fault)
	if e.Code = codes[fault.Fault]; e.Code == "" {
		e.Code = "invalid_json"
	}
	return e
}

func readModel(f *jsonedit.Field) (string, error) {
	model, ok := f.Text()
	switch {
	case !f.Given():
		return "", gateway.Invalid("model", "model is required.")
	case !ok:
		return "", WrongType(f, "a string")
	case model == "" || len(model) > MaxModelBytes:
		return "", gateway.Invalid("model", "model must have 1 to %d bytes.", MaxModelBytes)
	}
	return model, nil
}

// ReadBool reads true or false; an absent field is false.
func ReadBool(f *jsonedit.Field) (bool, error) {
	if !f.Given() {
		return false, nil
	}
	is, ok := f.Bool()
	if !ok {
		return false, WrongType(f, "true or false")
	}
	return is, nil
}

// ReadCount reads a whole number from 1 to most; an absent field is 0.
func ReadCount(f *jsonedit.Field, most int64) (int64, error) {
	if !f.Given() {
		return 0, nil
	}
	n, ok := f.Int()
	switch {
	case f.Kind != jsonedit.Number:
		return 0, WrongType(f, "a whole number")
	case !ok || n < 1 || n > most:
		return 0, gateway.Invalid(f.Name, "%s must be a whole number from 1 to %d.", f.Name, most)
	}
	return n, nil
}

// WrongType is the error for a field that has another JSON type.
func WrongType(f *jsonedit.Field, want string) error {
	e := gateway.Invalid(f.Name, "%s must be %s, not %s.", f.Name, want, strings.ToLower(f.Kind.String()))
	e.Code = "invalid_type"
	return e
}

// Within looks for fields of an object that is a field's value.
func Within(object *jsonedit.Field, fields []jsonedit.Field) {
	if object.Kind == jsonedit.Object {
		jsonedit.Find(object.Raw, fields)
	}
}
