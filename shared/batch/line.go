package batch

import (
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Lengths in bytes that ledger entries and indexes can carry.
const (
	maxCustomID = 512
	maxModel    = 256
)

// ops are the endpoints that a batch can have.
var ops = map[string]gateway.Op{
	"/v1/chat/completions": gateway.OpChat,
	"/v1/completions":      gateway.OpCompletions,
	"/v1/embeddings":       gateway.OpEmbeddings,
}

// request is a line's content.
type request struct {
	CustomID string
	Model    string
	Body     []byte // aliases the line
}

// parse reads a line of a batch with the endpoint, or says what is wrong with it.
func parse(data []byte, endpoint string) (request, *fault) {
	fields := [...]jsonedit.Field{{Name: "custom_id"}, {Name: "method"}, {Name: "url"}, {Name: "body"}}
	if err := jsonedit.Scan(data, fields[:]); err != nil {
		return request{}, jsonFault(err)
	}
	customID, method, url, body := &fields[0], &fields[1], &fields[2], &fields[3]
	r := request{Body: body.Raw}
	var f *fault
	if r.CustomID, f = text(customID, "custom_id", maxCustomID); f != nil {
		return r, f
	}
	switch m, f := text(method, "method", 16); {
	case f != nil:
		return r, f
	case m != "POST":
		return r, &fault{Code: "invalid_method", Param: "method", Message: "The method must be POST."}
	}
	switch u, f := text(url, "url", 1024); {
	case f != nil:
		return r, f
	case u != endpoint:
		return r, &fault{Code: "url_mismatch", Param: "url", Message: fmt.Sprintf("The url must equal the batch's endpoint, %s.", endpoint)}
	}
	switch {
	case !body.Given():
		return r, missing("body")
	case body.Kind != jsonedit.Object:
		return r, &fault{Code: "invalid_request", Param: "body", Message: "The body must be an object, not " + body.Kind.String() + "."}
	}
	r.Model, f = parseBody(r.Body)
	return r, f
}

// parseBody returns the body's model.
func parseBody(body []byte) (model string, f *fault) {
	fields := [...]jsonedit.Field{{Name: "model"}, {Name: "stream"}}
	if err := jsonedit.Scan(body, fields[:]); err != nil {
		f := jsonFault(err)
		f.Param = "body"
		return "", f
	}
	if model, f = text(&fields[0], "body.model", maxModel); f != nil {
		return "", f
	}
	stream := &fields[1]
	if on, isBool := stream.Bool(); stream.Given() && (on || !isBool) {
		return "", &fault{Code: "invalid_request", Param: "body.stream", Message: "Streaming is not possible in a batch."}
	}
	return model, nil
}

// text is a string that must be there.
func text(field *jsonedit.Field, param string, most int) (string, *fault) {
	if !field.Given() {
		return "", missing(param)
	}
	s, ok := field.Text()
	switch {
	case !ok:
		return "", &fault{Code: "invalid_request", Param: param, Message: param + " must be a string, not " + field.Kind.String() + "."}
	case s == "":
		return "", missing(param)
	case len(s) > most:
		return "", &fault{Code: "invalid_request", Param: param, Message: fmt.Sprintf("%s is longer than %d bytes.", param, most)}
	}
	return s, nil
}

func missing(param string) *fault {
	return &fault{Code: "missing_required_parameter", Param: param, Message: "Missing required parameter: " + param + "."}
}

// jsonFault is the fault of a text that is no JSON object or gives a field of ours twice.
func jsonFault(err error) *fault {
	var e *jsonedit.Error
	if errors.As(err, &e) && e.Fault == jsonedit.Duplicate {
		return &fault{Code: "invalid_request", Param: e.Field, Message: fmt.Sprintf("The field %q is given twice.", e.Field)}
	}
	return &fault{Code: "invalid_json_line", Message: "This line is not parseable as valid JSON: " + err.Error() + "."}
}
