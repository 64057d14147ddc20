package cli_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/sluice-gateway/sluice/services/sluice/cli"
)

func TestBooks(t *testing.T) {
	t.Parallel()
	const totals = `"entries":3,"facts":2,"rollups":4,"windows":1,"leases":2,"ledger_nano_usd":1500000001,"allocated_nano_usd":1700000000,
		"charged_nano_usd":1500000001,"outstanding_nano_usd":199999999`
	const table = "entries         3  $1.500000001\n" +
		"daily sums      6  \n" +
		"budget windows  1  $1.7 taken out\n" +
		"leases          2  $1.500000001 charged, $0.199999999 held by running processes\n"
	for name, c := range map[string]struct {
		args, call, answer string
		status             int
		want               result
	}{
		"exact": {"check", "GET /spend/reconcile", `{"exact":true,` + totals + `}`, 200,
			result{table + "exact              to the nano-dollar\n", "", 0}},
		"named": {"check", "GET /spend/reconcile", `{"exact":true,` + totals + `,"moving":7,"unknown_nano_usd":5,"doubt_nano_usd":6,"gone_nano_usd":8,
			"unknowns":[{"lease":"l1","budget":{"scope":"key","subject":"abc","every":"30d"},"amount_nano_usd":5}]}`, 200,
			result{table + "doubt              $0.000000006 charged to budgets beside the cost of attempts whose outcome nobody knows\n" +
				"unknown            $0.000000005 opened by processes that died, and explained by no entry\n" +
				"past               $0.000000008 of leases that are no longer kept\n" +
				"                   $0.000000005 of lease l1, budget of key abc 30d\n" +
				"moving          7  sums were booked to meanwhile, and are within bounds\n" +
				"exact              to the nano-dollar\n", "", 0}},
		"not exact": {"check", "GET /spend/reconcile", `{"exact":false,"found":2,` + totals + `,"differences":[
			{"kind":"fact","document":"d1","scope":"key","subject":"abc","model":"m","day":"2026-11-22","field":"spend","want":5,"got":6,"why":"because"},
			{"kind":"lease","document":"d2","scope":"team","subject":"\u001b[2Jred","window":{"scope":"team","subject":"red","every":"1d"},"field":"spent","want":1,"got":2,"why":"so"}]}`, 200,
			result{table, "sluice: the books are not exact: 2 differ\n" +
				"fact of key abc m, 2026-11-22: spend is 6, want 5: because (document d1)\n" +
				"lease of team red, window team red 1d: spent is 2, want 1: so (document d2)\n", 1}},
		"refused": {"check", "GET /spend/reconcile", `{"error":{"message":"Only a proxy admin may call this route."}}`, 403,
			result{"", "sluice: Only a proxy admin may call this route.\n", 1}},
		"rebuilt": {"rebuild", "POST /spend/rebuild", `{"days":2,"created":1,"updated":1,"deleted":0,"skipped":0,"changes":[
			{"kind":"fact","scope":"key","subject":"abc","model":"m","day":"2026-11-22","had_nano_usd":6,"has_nano_usd":5}]}`, 200,
			result{"2026-11-22  fact  key abc m  $0.000000006 -> $0.000000005\n2 days: 1 sums created, 1 updated, 0 deleted\n", "", 0}},
		"skipped": {"rebuild", "POST /spend/rebuild", `{"days":1,"skipped":3,"changes":[]}`, 200,
			result{"1 days: 0 sums created, 0 updated, 0 deleted\n",
				"sluice: 3 sums changed all the while and were left as they were: try again when it is quieter\n", 1}},
		"rubbish": {"check", "GET /spend/reconcile", `<html>`, 200, result{"", "", 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if got := r.Method + " " + r.URL.String(); got != c.call {
					t.Errorf("called %s", got)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			})
			got := sluice(t.Context(), cli.Options{}, "", "books", c.args, "--url", url)
			if got.out != c.want.out || got.code != c.want.code || c.want.note != "" && got.note != c.want.note {
				t.Errorf("got\n%s%s%d, want\n%s%s%d", got.out, got.note, got.code, c.want.out, c.want.note, c.want.code)
			}
		})
	}
}
