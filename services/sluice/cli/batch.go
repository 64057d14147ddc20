package cli

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sashabaranov/go-openai"
	"github.com/spf13/cobra"
)

func batchCommand(a *app) *cobra.Command {
	c := &cobra.Command{Use: "batch", Short: "Run files of requests, and look after them"}
	c.AddCommand(batchRun(a), batchWait(a), batchList(a), batchCancel(a))
	return c
}

const exitCodes = `Exit codes: 0 every line succeeded, 2 finished and some lines failed, 3 the batch failed, expired or was cancelled,
1 anything else. Ctrl-C leaves the batch running and says how to resume.`

func batchRun(a *app) *cobra.Command {
	var job batchJob
	c := &cobra.Command{
		Use: "run IN.jsonl -o OUT.jsonl", Short: "Run a file of requests and fetch the results", Args: cobra.ExactArgs(1),
		Long: "Uploads a file of requests, one JSON object a line, waits for the batch and writes the results to OUT.jsonl.\n\n" + exitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			job.in = args[0]
			if err := job.prepare(a, cmd); err != nil {
				return err
			}
			return job.run(cmd.Context())
		},
	}
	c.Flags().StringVarP(&job.out, "output", "o", "", "file for the results")
	c.Flags().StringVar(&job.errors, "errors", "", "file for the lines that failed (default: beside the output, as OUT.errors.jsonl)")
	c.Flags().StringVar(&job.endpoint, "endpoint", "", "what the lines call (default: the url of the first line)")
	_ = c.MarkFlagRequired("output") // fails only for a flag that does not exist
	return c
}

func batchWait(a *app) *cobra.Command {
	var job batchJob
	c := &cobra.Command{
		Use: "wait BATCH_ID [-o OUT.jsonl]", Short: "Wait for a batch and fetch its results", Args: cobra.ExactArgs(1), Long: exitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := job.prepare(a, cmd); err != nil {
				return err
			}
			return job.finish(cmd.Context(), args[0])
		},
	}
	c.Flags().StringVarP(&job.out, "output", "o", "", "file for the results; none means only wait")
	c.Flags().StringVar(&job.errors, "errors", "", "file for the lines that failed (default: beside the output, as OUT.errors.jsonl)")
	return c
}

func batchCancel(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "cancel BATCH_ID", Short: "Cancel a batch; what is done already stays", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			var b openai.Batch
			path := "/v1/batches/" + url.PathEscape(args[0]) + "/cancel"
			if err := cl.call(cmd.Context(), http.MethodPost, path, struct{}{}, &b); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), plain(b.ID), plain(b.Status))
			return err
		},
	}
}

func batchList(a *app) *cobra.Command {
	var limit int
	var after string
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List batches, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > 100 {
				return errors.New("--limit must be from 1 to 100")
			}
			cl, err := a.client()
			if err != nil {
				return err
			}
			query := url.Values{"limit": {strconv.Itoa(limit)}}
			if after != "" {
				query.Set("after", after)
			}
			var answer openai.ListBatchResponse
			if err := cl.call(cmd.Context(), http.MethodGet, "/v1/batches?"+query.Encode(), nil, &answer); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), answer.Data)
			}
			return printBatches(cmd, answer)
		},
	}
	c.Flags().IntVar(&limit, "limit", 20, "how many, from 1 to 100")
	c.Flags().StringVar(&after, "after", "", "continue after this batch")
	c.Flags().BoolVar(&asJSON, "json", false, "print the batches as a JSON array")
	return c
}

func printBatches(cmd *cobra.Command, answer openai.ListBatchResponse) error {
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "BATCH\tSTATUS\tDONE\tFAILED\tLINES\tCREATED\tENDPOINT")
	for _, b := range answer.Data {
		created := time.Unix(int64(b.CreatedAt), 0).UTC().Format("2006-01-02 15:04")
		cells := []string{b.ID, b.Status, strconv.Itoa(b.RequestCounts.Completed), strconv.Itoa(b.RequestCounts.Failed),
			strconv.Itoa(b.RequestCounts.Total), created, string(b.Endpoint)}
		for i := range cells {
			cells[i] = cell(cells[i])
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if answer.HasMore && len(answer.Data) > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "more: sluice batch list --after", plain(answer.Data[len(answer.Data)-1].ID))
	}
	return nil
}
