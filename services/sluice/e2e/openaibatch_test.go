package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
)

// batchLimit is how long a small batch may take.
const batchLimit = 2 * time.Minute

// inputFile is a batch of n lines of which every failEvery-th is refused by the provider.
func inputFile(n, failEvery int) []byte {
	var b bytes.Buffer
	for i := range n {
		model := chatModel
		if failEvery > 0 && i%failEvery == 0 {
			model = "fault-400"
		}
		b.Write(batchLine(fmt.Sprintf("line-%d", i), model, fmt.Sprintf("text of line %d", i)))
	}
	return b.Bytes()
}

func upload(t *testing.T, c openai.Client, content []byte) *openai.FileObject {
	t.Helper()
	f, err := c.Files.New(t.Context(), openai.FileNewParams{
		File: openai.File(bytes.NewReader(content), "requests.jsonl", "application/jsonl"), Purpose: openai.FilePurposeBatch,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func officialFiles(t *testing.T, g *sluice, c openai.Client) {
	content := inputFile(3, 0)
	f := upload(t, c, content)
	if f.Bytes != int64(len(content)) || f.Filename != "requests.jsonl" || f.Purpose != "batch" || f.Status != "processed" {
		t.Errorf("uploaded %s", f.RawJSON())
	}
	got, err := c.Files.Get(t.Context(), f.ID)
	if err != nil || got.ID != f.ID || got.CreatedAt != f.CreatedAt {
		t.Errorf("get: %+v, %v", got, err)
	}
	found := 0
	pages := c.Files.ListAutoPaging(t.Context(), openai.FileListParams{Limit: openai.Int(1)})
	for pages.Next() {
		if pages.Current().ID == f.ID {
			found++
		}
	}
	if err := pages.Err(); err != nil || found != 1 {
		t.Errorf("the list names the file %d times, %v", found, err)
	}
	if back := download(t, c, f.ID); !bytes.Equal(back, content) {
		t.Errorf("content is %d bytes, want the %d that were uploaded", len(back), len(content))
	}
	gone, err := c.Files.Delete(t.Context(), f.ID)
	if err != nil || !gone.Deleted || gone.ID != f.ID {
		t.Errorf("delete: %+v, %v", gone, err)
	}
	if _, err := c.Files.Get(t.Context(), f.ID); statusOf(err) != http.StatusNotFound {
		t.Errorf("get after delete: %v, want status 404", err)
	}
}

func download(t *testing.T, c openai.Client, id string) []byte {
	t.Helper()
	resp, err := c.Files.Content(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// submit uploads lines and makes a batch of them.
func submit(t *testing.T, c openai.Client, content []byte) *openai.Batch {
	t.Helper()
	b, err := c.Batches.New(t.Context(), openai.BatchNewParams{
		CompletionWindow: openai.BatchNewParamsCompletionWindow24h, Endpoint: openai.BatchNewParamsEndpointV1ChatCompletions,
		InputFileID: upload(t, c, content).ID, Metadata: map[string]string{"purpose": "e2e"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// until waits for a batch to be in a state.
func until(t *testing.T, c openai.Client, id string, state openai.BatchStatus) (b *openai.Batch) {
	t.Helper()
	eventually(t, batchLimit, "batch is "+string(state), func() (err error) {
		if b, err = c.Batches.Get(t.Context(), id); err == nil && b.Status != state {
			err = fmt.Errorf("it is %s: %+v", b.Status, b.RequestCounts)
		}
		return err
	})
	return b
}

func officialBatch(t *testing.T, g *sluice, c openai.Client) {
	const lines, failEvery, failed = 45, 15, 3
	b := submit(t, c, inputFile(lines, failEvery))
	if b.Status != openai.BatchStatusValidating || b.Metadata["purpose"] != "e2e" {
		t.Errorf("the new batch is %s", b.RawJSON())
	}
	b = until(t, c, b.ID, openai.BatchStatusCompleted)
	if n := b.RequestCounts; n.Total != lines || n.Failed != failed || n.Completed != lines-failed {
		t.Errorf("counts are %+v", n)
	}
	output, failures := download(t, c, b.OutputFileID), download(t, c, b.ErrorFileID)
	if got := bytes.Count(output, []byte("\n")); got != lines-failed || !bytes.Contains(output, []byte("text of line 44")) {
		t.Errorf("the output has %d lines:\n%.2000s", got, output)
	}
	if got := bytes.Count(failures, []byte("\n")); got != failed || !bytes.Contains(failures, []byte(`"status_code":400`)) {
		t.Errorf("the error file has %d lines:\n%s", got, failures)
	}
	page, err := c.Batches.List(t.Context(), openai.BatchListParams{Limit: openai.Int(100)})
	if err != nil || !strings.Contains(fmt.Sprint(page.RawJSON()), b.ID) {
		t.Errorf("the list does not name the batch, %v", err)
	}
}

func officialCancel(t *testing.T, g *sluice, c openai.Client) {
	const lines = 300
	var in bytes.Buffer
	for i := range lines {
		in.Write(batchLine(fmt.Sprintf("line-%d", i), "fake-delay-1500ms", "slow"))
	}
	b := submit(t, c, in.Bytes())
	before := len(g.provider.Bill())
	g.provider.AwaitBill(t.Context(), before+1) // it has begun
	if _, err := c.Batches.Cancel(t.Context(), b.ID); err != nil {
		t.Fatal(err)
	}
	b = until(t, c, b.ID, openai.BatchStatusCancelled)
	n := b.RequestCounts
	if n.Total != lines || n.Completed+n.Failed != lines || n.Failed == 0 {
		t.Errorf("counts are %+v", n)
	}
	if failures := download(t, c, b.ErrorFileID); bytes.Count(failures, []byte("batch_cancelled")) != int(n.Failed) {
		t.Errorf("%d lines failed, the error file is\n%.1000s", n.Failed, failures)
	}
	if _, err := c.Batches.Cancel(t.Context(), b.ID); statusOf(err) != http.StatusConflict {
		t.Errorf("cancelling it again: %v, want status 409", err)
	}
}
