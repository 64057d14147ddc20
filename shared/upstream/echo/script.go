package echo

import (
	"encoding/json"
	"strings"
	"time"
)

// script is what the markers of a request come to. A marker given twice counts as its last, but for tools.
type script struct {
	say, refuse       *string
	words, think      *int
	filter, length    *int
	empty, json       bool
	value             json.RawMessage // of [[json]]
	rounds            []round         // of tool calls, one for each step
	usage             *usage
	noUsage           bool
	wait, slow        time.Duration
	cut, stall, after *int
	fail, err         *fault
}

// round is one step of an agent's.
type round struct {
	name      string          // of the tool; empty: in the order of the request
	arguments json.RawMessage // nil: made up
	calls     int             // 0: each tool once
}

// count makes the setter of a number.
func count(least, most int, field func(*script) **int) func(*script, string) bool {
	return func(s *script, argument string) bool {
		n := new(int)
		*field(s) = n
		return number(argument, least, most, n)
	}
}

// optional makes the setter of a number that is the least if it is not there.
func optional(least, most int, field func(*script) **int) func(*script, string) bool {
	set := count(least, most, field)
	return func(s *script, argument string) bool {
		if argument == "" {
			*field(s) = &least
			return true
		}
		return set(s, argument)
	}
}

func duration(field func(*script) *time.Duration) func(*script, string) bool {
	return func(s *script, argument string) bool {
		d, err := time.ParseDuration(argument)
		*field(s) = d
		return err == nil && d >= time.Millisecond && d <= time.Hour
	}
}

func (s *script) setSay(argument string) bool {
	s.say = &argument
	return argument != ""
}

func (s *script) setEmpty(argument string) bool {
	s.empty = true
	return argument == ""
}

func (s *script) setRefuse(argument string) bool {
	if argument == "" {
		argument = "I am sorry, but I cannot help with that."
	}
	s.refuse = &argument
	return true
}

func (s *script) setJSON(argument string) bool {
	s.json = true
	if argument != "" {
		s.value = json.RawMessage(argument)
	}
	return argument == "" || json.Valid(s.value)
}

func (s *script) setTool(argument string) bool {
	r := round{calls: 1}
	r.name = argument
	if at := strings.IndexByte(argument, '{'); at >= 0 {
		r.name, r.arguments = argument[:at], json.RawMessage(argument[at:])
	}
	r.name = strings.TrimSpace(r.name)
	s.rounds = append(s.rounds, r)
	return !strings.ContainsAny(r.name, " \n\t\"") && (r.arguments == nil || json.Valid(r.arguments))
}

func (s *script) setTools(argument string) bool {
	r := round{}
	ok := argument == "" || number(argument, 1, 16, &r.calls)
	s.rounds = append(s.rounds, r)
	return ok
}

const maxCount = 1_000_000_000 // tokens that [[usage]] may tell

func (s *script) setUsage(argument string) bool {
	if argument == "none" {
		s.noUsage, s.usage = true, nil
		return true
	}
	var n [4]int
	given := strings.Fields(argument)
	if len(given) < 2 || len(given) > len(n) {
		return false
	}
	for i := range given {
		if !number(given[i], 0, maxCount, &n[i]) {
			return false
		}
	}
	s.noUsage, s.usage = false, counted(n[0], n[1], n[2], n[3])
	return n[2] <= n[0] && n[3] <= n[1]
}

func (s *script) setFail(argument string) bool {
	events, name, named := strings.Cut(argument, " ")
	if argument == "" {
		events = "0"
	}
	if !named {
		name = "500"
	}
	s.after, s.fail = new(int), faultNamed(strings.TrimSpace(name))
	return number(events, 0, 100_000, s.after) && s.fail != nil
}

func (s *script) setError(argument string) bool {
	name, seconds, found := strings.Cut(argument, " ")
	s.err = faultNamed(name)
	return s.err != nil && (!found || number(strings.TrimSpace(seconds), 0, 3600, &s.err.retry))
}
