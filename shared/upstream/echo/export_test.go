package echo

import (
	"fmt"
	"strings"
)

var Fill = fill

// Tables are those of docs/echo.md.
func Tables() string {
	var b strings.Builder
	b.WriteString("| Marker | Behind its name | What echo does | Example |\n|---|---|---|---|\n")
	for i := range markers {
		m := &markers[i]
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", m.name, m.argument, m.what, m.example)
	}
	b.WriteString("\nErrors that have a code or more:\n\n| Name | Status | Type | Code | Retry-After |\n|---|---|---|---|---|\n")
	var others []string
	for i := range fatal {
		f := &fatal[i]
		if f.code == "" && f.retry == 0 {
			others = append(others, fmt.Sprintf("%s `%s`", f.name, f.kind))
			continue
		}
		retry := ""
		if f.retry > 0 {
			retry = fmt.Sprint(f.retry)
		}
		fmt.Fprintf(&b, "| `%s` | %d | `%s` | `%s` | %s |\n", f.name, f.status, f.kind, f.code, retry)
	}
	b.WriteString("\nThose with a type alone: " + strings.Join(others, ", ") + ".\n")
	return b.String()
}

// Shown has the example of every marker.
func Shown() map[string]string {
	out := map[string]string{}
	for i := range markers {
		out[markers[i].name] = markers[i].example
	}
	return out
}
