package converse

import "strings"

// route is where a model is called, below https://bedrock-runtime.{region}.amazonaws.com.
func route(model string, stream bool) string {
	end := "/converse"
	if stream {
		end = "/converse-stream"
	}
	return "/model/" + escape(modelID(model)) + end
}

// modelID takes off what LiteLLM's model names say of the route.
func modelID(model string) string {
	for _, prefix := range [...]string{"converse/", "invoke/"} {
		model = strings.TrimPrefix(model, prefix)
	}
	return model
}

// escape writes an id as one segment of a path as AWS SDKs do: all but unreserved characters, so also the : and / of ARNs. A signer
// escapes the path once more for the canonical request, and both must agree.
func escape(id string) string {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(id)+16)
	for i := range len(id) {
		if c := id[i]; isUnreserved(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(out)
}

func isUnreserved(c byte) bool {
	return isAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~'
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// baseModel is a model's own name in an id: what is behind the region group of an inference profile (us., eu., apac., global. ...),
// or what an ARN ends with. An ARN of an application inference profile or of provisioned throughput names no model.
func baseModel(model string) string {
	id := modelID(model)
	if strings.HasPrefix(id, "arn:") {
		id = id[strings.LastIndexByte(id, '/')+1:]
	}
	id = strings.ToLower(id)
	if group, rest, found := strings.Cut(id, "."); found && strings.IndexByte(rest, '.') > 0 && !isMaker(group) {
		return rest
	}
	return id
}

// isMaker reports whether a first word names the maker of models, not a group of regions.
func isMaker(word string) bool {
	for i := range families {
		if maker, _, _ := strings.Cut(families[i].prefix, "."); maker == word {
			return true
		}
	}
	return false
}
