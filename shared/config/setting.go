package config

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/period"
)

func readMasterKey(s section, e entry) error {
	key, _, err := s.text(e)
	if err != nil && s.warnUnset(err, "the file sets no master key") {
		return nil
	}
	s.to.MasterKey = gateway.Secret(key)
	return err
}

var (
	headerName  = regexp.MustCompile("^[A-Za-z0-9-]{1,100}$")
	credentials = []string{"Authorization", "Proxy-Authorization", "Cookie", "Api-Key", "X-Api-Key", "X-Goog-Api-Key", "Ocp-Apim-Subscription-Key"}
)

func readUserHeader(s section, e entry) error {
	name, _, err := s.text(e)
	if err != nil {
		return err
	}
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case !headerName.MatchString(name):
		return s.errorf(e.line, "%s must be the name of a header", e.path)
	case slices.Contains(credentials, canonical): // customers' names are stored and shown
		return s.errorf(e.line, "%s must not be a header that carries a credential", e.path)
	}
	s.to.Settings.UserHeader = canonical
	return nil
}

func readBudgetStatus(s section, e entry) error {
	text, err := s.scalar(e, "!!int")
	if err != nil {
		return err
	}
	status, _ := strconv.Atoi(text)
	if !slices.Contains([]int{400, 402, 422, 429}, status) {
		return s.errorf(e.line, "%s must be 400, 402, 422 or 429", e.path)
	}
	s.to.Settings.BudgetStatus = status
	return nil
}

func readHideAmounts(s section, e entry) error {
	hide, err := s.truth(e)
	if err == nil {
		s.to.Settings.HideAmounts = *hide
	}
	return err
}

func readDrop(s section, e entry) error {
	drop, err := s.truth(e)
	if err == nil {
		s.to.Settings.Drop = *drop
	}
	return err
}

func readUnpriced(s section, e entry) error {
	text, _, err := s.text(e)
	if err != nil {
		return err
	}
	if u := Unpriced(text); u == UnpricedAllow || u == UnpricedDeny {
		s.to.Settings.Unpriced = u
		return nil
	}
	return s.errorf(e.line, "%s must be deny or allow", e.path)
}

const (
	minStaleness = time.Second
	maxStaleness = 10 * time.Minute
)

func readStaleness(s section, e entry) error {
	text, _, err := s.text(e)
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < minStaleness || d > maxStaleness {
		return s.errorf(e.line, "%s must be a duration from %s to %s, such as 5s", e.path, minStaleness, maxStaleness)
	}
	s.to.Settings.Staleness = d
	return nil
}

func readTimezone(s section, e entry) error {
	name, _, err := s.text(e)
	if err != nil {
		return err
	}
	loc, err := time.LoadLocation(name)
	if err != nil || loc == time.Local || name == "" {
		return s.errorf(e.line, "%s must be a time zone's IANA name, such as Europe/Berlin, that this machine's time zone database (zoneinfo) has", e.path)
	}
	s.to.Settings.Location = loc
	return nil
}

// readBudget reads an amount together with the duration that stands elsewhere in the section.
func readBudget(durationAt string, of func(*Settings) *gateway.Limits) setting {
	return func(s section, e entry) error {
		text, err := s.scalar(e, "!!int", "!!float")
		if err != nil {
			return err
		}
		most, err := gateway.ParseUSD(text)
		if err != nil {
			return s.errorf(e.line, "%s: %v", e.path, err)
		}
		if most == 0 {
			s.warn(e.line, "%s is 0: only what is free can be called", e.path)
		}
		budget := gateway.Budget{Max: most}
		if d, found := s.entries[durationAt]; found {
			if budget.Every, err = s.duration(d); err != nil {
				return err
			}
		}
		of(&s.to.Settings).Budgets = []gateway.Budget{budget}
		return nil
	}
}

// readDuration checks a duration that readBudget reads with its amount.
func readDuration(amountAt string) setting {
	return func(s section, e entry) error {
		if _, found := s.entries[amountAt]; !found {
			s.warn(e.line, "%s has no effect without %s", e.path, amountAt)
		}
		_, err := s.duration(e)
		return err
	}
}

func (s section) duration(e entry) (string, error) {
	text, _, err := s.text(e)
	if err != nil {
		return "", err
	}
	if _, err := period.Parse(text); err != nil {
		return "", s.errorf(e.line, "%s: %v", e.path, err)
	}
	return text, nil
}

// readRequest reads an object of request fields.
func readRequest(table field.Table, into func(*Settings) *field.Request) setting {
	return func(s section, e entry) error {
		entries, err := s.fields(e.path, e.val)
		if err != nil {
			return err
		}
		request := field.Request{}
		for _, f := range entries {
			name := strings.TrimPrefix(f.path, e.path+".")
			check, found := table[name]
			if !found {
				s.warn(f.line, "%s has no effect yet", f.path)
				continue
			}
			raw, err := s.json(f)
			if err == nil && string(raw) != "null" {
				err = s.fault(e, f, check(name, raw))
			}
			if err != nil {
				return err
			}
			request[name] = raw
		}
		if _, err := field.Apply(gateway.Limits{}, request); err != nil {
			return s.fault(e, e, err)
		}
		*into(&s.to.Settings) = request
		return nil
	}
}

// fault tells what a check says of an object's field.
func (s section) fault(object, at entry, err error) error {
	if err == nil {
		return nil
	}
	return s.errorf(at.line, "%s: %s", object.path, strings.TrimSuffix(gateway.AsError(err).Message, "."))
}
