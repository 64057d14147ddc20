package main

import (
	"testing"
	"time"
)

func TestParseProc(t *testing.T) {
	t.Parallel()
	stat := "12 (a) b) S 1 12 12 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 8 0 100 1 2\n"
	if got, err := parseStat([]byte(stat)); err != nil || got != 2*time.Second {
		t.Errorf("%v, %v; want 2s", got, err)
	}
	if _, err := parseStat([]byte("12 (a) S 1")); err == nil {
		t.Error("a short line was accepted")
	}
	status := "Name:\ta\nVmPeak:\t 9 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n"
	if rss, peak, err := parseStatus([]byte(status)); err != nil || rss != 1024 || peak != 2048 {
		t.Errorf("%v, %v, %v", rss, peak, err)
	}
	if _, _, err := parseStatus([]byte("Name:\ta\n")); err == nil {
		t.Error("a status without memory was accepted")
	}
}

func TestPercentileAndMedian(t *testing.T) {
	t.Parallel()
	ds := []time.Duration{5, 1, 4, 2, 3}
	if p50, p99 := percentile(ds, 0.5), percentile(ds, 0.99); p50 != 3 || p99 != 5 || percentile(nil, 0.5) != 0 {
		t.Errorf("p50 %v, p99 %v", p50, p99)
	}
	if odd, even := median([]float64{9, 1, 2}), median([]float64{4, 1, 2, 3}); odd != 2 || even != 2.5 {
		t.Errorf("medians %v and %v", odd, even)
	}
}

func TestNumberIn(t *testing.T) {
	t.Parallel()
	body := []byte(`{"max_tokens": 50,"seed":20}`)
	if numberIn(body, `"max_tokens":`) != 50 || numberIn(body, `"seed":`) != 20 || numberIn(body, `"n":`) != 0 {
		t.Error("wrong numbers")
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	rounds := []round{
		{"proxy": {"cpu_closed_us": 100, "rss_idle_mib": 8}, "sluice": {"cpu_closed_us": 120, "rss_idle_mib": 31}},
		{"proxy": {"cpu_closed_us": 200, "rss_idle_mib": 8}, "sluice": {"cpu_closed_us": 260, "rss_idle_mib": 29}},
		{"proxy": {"cpu_closed_us": 100, "rss_idle_mib": 8}, "sluice": {"cpu_closed_us": 150, "rss_idle_mib": 33}},
	}
	got := make(map[string]summary)
	for _, s := range summarize(rounds) {
		got[s.Target+" "+s.Metric] = s
	}
	if s := got["sluice cpu_closed_us"]; *s.Ratio != 1.3 || !*s.OK || s.Best != 120 || s.Median != 150 || s.boundText() != "<= 1.3x" {
		t.Errorf("CPU %+v, ratio %v", s, *s.Ratio)
	}
	if s := got["sluice rss_idle_mib"]; s.Median != 31 || *s.OK || s.verdict() != "OVER" {
		t.Errorf("memory %+v", s)
	}
	if s := got["proxy cpu_closed_us"]; s.Ratio != nil || s.OK != nil {
		t.Errorf("the proxy is judged: %+v", s)
	}
}
