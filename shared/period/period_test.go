package period_test

import (
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/period"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "30", "d", "-5d", "0d", "1y", "9999999w", "1.5h", " 1d", "99999999999999999999s", "1301mo", "1D"} {
		if p, err := period.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v", text, p)
		}
	}
	from := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"30s": "2026-01-31T12:00:30Z", "90m": "2026-01-31T13:30:00Z", "36h": "2026-02-02T00:00:00Z", "2w": "2026-02-14T12:00:00Z",
		"1mo": "2026-02-28T12:00:00Z", "3mo": "2026-04-30T12:00:00Z", "13mo": "2027-02-28T12:00:00Z", "25mo": "2028-02-29T12:00:00Z",
	} {
		p, err := period.Parse(text)
		if got := p.After(from).Format(time.RFC3339); err != nil || got != want {
			t.Errorf("%s after = %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		every, at  string
		loc        *time.Location
		start, end string
	}{
		{"1d", "2026-11-22T19:00:00Z", time.UTC, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"24h", "2026-11-22T19:00:00Z", time.UTC, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"7d", "2026-11-22T19:00:00Z", time.UTC, "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"}, // a Sunday; from Monday
		{"1w", "2026-11-23T00:00:00Z", time.UTC, "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
		{"30d", "2026-02-28T23:59:59Z", time.UTC, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"},
		{"1mo", "2028-02-29T12:00:00Z", time.UTC, "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"}, // leap day
		{"3mo", "2026-05-31T12:00:00Z", time.UTC, "2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z"},
		{"12mo", "2026-12-31T23:59:59Z", time.UTC, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"1h", "2026-11-22T19:59:59Z", time.UTC, "2026-11-22T19:00:00Z", "2026-11-22T20:00:00Z"},
		{"30s", "2026-11-22T19:59:31Z", time.UTC, "2026-11-22T19:59:30Z", "2026-11-22T20:00:00Z"},
		{"1d", "2026-03-29T10:00:00Z", berlin, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}, // 23 hours
		{"1d", "2026-10-25T10:00:00Z", berlin, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"}, // 25 hours
		{"1mo", "2026-03-31T22:30:00Z", berlin, "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		start, end := period.Must(c.every).Window(at, c.loc)
		if got, until := start.UTC().Format(time.RFC3339), end.UTC().Format(time.RFC3339); got != c.start || until != c.end {
			t.Errorf("%s at %s: %s to %s, want %s to %s", c.every, c.at, got, until, c.start, c.end)
		}
		if at.Before(start) || !at.Before(end) {
			t.Errorf("%s: %s is not in its window", c.every, c.at)
		}
	}
	if start, end := (period.Period{}).Window(time.Now(), time.UTC); !start.IsZero() || !end.IsZero() {
		t.Error("for ever has a window")
	}
}

// Windows follow each other without gap or overlap, whatever the clock's changes.
func TestWindowsTile(t *testing.T) {
	t.Parallel()
	lord, err := time.LoadLocation("Australia/Lord_Howe") // its summer is half an hour
	if err != nil {
		t.Fatal(err)
	}
	for _, every := range []string{"1s", "45m", "7h", "1d", "3d", "7d", "2w", "30d", "1mo", "5mo"} {
		p := period.Must(every)
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		_, end := p.Window(at, lord)
		for range 400 {
			start, next := p.Window(end, lord)
			if !start.Equal(end) || !next.After(start) {
				t.Fatalf("%s: a window ends at %s, the next is %s to %s", every, end, start, next)
			}
			if before, _ := p.Window(end.Add(-time.Nanosecond), lord); !before.Before(end) {
				t.Fatalf("%s: the moment before %s is in its window", every, end)
			}
			end = next
		}
	}
}
