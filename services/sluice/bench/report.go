package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"text/tabwriter"
)

// bound is the most a figure may be: absolute, or as a multiple of the proxy's in the same round.
type bound struct {
	max   float64
	ratio bool
}

func times(x float64) bound  { return bound{x, true} }
func atMost(x float64) bound { return bound{x, false} }

// metric is one line of the report.
type metric struct {
	name, title string
	higher      bool // higher is better
	bounds      map[string]bound
}

// metrics are all figures and what the gateways promise of them.
var metrics = []metric{
	{name: "cpu_closed_us", title: "CPU us/request, c=64", bounds: map[string]bound{"sluice": times(1.3), "ingress": times(1.0)}},
	{name: "limits_x", title: "CPU with limits, times without", bounds: map[string]bound{"sluice": atMost(1.2), "ingress": atMost(1.2)}},
	{name: "cpu_long_us", title: "CPU us/request of 4 KiB, c=64"},
	{name: "translate_x", title: "CPU translated, times passed on", bounds: map[string]bound{"sluice": atMost(2.5), "ingress": atMost(2.5)}},
	{name: "rps", title: "requests/s on one core, c=64", higher: true},
	{name: "cpu_open_us", title: "CPU us/request at 200/s"},
	{name: "p50_us", title: "p50 at 200/s, us"},
	{name: "added_p50_us", title: "added p50 at 200/s, us", bounds: map[string]bound{"sluice": times(1.2), "ingress": times(1.2)}},
	{name: "added_p99_us", title: "added p99 at 200/s, us"},
	{name: "ttft_us", title: "time to first token p50, us"},
	{name: "added_ttft_us", title: "added time to first token p50, us", bounds: map[string]bound{"sluice": times(1.2), "ingress": times(1.2)}},
	{name: "cpu_chunk_paced_us", title: "CPU us/chunk, 20 ms apart"},
	{name: "cpu_chunk_unpaced_us", title: "CPU us/chunk, at once"},
	{name: "chunks_per_s", title: "chunks/s on one core", higher: true},
	{name: "kib_per_stream", title: "KiB per open stream", bounds: map[string]bound{"sluice": atMost(60), "ingress": atMost(60)}},
	{name: "kib_per_stream_translated", title: "KiB per open translated stream", bounds: map[string]bound{"sluice": atMost(60), "ingress": atMost(60)}},
	{name: "rss_idle_mib", title: "resident MiB, idle", bounds: map[string]bound{"sluice": atMost(30), "ingress": atMost(40), "worker": atMost(40)}},
	{name: "rss_peak_mib", title: "resident MiB, peak"},
	{name: "first_chat_ms", title: "exec to first chat, ms", bounds: map[string]bound{"sluice": atMost(60), "ingress": atMost(60)}},
	{name: "binary_mib", title: "binary, MiB", bounds: map[string]bound{"sluice": atMost(40), "ingress": atMost(25), "worker": atMost(25)}},
	{name: "errors", title: "failed requests", bounds: map[string]bound{
		"sluice": atMost(0), "ingress": atMost(0), "worker": atMost(0), "proxy": atMost(0), "direct": atMost(0),
	}},
}

// summary is one metric of one target over all rounds.
type summary struct {
	Metric string   `json:"metric"`
	Target string   `json:"target"`
	Median float64  `json:"median"`
	Best   float64  `json:"best"`
	Ratio  *float64 `json:"ratio,omitempty"` // median over the rounds, to the proxy in the same round
	Bound  *float64 `json:"bound,omitempty"`
	OK     *bool    `json:"ok,omitempty"` // the median, or the ratio, is within the bound
}

// order is that of the report's columns.
var order = []string{"direct", "proxy", "sluice", "ingress", "worker"}

// summarize condenses the rounds, metric by metric.
func summarize(rounds []round) []summary {
	var all []summary
	for _, m := range metrics {
		for _, name := range order {
			if s, ok := m.summarize(name, rounds); ok {
				all = append(all, s)
			}
		}
	}
	return all
}

func (m metric) summarize(target string, rounds []round) (summary, bool) {
	var values, ratios []float64
	for _, r := range rounds {
		v, ok := r[target][m.name]
		if !ok {
			continue
		}
		values = append(values, v)
		if base := r["proxy"][m.name]; base > 0 {
			ratios = append(ratios, v/base)
		}
	}
	if len(values) == 0 {
		return summary{}, false
	}
	s := summary{Metric: m.name, Target: target, Median: median(values), Best: slices.Min(values)}
	if m.higher {
		s.Best = slices.Max(values)
	}
	judged := &s.Median
	b, bounded := m.bounds[target]
	if len(ratios) > 0 && target != "proxy" && target != "direct" {
		ratio := median(ratios)
		s.Ratio = &ratio
	}
	if b.ratio {
		judged = s.Ratio
	}
	if bounded && judged != nil {
		ok := *judged <= b.max
		s.Bound, s.OK = &b.max, &ok
	}
	return s, true
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// publish prints the report, writes the JSON if a file is named, and reports whether every bound holds.
func publish(w io.Writer, jsonFile string, rounds []round) (bool, error) {
	all := summarize(rounds)
	ok := printTable(w, all, len(rounds))
	if jsonFile == "" {
		return ok, nil
	}
	return ok, writeJSON(jsonFile, map[string]any{"summary": all, "rounds": rounds})
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

func printTable(out io.Writer, all []summary, rounds int) bool {
	titles := make(map[string]string)
	for _, m := range metrics {
		titles[m.name] = m.title
	}
	good := true
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nfigure (%d rounds)\ttarget\tmedian\tbest\tto proxy\tbound\t\n", rounds)
	last := ""
	for _, s := range all {
		title := titles[s.Metric]
		if s.Metric == last {
			title = ""
		}
		last = s.Metric
		good = good && (s.OK == nil || *s.OK)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", title, s.Target, number(s.Median), number(s.Best), s.ratioText(), s.boundText(), s.verdict())
	}
	_ = w.Flush()
	return good
}

func number(v float64) string {
	if math.Abs(v) >= 1000 || v == float64(int64(v)) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func (s summary) ratioText() string {
	if s.Ratio == nil {
		return ""
	}
	return fmt.Sprintf("%.2fx", *s.Ratio)
}

func (s summary) boundText() string {
	if s.Bound == nil {
		return ""
	}
	for _, m := range metrics {
		if m.name == s.Metric && m.bounds[s.Target].ratio {
			return fmt.Sprintf("<= %gx", *s.Bound)
		}
	}
	return fmt.Sprintf("<= %g", *s.Bound)
}

func (s summary) verdict() string {
	switch {
	case s.OK == nil:
		return ""
	case *s.OK:
		return "ok"
	default:
		return "OVER"
	}
}
