// Package period knows durations such as 30d as an owner writes them: as a time to live, and as budget windows that follow the
// calendar. A window is computed from the clock, so no job ever resets anything.
package period

import (
	"errors"
	"regexp"
	"strconv"
	"time"
)

// ErrForm is what Parse answers for text that is no duration.
var ErrForm = errors.New("a duration is a whole number and a unit, at most 100 years: 30s, 30m, 30h, 30d, 2w or 1mo")

// Period is a duration in calendar units. Its zero value is for ever.
type Period struct {
	n    int
	unit string
}

var form = regexp.MustCompile(`^([1-9][0-9]{0,9})(s|m|h|d|w|mo)$`)

var units = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "mo": 30 * 24 * time.Hour,
}

const longest = 100 * 365 * 24 * time.Hour

// Parse reads a duration.
func Parse(text string) (Period, error) {
	m := form.FindStringSubmatch(text)
	if m == nil {
		return Period{}, ErrForm
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || time.Duration(n) > longest/units[m[2]] {
		return Period{}, ErrForm
	}
	return Period{n, m[2]}, nil
}

// Must parses a duration that was checked before; what does not parse is for ever.
func Must(text string) Period {
	p, _ := Parse(text)
	return p
}

// After is the time one period after t. Months are the calendar's: a month after 31 January is the last day of February.
func (p Period) After(t time.Time) time.Time {
	if p.unit != "mo" {
		return t.Add(time.Duration(p.n) * units[p.unit])
	}
	next := t.AddDate(0, p.n, 0)
	if next.Day() != t.Day() { // AddDate went on into the month after
		next = next.AddDate(0, 0, -next.Day())
	}
	return next
}

// Window is the one that t is in: from start until end, without end. Windows follow the calendar of loc, as LiteLLM's do: a day
// begins at midnight, 7 days on Monday, 30 days and a month on the first. Others are whole multiples from fixed points:
// several days from 1 January 1970, several months from January, hours and less from midnight of that day in UTC. The zero Period
// has no window: both are zero times.
func (p Period) Window(t time.Time, loc *time.Location) (start, end time.Time) {
	local := t.In(loc)
	year, month, day := local.Date()
	switch {
	case p.n == 0:
		return time.Time{}, time.Time{}
	case p.unit == "mo", p.unit == "d" && p.n == 30:
		n := p.n
		if p.unit == "d" {
			n = 1
		}
		months := (year*12 + int(month) - 1) / n * n
		at := func(m int) time.Time { return time.Date(m/12, time.Month(m%12+1), 1, 0, 0, 0, 0, loc) }
		return at(months), at(months + n)
	case p.unit == "d", p.unit == "w":
		n, shift := p.n, 0
		if p.unit == "w" {
			n *= 7
		}
		if n%7 == 0 {
			shift = 3 // 1 January 1970 was a Thursday, three days after a Monday
		}
		since := int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()/86400) + shift
		first := since/n*n - shift
		at := func(d int) time.Time { return time.Date(1970, 1, 1+d, 0, 0, 0, 0, loc) }
		return at(first), at(first + n)
	default:
		d := int64(time.Duration(p.n) * units[p.unit] / time.Second)
		first := t.Unix() / d * d
		return time.Unix(first, 0).In(loc), time.Unix(first+d, 0).In(loc)
	}
}
