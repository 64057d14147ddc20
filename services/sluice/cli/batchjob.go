package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sashabaranov/go-openai"
	"github.com/spf13/cobra"
)

// batchJob is one run of `batch run` or `batch wait`.
type batchJob struct {
	in, out, errors, endpoint string // flags and arguments; in is empty for wait

	client   *client
	url      string // the --url flag, to repeat in the resume hint
	note     io.Writer
	progress progress
}

// prepare settles where everything goes, and finds out before money is spent whether results can be written.
func (j *batchJob) prepare(a *app, cmd *cobra.Command) (err error) {
	if j.client, err = a.client(); err != nil {
		return err
	}
	j.url, j.note = a.url, cmd.ErrOrStderr()
	j.progress = newProgress(j.note, a.IsTerminal(j.note))
	if j.out == "" {
		if j.errors != "" {
			return errors.New("--errors needs -o")
		}
		return nil
	}
	if j.errors == "" {
		j.errors = strings.TrimSuffix(j.out, ".jsonl") + ".errors.jsonl"
	}
	for _, path := range []string{j.out, j.errors} {
		if same(path, j.in) {
			return fmt.Errorf("%s is the input: name another file for results", path)
		}
		if err := writable(path); err != nil {
			return err
		}
	}
	if same(j.out, j.errors) {
		return errors.New("results and errors need two files")
	}
	return nil
}

func same(a, b string) bool { return b != "" && filepath.Clean(a) == filepath.Clean(b) }

// writable makes and removes a file beside path.
func writable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder", path)
	}
	part := partOf(path)
	f, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(part))
}

func partOf(path string) string { return fmt.Sprintf("%s.%d.part", path, os.Getpid()) }

// run uploads the input, creates the batch and sees it through.
func (j *batchJob) run(ctx context.Context) error {
	endpoint, err := endpointOf(j.in, j.endpoint)
	if err != nil {
		return err
	}
	file, err := j.client.upload(ctx, j.in)
	if err != nil {
		return err
	}
	var b openai.Batch
	err = j.client.call(ctx, http.MethodPost, "/v1/batches", map[string]string{
		"input_file_id": file, "endpoint": endpoint, "completion_window": "24h",
	}, &b)
	switch {
	case errors.Is(err, context.Canceled), err != nil && transient(err):
		return fmt.Errorf("%w\n`sluice batch list` shows whether the batch was created", err)
	case err != nil:
		return err
	case b.ID == "":
		return errors.New("the gateway's answer holds no batch")
	}
	fmt.Fprintf(j.note, "%s created; Ctrl-C leaves it running\n", plain(b.ID))
	return j.finish(ctx, b.ID)
}

// finish waits for the batch, fetches its files and judges it. Whatever stops it before, the batch itself goes on.
func (j *batchJob) finish(ctx context.Context, id string) error {
	begun := time.Now()
	b, err := j.wait(ctx, id)
	if err == nil {
		err = j.fetch(ctx, b)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return &interrupted{j.resume(id)}
	case err != nil && transient(err):
		return fmt.Errorf("%w\nresume with: %s", err, j.resume(id))
	case err != nil:
		return err
	}
	return j.verdict(b, time.Since(begun))
}

// interrupted is Ctrl-C while a batch runs.
type interrupted struct{ resume string }

func (i *interrupted) Error() string {
	return "interrupted; the batch goes on. Resume with:\n  " + i.resume
}

// resume is the command that takes up the wait again.
func (j *batchJob) resume(id string) string {
	words := []string{"sluice", "batch", "wait", quote(id)}
	if j.out != "" {
		words = append(words, "-o", quote(j.out))
		if j.errors != strings.TrimSuffix(j.out, ".jsonl")+".errors.jsonl" {
			words = append(words, "--errors", quote(j.errors))
		}
	}
	if j.url != "" {
		words = append(words, "--url", quote(j.url))
	}
	return strings.Join(words, " ")
}

// quote makes one word of s for a shell.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@+,") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

var finalStatus = map[string]bool{"completed": true, "failed": true, "expired": true, "cancelled": true}

// wait looks at the batch until it is final.
func (j *batchJob) wait(ctx context.Context, id string) (openai.Batch, error) {
	defer j.progress.done()
	for {
		var b openai.Batch
		err := j.client.retry(ctx, func() error {
			b = openai.Batch{}
			return j.client.call(ctx, http.MethodGet, "/v1/batches/"+url.PathEscape(id), nil, &b)
		})
		if err != nil {
			return b, err
		}
		if b.Status == "" {
			return b, errors.New("the gateway's answer holds no batch")
		}
		j.progress.show(b)
		if finalStatus[b.Status] {
			return b, nil
		}
		if err := sleep(ctx, j.client.pause); err != nil {
			return b, err
		}
	}
}

// fetch brings the files that the batch has. Without results the output is empty, and errors of an earlier run go: what
// lies there afterwards is of this batch.
func (j *batchJob) fetch(ctx context.Context, b openai.Batch) error {
	if j.out == "" || b.Status == "failed" {
		return nil
	}
	if err := j.client.download(ctx, deref(b.OutputFileID), j.out); err != nil {
		return err
	}
	if deref(b.ErrorFileID) != "" {
		return j.client.download(ctx, *b.ErrorFileID, j.errors)
	}
	if err := os.Remove(j.errors); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// verdict tells how the batch ended, as an exit code and in words.
func (j *batchJob) verdict(b openai.Batch, took time.Duration) error {
	n := b.RequestCounts
	if b.Status != "completed" {
		return &exitError{ExitBatchFailed, errors.New(j.failure(b))}
	}
	if n.Failed > 0 || deref(b.ErrorFileID) != "" {
		message := fmt.Sprintf("%d of %d lines failed", n.Failed, n.Total)
		if j.out != "" {
			message += ": see " + j.errors
		}
		return &exitError{ExitLinesFailed, errors.New(message)}
	}
	where := ""
	if j.out != "" {
		where = ": " + j.out
	}
	fmt.Fprintf(j.note, "%d lines done in %s%s\n", n.Completed, took.Round(time.Second), where)
	return nil
}

// failure is the end of a batch that did not complete, with what is wrong in the input, line by line.
func (j *batchJob) failure(b openai.Batch) string {
	lines := []string{fmt.Sprintf("batch %s %s", b.ID, map[string]string{
		"failed": "failed", "expired": "has expired", "cancelled": "was cancelled"}[b.Status])}
	if n := b.RequestCounts; n.Total > 0 {
		lines[0] += fmt.Sprintf(" after %d of %d lines", n.Completed+n.Failed, n.Total)
	}
	if b.Errors != nil {
		for _, e := range b.Errors.Data {
			where := first(j.in, "input")
			if e.Line != nil {
				where = fmt.Sprintf("%s:%d", where, *e.Line)
			}
			lines = append(lines, fmt.Sprintf("  %s: %s (%s)", where, first(e.Message, "no message"), first(e.Code, "no code")))
		}
	}
	return strings.Join(lines, "\n")
}
