package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

const (
	keysPerPage = 100    // the most that /key/list gives
	maxPages    = 10_000 // stops at a gateway whose page count never ends
)

// keyRow is what the commands show of a key. Amounts stay text, so that they print as the gateway said them.
type keyRow struct {
	Key       string      `json:"key"`
	Token     string      `json:"token"`
	Name      string      `json:"key_name"`
	Alias     string      `json:"key_alias"`
	UserID    string      `json:"user_id"`
	TeamID    string      `json:"team_id"`
	Models    []string    `json:"models"`
	Spend     json.Number `json:"spend"`
	MaxBudget json.Number `json:"max_budget"`
	Expires   string      `json:"expires"`
	Blocked   bool        `json:"blocked"`
}

// details prints a key's facts, one a line, without those it does not have.
func (k keyRow) details(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, fact := range [][2]string{
		{"name", k.Name}, {"alias", k.Alias}, {"user", k.UserID}, {"team", k.TeamID}, {"models", k.models()},
		{"spend", dollars(k.Spend)}, {"budget", dollars(k.MaxBudget)}, {"expires", first(k.Expires, "never")},
		{"blocked", map[bool]string{true: "yes"}[k.Blocked]}, {"hash", k.Token},
	} {
		if fact[1] != "" {
			fmt.Fprintf(t, "%s\t%s\n", fact[0], cell(fact[1]))
		}
	}
	return t.Flush()
}

func (k keyRow) models() string { return first(strings.Join(k.Models, ","), "all") }

func dollars(n json.Number) string {
	if n == "" {
		return ""
	}
	return "$" + n.String()
}

func keyList(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the virtual keys", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			rows, err := cl.keys(cmd)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), rows)
			}
			return printKeys(cmd.OutOrStdout(), rows)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the keys as a JSON array")
	return c
}

// keys reads every page of /key/list.
func (c *client) keys(cmd *cobra.Command) ([]json.RawMessage, error) {
	rows := []json.RawMessage{}
	for page := 1; page <= maxPages; page++ {
		var answer struct {
			Keys       []json.RawMessage `json:"keys"`
			TotalPages int               `json:"total_pages"`
		}
		query := url.Values{"return_full_object": {"true"}, "page": {strconv.Itoa(page)}, "size": {strconv.Itoa(keysPerPage)}}
		if err := c.call(cmd.Context(), http.MethodGet, "/key/list?"+query.Encode(), nil, &answer); err != nil {
			return nil, err
		}
		rows = append(rows, answer.Keys...)
		if page >= answer.TotalPages || len(answer.Keys) == 0 {
			break
		}
	}
	return rows, nil
}

func printKeys(w io.Writer, rows []json.RawMessage) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tALIAS\tSPEND\tBUDGET\tEXPIRES\tMODELS\tHASH")
	for _, raw := range rows {
		var k keyRow
		if err := json.Unmarshal(raw, &k); err != nil {
			return errors.New("the gateway's answer holds something that is no key")
		}
		cells := []string{k.Name, k.Alias, dollars(k.Spend), dollars(k.MaxBudget), first(k.Expires, "never"), k.models(), short(k.Token)}
		for i, text := range cells {
			cells[i] = first(cell(text), "-")
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

// short is enough of a hash to tell keys apart.
func short(hash string) string { return hash[:min(len(hash), 12)] }

// printJSON prints v with indentation.
func printJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, string(text))
	return err
}
