package dialect

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

// readCounted finds under whom a call counts: whom its caller serves, and tags. The fields that are LiteLLM's and not the dialect's are
// for the gateway, and do not go further.
func (h *Head) readCounted(r *Request, fields []jsonedit.Field) error {
	var metadata, own [2]jsonedit.Field // tags, user_id or user
	metadata[0].Name, metadata[1].Name = "tags", "user_id"
	own[0].Name, own[1].Name = "tags", "user"
	Within(&fields[fMetadata], metadata[:])
	Within(&fields[fLiteLLMMetadata], own[:])
	for _, f := range [...]*jsonedit.Field{&fields[fUser], &own[1], &metadata[1], &fields[fSafetyIdentifier]} {
		if !f.Given() || r.User != "" {
			continue
		}
		var ok bool
		if r.User, ok = f.Text(); !ok && f == &fields[fUser] {
			return WrongType(f, "a string")
		}
	}
	for _, f := range [...]*jsonedit.Field{&fields[fTags], &metadata[0], &own[0]} {
		if err := addTags(r, f); err != nil {
			return err
		}
	}
	h.caller = [...]jsonedit.Field{fields[fUser], fields[fSafetyIdentifier], fields[fMetadata]}
	h.ours = [...]jsonedit.Field{fields[fTags], fields[fLiteLLMMetadata], fields[fDropParams], fields[fMetadata]}
	if !metadata[0].Present() {
		h.ours[len(h.ours)-1] = jsonedit.Field{} // it is the provider's
		return nil
	}
	edits := []jsonedit.Edit{metadata[0].Delete()}
	if r.Op != gateway.OpMessages {
		edits = append(edits, metadata[1].Delete()) // LiteLLM's, too; but for Anthropic's dialect, which has it itself
	}
	if rest := jsonedit.Replace(nil, fields[fMetadata].Raw, edits...); !isEmptyObject(rest) {
		h.metadata = rest
	}
	return nil
}

func isEmptyObject(raw []byte) bool {
	return len(raw) < 2 || len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0
}

func addTags(r *Request, f *jsonedit.Field) error {
	if !f.Given() {
		return nil
	}
	var tags []string
	if json.Unmarshal(f.Raw, &tags) != nil {
		return WrongType(f, "a list of strings")
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

// StripCaller adds the edits that take out what Strip does, and who the caller is and serves: for a dialect that has no place for these.
func (h *Head) StripCaller(edits []jsonedit.Edit) []jsonedit.Edit {
	for i := range h.ours[:len(h.ours)-1] {
		if h.ours[i].Present() {
			edits = append(edits, h.ours[i].Delete())
		}
	}
	for i := range h.caller {
		if h.caller[i].Present() {
			edits = append(edits, h.caller[i].Delete())
		}
	}
	return edits
}

// Strip adds the edits that take out what is for the gateway alone.
func (h *Head) Strip(edits []jsonedit.Edit) []jsonedit.Edit {
	for i := range h.ours {
		switch f := &h.ours[i]; {
		case !f.Present():
		case i == len(h.ours)-1 && h.metadata != nil:
			edits = append(edits, f.Set(h.metadata))
		default:
			edits = append(edits, f.Delete())
		}
	}
	return edits
}
