package ingress

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

// first is the first of the named values in the query that is given.
func first(query url.Values, names ...string) string {
	for _, name := range names {
		if v := query.Get(name); v != "" {
			return v
		}
	}
	return ""
}

// whole reads a whole number from the query.
func whole(query url.Values, name string, missing, least, most int64) (int64, error) {
	text := query.Get(name)
	if text == "" {
		return missing, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, gateway.Invalid(name, "%s must be a whole number from %d to %d.", name, least, most)
	}
	return n, nil
}

// truths are the spellings of yes and no, in lower case: Python's clients send True.
var truths = map[string]bool{
	"true": true, "t": true, "yes": true, "y": true, "on": true, "1": true,
	"false": false, "f": false, "no": false, "n": false, "off": false, "0": false,
}

// truth reads yes or no from the query.
func truth(query url.Values, name string, missing bool) (bool, error) {
	text := query.Get(name)
	if text == "" {
		return missing, nil
	}
	yes, known := truths[strings.ToLower(text)]
	if !known {
		return false, gateway.Invalid(name, "%s must be true or false.", name)
	}
	return yes, nil
}

// date reads a day, or a time, as Unix microseconds; a day stands for its beginning plus past.
func date(text, name string, past time.Duration) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.Add(past).UnixMicro(), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UnixMicro(), nil
		}
	}
	return 0, gateway.Invalid(name, "%s must be a date such as 2026-11-22.", name)
}

// dayIn reads a date from the query as a UTC day.
func dayIn(query url.Values, name string) (string, error) {
	at, err := date(query.Get(name), name, 0)
	if err != nil || at == 0 {
		return "", err
	}
	return ledger.DayOf(time.UnixMicro(at)), nil
}

// oneFilter refuses a list that is to be filtered by several parameters of which an index has one.
func oneFilter(query url.Values, names ...string) error {
	found := ""
	for _, name := range names {
		switch {
		case query.Get(name) == "":
		case found != "":
			return gateway.Invalid(name, "Filter by one of %s, not by several.", strings.Join(names, ", "))
		default:
			found = name
		}
	}
	return nil
}

// paging is the page that a query asks for.
type paging struct{ page, size int }

// pageIn reads a page; names of its parameters and bounds of its size differ by route.
func pageIn(query url.Values, sizeName string, size, most int64) (p paging, err error) {
	page, err := whole(query, "page", 1, 1, 1_000_000)
	if err != nil {
		return p, err
	}
	n, err := whole(query, sizeName, size, 1, most)
	return paging{int(page), int(n)}, err
}

func (p paging) skip() int { return (p.page - 1) * p.size }

// of is the answer for a page of a list of ledger entries or accounts.
func (p paging) of(name string, rows any, total int64) map[string]any {
	size := int64(p.size)
	return map[string]any{name: rows, "total": total, "page": p.page, "page_size": size, "total_pages": (total + size - 1) / size}
}

// counted is the same by the names that lists of keys and models have; some repeat the size.
func (p paging) counted(name string, rows any, total int64) map[string]any {
	size := int64(p.size)
	return map[string]any{name: rows, "total_count": total, "current_page": p.page, "total_pages": (total + size - 1) / size}
}
