package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Warning is something in a config that has no effect, or not the expected one. Line is 0 when there is none.
type Warning struct {
	File    string
	Line    int
	Message string
}

func (w Warning) String() string {
	switch {
	case w.File == "":
		return w.Message
	case w.Line == 0:
		return w.File + ": " + w.Message
	default:
		return fmt.Sprintf("%s:%d: %s", w.File, w.Line, w.Message)
	}
}

// reader walks a YAML tree and remembers what to tell about it. It decodes by hand, because the library's own type errors
// quote the value, and the value may be a secret.
type reader struct {
	file     string
	env      func(string) string
	warnings []Warning
	told     map[string]bool
	merges   int
}

// entry is one key of a mapping with its value; val is nil when the key is absent or null.
type entry struct {
	path string
	line int
	val  *yaml.Node
}

const (
	maxDepth  = 8    // how deep << may nest
	maxMerges = 1000 // how many << a file may need: each may name many, and those again
	envMark   = "os.environ/"
)

func (r *reader) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", r.file, line, fmt.Sprintf(format, args...))
}

func (r *reader) warn(line int, format string, args ...any) {
	r.warnings = append(r.warnings, Warning{r.file, line, fmt.Sprintf(format, args...)})
}

// warnOnce is for what stands in every row of a long list.
func (r *reader) warnOnce(line int, message string) {
	if !r.told[message] {
		r.told[message] = true
		r.warn(line, "%s", message)
	}
}

var (
	syntaxError = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)
	quoted      = regexp.MustCompile(`'[^' ]{2,}'`) // text of the file; one character is the library's own: expected ']'
)

// parse returns the document's root mapping, nil for an empty document.
func (r *reader) parse(data []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, r.syntax(err)
	}
	if len(doc.Content) == 0 || isNull(deref(doc.Content[0])) {
		return nil, nil
	}
	return doc.Content[0], nil
}

// syntax turns the library's message into ours, without what it quotes of the file.
func (r *reader) syntax(err error) error {
	message, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := syntaxError.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = m[2]
	}
	return r.errorf(line, "broken YAML: %s", quoted.ReplaceAllString(message, "(...)"))
}

func deref(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n == nil || (n.Kind == yaml.ScalarNode && n.Tag == "!!null") }

// fields lists a mapping's keys in order, those merged by << last. A key given twice is an error: which one counts would
// be a guess.
func (r *reader) fields(path string, n *yaml.Node) ([]entry, error) {
	return r.merged(path, n, 0)
}

func (r *reader) merged(path string, n *yaml.Node, depth int) ([]entry, error) {
	n = deref(n)
	if isNull(n) {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, r.errorf(n.Line, "%s must be a mapping", cmp.Or(path, "the file"))
	}
	if depth > 0 {
		r.merges++
	}
	if depth > maxDepth || r.merges > maxMerges {
		return nil, r.errorf(n.Line, "too many << in each other")
	}
	var out, late []entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := deref(n.Content[i]), deref(n.Content[i+1])
		if key.Kind != yaml.ScalarNode {
			return nil, r.errorf(key.Line, "%s has a key that is no text", path)
		}
		if key.Tag == "!!merge" {
			more, err := r.mergeKey(path, val, depth)
			if err != nil {
				return nil, err
			}
			late = append(late, more...)
			continue
		}
		if seen[key.Value] {
			return nil, r.errorf(key.Line, "%s is given twice", join(path, key.Value))
		}
		seen[key.Value] = true
		out = append(out, entry{join(path, key.Value), key.Line, val})
	}
	for _, f := range late {
		if name := f.path[len(path):]; !seen[strings.TrimPrefix(name, ".")] {
			seen[strings.TrimPrefix(name, ".")] = true
			out = append(out, f)
		}
	}
	return out, nil
}

// mergeKey is the value of <<: one mapping, or a list of them.
func (r *reader) mergeKey(path string, val *yaml.Node, depth int) ([]entry, error) {
	if val.Kind != yaml.SequenceNode {
		return r.merged(path, val, depth+1)
	}
	var out []entry
	for _, item := range val.Content {
		more, err := r.merged(path, item, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// text reads a string and follows "os.environ/NAME". ok is false when the field is absent or null; an unset variable is
// errUnset.
func (r *reader) text(f entry) (s string, ok bool, err error) {
	if isNull(f.val) {
		return "", false, nil
	}
	if f.val.Kind != yaml.ScalarNode || f.val.Tag != "!!str" {
		return "", false, r.errorf(f.val.Line, "%s must be text, not %s", f.path, kindOf(f.val))
	}
	return r.follow(f)
}

func (r *reader) follow(f entry) (string, bool, error) {
	name, indirect := strings.CutPrefix(f.val.Value, envMark)
	if !indirect {
		return f.val.Value, true, nil
	}
	if v := r.env(name); v != "" {
		return v, true, nil
	}
	return "", false, &unset{f.path, name, f.val.Line}
}

// unset says that a variable which the config names has no value.
type unset struct {
	path, name string
	line       int
}

func (u *unset) Error() string {
	return fmt.Sprintf("%s: environment variable %s is not set", u.path, u.name)
}

// warnUnset turns an unset variable into a warning and reports whether err was one.
func (r *reader) warnUnset(err error, consequence string) bool {
	var u *unset
	if !errors.As(err, &u) {
		return false
	}
	r.warn(u.line, "%s; %s", u, consequence)
	return true
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!int" || n.Tag == "!!float":
		return "a number (put it in quotes)"
	case n.Tag == "!!bool":
		return "true or false"
	default:
		return strings.TrimPrefix(n.Tag, "!!")
	}
}
