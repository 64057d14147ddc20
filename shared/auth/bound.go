package auth

import (
	"bytes"
	"encoding/json"
	"maps"
	"time"

	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/period"
)

// bound completes a request from Defaults and Upper, as LiteLLM does, and refuses what is more than Upper. Fields that are not
// given are completed only if fill is set; null counts as not given, but takes no bound away.
func (m *Manager) bound(request field.Request, fill bool) (field.Request, error) {
	request = maps.Clone(request)
	if fill {
		for name, raw := range m.Defaults {
			if isNull(request[name]) {
				request[name] = raw
			}
		}
	}
	for name, most := range m.Upper {
		given, found := request[name]
		switch {
		case isNull(most):
		case found && isNull(given), !found && fill:
			request[name] = most
		case found && exceeds(given, most):
			return nil, gateway.Invalid(name, "%s is over max limit set in config - user_value=%.100s; max_value=%s",
				name, bytes.Trim(given, `"`), bytes.Trim(most, `"`))
		}
	}
	return request, nil
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || string(raw) == "null" || string(raw) == `""`
}

// exceeds compares two amounts, counts or durations. What is of no such form is refused later, by name; without end is most.
func exceeds(given, most json.RawMessage) bool {
	if g, err := gateway.ParseUSD(string(given)); err == nil {
		m, err := gateway.ParseUSD(string(most))
		return err == nil && g > m
	}
	var g, m string
	if json.Unmarshal(given, &g) != nil || json.Unmarshal(most, &m) != nil {
		return false
	}
	longest, err := period.Parse(m)
	if err != nil {
		return false
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	asked, err := period.Parse(g)
	return g == "-1" || err == nil && asked.After(from).After(longest.After(from))
}
