package gemini

import "strings"

// free are fields under which names are the caller's own.
var free = map[string]bool{
	"args": true, "response": true, "properties": true, "parametersJsonSchema": true, "responseJsonSchema": true, "labels": true,
	"partMetadata": true, "default": true, "example": true,
}

// camel renames snake_case fields, which protobuf's JSON takes as well, to camelCase.
func camel(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = camel(v[i])
		}
	case map[string]any:
		renamed := make(map[string]any, len(v))
		for name, value := range v {
			name = camelName(name)
			switch {
			case name == "properties":
				value = camelEach(value)
			case !free[name]:
				value = camel(value)
			}
			renamed[name] = value
		}
		return renamed
	}
	return v
}

// camelEach renames inside each value of an object whose own names are the caller's.
func camelEach(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for name := range m {
		m[name] = camel(m[name])
	}
	return m
}

func camelName(name string) string {
	if strings.HasPrefix(name, "_") {
		return name
	}
	words := strings.Split(name, "_")
	for i, w := range words[1:] {
		if w != "" {
			words[i+1] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}
