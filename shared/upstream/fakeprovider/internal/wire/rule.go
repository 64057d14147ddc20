package wire

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Path leads to a value of a request: names and indexes.
type Path []any

// Dots writes a path as messages.0.content.
func (p Path) Dots() string {
	return strings.ReplaceAll(strings.ReplaceAll(p.Brackets(), "[", "."), "]", "")
}

// Brackets writes a path as messages[0].content.
func (p Path) Brackets() string {
	var b strings.Builder
	for i, step := range p {
		switch s := step.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(s) + "]")
		case string:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s)
		}
	}
	return b.String()
}

func (p Path) to(step any) Path { return append(p[:len(p):len(p)], step) }

// Fault is the first thing that a request gets wrong.
type Fault struct {
	At      Path
	Unknown bool   // a field that there is not
	Missing bool   // a field that there must be
	Want    string // else: what the value should be
}

// Rule says what is wrong with a value, or nil. Null is as good as absent wherever a field may be absent.
type Rule func(at Path, v any) *Fault

// Fields maps the names of an object's fields to their rules. A name that ends in ! must be there.
type Fields map[string]Rule

func (f Fields) with(more Fields) Fields {
	all := maps.Clone(f)
	maps.Copy(all, more)
	return all
}

// With is f and more.
func (f Fields) With(more Fields) Fields { return f.with(more) }

// Closed is an object with no other fields than these.
func Closed(fields Fields) Rule { return object(fields, true) }

// Open is an object that may have other fields.
func Open(fields Fields) Rule { return object(fields, false) }

func object(fields Fields, closed bool) Rule {
	rules := make(map[string]Rule, len(fields))
	var names, required []string
	for name, rule := range fields {
		short, must := strings.CutSuffix(name, "!")
		if must {
			required = append(required, short)
		}
		rules[short] = rule
		names = append(names, short)
	}
	slices.Sort(names)
	slices.Sort(required)
	return func(at Path, v any) *Fault {
		m, ok := v.(map[string]any)
		if !ok {
			return &Fault{At: at, Want: "an object"}
		}
		for _, name := range required {
			if m[name] == nil {
				return &Fault{At: at.to(name), Missing: true}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(m)) {
			rule := rules[name]
			if rule == nil && closed && !slices.Contains(names, name) {
				return &Fault{At: at.to(name), Unknown: true}
			}
			if rule == nil || m[name] == nil {
				continue
			}
			if f := rule(at.to(name), m[name]); f != nil {
				return f
			}
		}
		return nil
	}
}

// Tagged is an object whose field tag says which rule is for it.
func Tagged(tag string, kinds map[string]Rule) Rule {
	return func(at Path, v any) *Fault {
		m, ok := v.(map[string]any)
		if !ok {
			return &Fault{At: at, Want: "an object"}
		}
		kind, ok := m[tag].(string)
		if !ok {
			return &Fault{At: at.to(tag), Missing: true}
		}
		rule, ok := kinds[kind]
		if !ok {
			return &Fault{At: at.to(tag), Want: oneOf(slices.Sorted(maps.Keys(kinds)))}
		}
		return rule(at, v)
	}
}

// Union is an object with exactly one of the fields kinds, and any of the fields beside.
func Union(kinds, beside Fields) Rule {
	closed := Closed(kinds.with(beside))
	return func(at Path, v any) *Fault {
		if f := closed(at, v); f != nil {
			return f
		}
		given := 0
		for name := range v.(map[string]any) {
			if kinds[name] != nil {
				given++
			}
		}
		if given != 1 {
			return &Fault{At: at, Want: "exactly one of " + strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")}
		}
		return nil
	}
}

// List is an array of low or more values.
func List(low int, element Rule) Rule {
	return func(at Path, v any) *Fault {
		list, ok := v.([]any)
		if !ok {
			return &Fault{At: at, Want: "an array"}
		}
		if len(list) < low {
			return &Fault{At: at, Want: "an array with at least " + strconv.Itoa(low) + " elements"}
		}
		for i, e := range list {
			if f := element(at.to(i), e); f != nil {
				return f
			}
		}
		return nil
	}
}

// MapOf is an object with any names and one rule for all values.
func MapOf(element Rule) Rule {
	return func(at Path, v any) *Fault {
		m, ok := v.(map[string]any)
		if !ok {
			return &Fault{At: at, Want: "an object"}
		}
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if f := element(at.to(name), m[name]); f != nil {
				return f
			}
		}
		return nil
	}
}

// Either is good if one of the rules is; the last one's complaint counts.
func Either(rules ...Rule) Rule {
	return func(at Path, v any) (f *Fault) {
		for _, rule := range rules {
			if f = rule(at, v); f == nil {
				return nil
			}
		}
		return f
	}
}

// TextOr is a string or what the rule wants.
func TextOr(rule Rule) Rule {
	return func(at Path, v any) *Fault {
		if _, ok := v.(string); ok {
			return nil
		}
		return rule(at, v)
	}
}

// Is wants a value for which good holds.
func Is[T any](want string, good func(T) bool) Rule {
	return func(at Path, v any) *Fault {
		if t, ok := v.(T); !ok || !good(t) {
			return &Fault{At: at, Want: want}
		}
		return nil
	}
}

func always[T any](T) bool { return true }

// The rules of single values.
var (
	Anything Rule = func(Path, any) *Fault { return nil }
	String        = Is("a string", always[string])
	Bool          = Is("a boolean", always[bool])
	Object        = Is("an object", always[map[string]any])
	Filled        = Is("a string that is not empty", func(s string) bool { return s != "" })
	Base64        = Is("base64", func(s string) bool { b, err := base64.StdEncoding.DecodeString(s); return err == nil && len(b) > 0 })
)

// Float is a number from low to high.
func Float(low, high float64) Rule {
	return Is("a number between "+string(JSON(low))+" and "+string(JSON(high)), func(n json.Number) bool {
		f, err := n.Float64()
		return err == nil && f >= low && f <= high
	})
}

// Integer is a whole number from low to high.
func Integer(low, high int64) Rule {
	return Is("an integer between "+string(JSON(low))+" and "+string(JSON(high)), func(n json.Number) bool {
		i, err := n.Int64()
		return err == nil && i >= low && i <= high
	})
}

// Enum is one of some words.
func Enum(words ...string) Rule {
	return Is(oneOf(words), func(s string) bool { return slices.Contains(words, s) })
}

func oneOf(words []string) string { return "one of '" + strings.Join(words, "', '") + "'" }

// Match is a string of a form.
func Match(pattern string) Rule {
	re := regexp.MustCompile(pattern)
	return Is("a string that matches '"+pattern+"'", re.MatchString)
}

// AtMost is a string of no more bytes.
func AtMost(n int) Rule {
	return Is("a string of at most "+strconv.Itoa(n)+" characters", func(s string) bool { return len(s) <= n })
}
