package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

func booksCommand(a *app) *cobra.Command {
	c := &cobra.Command{Use: "books", Short: "Prove that spend and budgets add up to the ledger"}
	c.AddCommand(booksCheck(a), booksRebuild(a))
	return c
}

// booksReport is what /spend/reconcile answers.
type booksReport struct {
	Exact       bool
	Entries     int64
	Facts       int64
	Rollups     int64
	Windows     int64
	Leases      int64
	Moving      int64
	Found       int64
	Ledger      gateway.NanoUSD `json:"ledger_nano_usd"`
	Doubt       gateway.NanoUSD `json:"doubt_nano_usd"`
	Allocated   gateway.NanoUSD `json:"allocated_nano_usd"`
	Charged     gateway.NanoUSD `json:"charged_nano_usd"`
	Unknown     gateway.NanoUSD `json:"unknown_nano_usd"`
	Outstanding gateway.NanoUSD `json:"outstanding_nano_usd"`
	Gone        gateway.NanoUSD `json:"gone_nano_usd"`
	Unknowns    []struct {
		Lease  string
		Budget budgetWindow
		Amount gateway.NanoUSD `json:"amount_nano_usd"`
	}
	Differences []booksDifference
}

type budgetWindow struct {
	Scope, Subject, Model, Every string
	Start                        int64
}

type booksDifference struct {
	Kind, Document, Scope, Subject, Model, Day, Field, Why string
	Want, Got                                              int64
	Window                                                 *budgetWindow
}

func booksCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Compare the ledger with all that is derived from it", Args: cobra.NoArgs,
		Long: "Compares the ledger with daily sums, budget windows and leases, to the nano-dollar. When something differs, the first\n" +
			"differences are named and the exit code is 1. It may run while the gateway works; it reads everything.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r booksReport
			if err := a.wait(cmd.Context(), http.MethodGet, "/spend/reconcile", &r); err != nil {
				return err
			}
			if err := r.print(cmd.OutOrStdout()); err != nil || r.Exact {
				return err
			}
			return r.differences()
		},
	}
}

// wait makes a call that may take long.
func (a *app) wait(ctx context.Context, method, path string, out any) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	deadline, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	resp, err := c.do(deadline, request{method: method, path: path})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return c.decode(ctx, resp.Body, out)
}

func (r *booksReport) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "entries\t%d\t$%s\n", r.Entries, r.Ledger)
	fmt.Fprintf(t, "daily sums\t%d\t\n", r.Facts+r.Rollups)
	fmt.Fprintf(t, "budget windows\t%d\t$%s taken out\n", r.Windows, r.Allocated)
	fmt.Fprintf(t, "leases\t%d\t$%s charged, $%s held by running processes\n", r.Leases, r.Charged, r.Outstanding)
	for _, line := range []struct {
		name   string
		amount gateway.NanoUSD
		note   string
	}{
		{"doubt", r.Doubt, "charged to budgets beside the cost of attempts whose outcome nobody knows"},
		{"unknown", r.Unknown, "opened by processes that died, and explained by no entry"},
		{"past", r.Gone, "of leases that are no longer kept"},
	} {
		if line.amount != 0 {
			fmt.Fprintf(t, "%s\t\t$%s %s\n", line.name, line.amount, line.note)
		}
	}
	for _, u := range r.Unknowns {
		fmt.Fprintf(t, "\t\t$%s of lease %s, budget of %s\n", u.Amount, cell(u.Lease), u.Budget.name())
	}
	if r.Moving > 0 {
		fmt.Fprintf(t, "moving\t%d\tsums were booked to meanwhile, and are within bounds\n", r.Moving)
	}
	if r.Exact {
		fmt.Fprintln(t, "exact\t\tto the nano-dollar")
	}
	return t.Flush()
}

func (w *budgetWindow) name() string {
	return strings.Join(strings.Fields(cell(w.Scope+" "+w.Subject+" "+w.Model+" "+w.Every)), " ")
}

// shownDifferences is how many of the differences are told.
const shownDifferences = 10

func (r *booksReport) differences() error {
	var text strings.Builder
	fmt.Fprintf(&text, "the books are not exact: %d differ", r.Found)
	for i, d := range r.Differences {
		if i == shownDifferences {
			break
		}
		where := d.Day
		if d.Window != nil {
			where = "window " + d.Window.name()
		}
		fmt.Fprintf(&text, "\n%s of %s, %s: %s is %d, want %d: %s (document %s)", cell(d.Kind), cell(d.Scope+" "+d.Subject+" "+d.Model), cell(where),
			cell(d.Field), d.Got, d.Want, cell(d.Why), cell(d.Document))
	}
	return fmt.Errorf("%s", text.String())
}

// booksChanges is what /spend/rebuild answers.
type booksChanges struct {
	Days, Created, Updated, Deleted, Skipped int64
	Changes                                  []struct {
		Kind, Scope, Subject, Model, Day string
		Had                              gateway.NanoUSD `json:"had_nano_usd"`
		Has                              gateway.NanoUSD `json:"has_nano_usd"`
	}
}

func booksRebuild(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "rebuild", Short: "Derive the daily sums from the ledger again", Args: cobra.NoArgs,
		Long: "Derives the daily sums from the ledger again and writes those that differ. It may run while the gateway works. The exit\n" +
			"code is 1 if sums were left as they were because they changed all the while.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r booksChanges
			if err := a.wait(cmd.Context(), http.MethodPost, "/spend/rebuild", &r); err != nil {
				return err
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, c := range r.Changes {
				fmt.Fprintf(t, "%s\t%s\t%s\t$%s -> $%s\n", cell(c.Day), cell(c.Kind), cell(c.Scope+" "+c.Subject+" "+c.Model), c.Had, c.Has)
			}
			fmt.Fprintf(t, "%d days: %d sums created, %d updated, %d deleted\n", r.Days, r.Created, r.Updated, r.Deleted)
			if err := t.Flush(); err != nil {
				return err
			}
			if r.Skipped > 0 {
				return fmt.Errorf("%d sums changed all the while and were left as they were: try again when it is quieter", r.Skipped)
			}
			return nil
		},
	}
}
