package chat

import (
	"bytes"
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Limits of what a caller says about whom a call is for.
const (
	maxTags     = 32
	maxTagBytes = 256
)

// readCounted finds under whom a call counts: whom its caller serves, and tags. The fields that are LiteLLM's and not OpenAI's are
// for the gateway, and do not go further.
func (r *Request) readCounted(fields []jsonedit.Field) error {
	var metadata, own [2]jsonedit.Field // tags, user_id or user
	metadata[0].Name, metadata[1].Name = "tags", "user_id"
	own[0].Name, own[1].Name = "tags", "user"
	within(&fields[fMetadata], metadata[:])
	within(&fields[fLiteLLMMetadata], own[:])
	for _, f := range [...]*jsonedit.Field{&fields[fUser], &own[1], &metadata[1], &fields[fSafetyIdentifier]} {
		if !f.Given() || r.User != "" {
			continue
		}
		var ok bool
		if r.User, ok = f.Text(); !ok && f == &fields[fUser] {
			return wrongType(f, "a string")
		}
	}
	for _, f := range [...]*jsonedit.Field{&fields[fTags], &metadata[0], &own[0]} {
		if err := r.addTags(f); err != nil {
			return err
		}
	}
	r.ours = [...]jsonedit.Field{fields[fTags], fields[fLiteLLMMetadata], fields[fMetadata]}
	if metadata[0].Present() {
		rest := jsonedit.Replace(nil, fields[fMetadata].Raw, metadata[0].Delete(), metadata[1].Delete())
		if !isEmptyObject(rest) {
			r.metadata = rest
		}
	} else {
		r.ours[2] = jsonedit.Field{} // it is the provider's
	}
	return nil
}

// within looks for fields of an object that is a field's value.
func within(object *jsonedit.Field, fields []jsonedit.Field) {
	if object.Kind == jsonedit.Object {
		jsonedit.Find(object.Raw, fields)
	}
}

func isEmptyObject(raw []byte) bool {
	return len(raw) < 2 || len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0
}

func (r *Request) addTags(f *jsonedit.Field) error {
	if !f.Given() {
		return nil
	}
	var tags []string
	if json.Unmarshal(f.Raw, &tags) != nil {
		return wrongType(f, "a list of strings")
	}
	r.Tags = append(r.Tags, tags...)
	return CheckTags(f.Name, r.Tags)
}

// CheckTags tells whether there are too many tags, or too long ones.
func CheckTags(field string, tags []string) error {
	if len(tags) > maxTags {
		return gateway.Invalid(field, "%s must be at most %d.", field, maxTags)
	}
	for _, tag := range tags {
		if tag == "" || len(tag) > maxTagBytes {
			return gateway.Invalid(field, "each of %s must have 1 to %d bytes.", field, maxTagBytes)
		}
	}
	return nil
}

// stripped adds the edits that take out what is for the gateway alone.
func (r *Request) stripped(edits []jsonedit.Edit) []jsonedit.Edit {
	for i := range r.ours {
		switch f := &r.ours[i]; {
		case !f.Present():
		case i == len(r.ours)-1 && r.metadata != nil:
			edits = append(edits, f.Set(r.metadata))
		default:
			edits = append(edits, f.Delete())
		}
	}
	return edits
}

// prompts is how many there are in a list: each is answered.
func prompts(f *jsonedit.Field) int64 {
	var list []json.RawMessage
	if f.Kind != jsonedit.Array || json.Unmarshal(f.Raw, &list) != nil || len(list) == 0 {
		return 1
	}
	if c := list[0][0]; c != '"' && c != '[' {
		return 1 // one prompt, as tokens
	}
	return int64(len(list))
}
