package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Bounds for a batch of 10,000 lines through sluice.
const (
	maxBatchTime   = 30 * time.Second
	maxBatchMiB    = 64
	batchWaitLimit = 10 * time.Minute
)

// batchReport is what -batch prints and writes.
type batchReport struct {
	Lines   int     `json:"lines"`
	Seconds float64 `json:"seconds"` // from the upload to the final state
	MiB     float64 `json:"rss_growth_mib"`
	OK      bool    `json:"ok"`
}

// runBatch puts one batch through `sluice serve` and the instant mock.
func runBatch(ctx context.Context, f flags, dir, mockAddr string) (bool, error) {
	if f.sluice == "" {
		return false, errors.New("-batch needs -sluice")
	}
	m := &measurement{target: sluiceTarget(f.sluice), dir: filepath.Join(dir, "batch"), mock: mockAddr, keys: map[string]string{}}
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return false, err
	}
	defer m.stop()
	if _, err := m.begin(ctx); err != nil {
		return false, err
	}
	time.Sleep(standard.settle)
	r, err := m.batch(ctx, f.batch)
	if err != nil {
		return false, m.p.failure(err)
	}
	fmt.Printf("batch of %d lines: %.1f s (<= %g), memory grew by %.0f MiB (<= %d): %s\n",
		r.Lines, r.Seconds, maxBatchTime.Seconds(), r.MiB, maxBatchMiB, map[bool]string{true: "ok", false: "OVER"}[r.OK])
	if f.jsonFile != "" {
		err = writeJSON(f.jsonFile, r)
	}
	return r.OK, err
}

func (m *measurement) batch(ctx context.Context, lines int) (batchReport, error) {
	ctx, cancel := context.WithTimeout(ctx, batchWaitLimit)
	defer cancel()
	before, _, err := memory(m.p.pid)
	if err != nil {
		return batchReport{}, err
	}
	c := api{base: "http://" + m.p.addr, key: m.key()}
	start := time.Now()
	file, err := c.upload(ctx, batchFile(lines))
	if err != nil {
		return batchReport{}, err
	}
	output, err := c.finish(ctx, file)
	if err != nil {
		return batchReport{}, err
	}
	took := time.Since(start)
	if err := c.check(ctx, output, lines); err != nil {
		return batchReport{}, err
	}
	_, peak, err := memory(m.p.pid)
	r := batchReport{Lines: lines, Seconds: took.Seconds(), MiB: (peak - before) / 1024}
	r.OK = took <= maxBatchTime && r.MiB <= maxBatchMiB
	return r, err
}

func batchFile(lines int) []byte {
	var b bytes.Buffer
	for i := range lines {
		fmt.Fprintf(&b, `{"custom_id":"line-%d","method":"POST","url":"/v1/chat/completions","body":%s}`+"\n", i, chatBody)
	}
	return b.Bytes()
}

// api calls the Files and Batches API.
type api struct{ base, key string }

func (a api) upload(ctx context.Context, data []byte) (id string, err error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	err = form.WriteField("purpose", "batch")
	if err == nil {
		var part io.Writer
		if part, err = form.CreateFormFile("file", "bench.jsonl"); err == nil {
			_, err = part.Write(data)
		}
	}
	if err = errors.Join(err, form.Close()); err != nil {
		return "", err
	}
	var file struct{ ID string }
	err = a.call(ctx, http.MethodPost, "/v1/files", form.FormDataContentType(), &body, &file)
	return file.ID, err
}

// batchState is the part of a Batch object that we look at.
type batchState struct {
	ID           string
	Status       string
	OutputFileID string                                 `json:"output_file_id"`
	Counts       struct{ Total, Completed, Failed int } `json:"request_counts"`
}

// finish makes a batch of a file and waits until it is completed.
func (a api) finish(ctx context.Context, file string) (output string, err error) {
	text := fmt.Sprintf(`{"input_file_id":%q,"endpoint":"/v1/chat/completions","completion_window":"24h"}`, file)
	var b batchState
	err = a.call(ctx, http.MethodPost, "/v1/batches", "application/json", bytes.NewBufferString(text), &b)
	for err == nil && b.Status != "completed" {
		switch b.Status {
		case "failed", "expired", "cancelled":
			return "", fmt.Errorf("the batch is %s", b.Status)
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the batch is still %s (%+v): %w", b.Status, b.Counts, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
		err = a.call(ctx, http.MethodGet, "/v1/batches/"+b.ID, "", nil, &b)
	}
	if err == nil && b.Counts.Failed > 0 {
		err = fmt.Errorf("%d lines of the batch failed", b.Counts.Failed)
	}
	return b.OutputFileID, err
}

// check counts the lines of the output.
func (a api) check(ctx context.Context, output string, lines int) error {
	var got bytes.Buffer
	if err := a.call(ctx, http.MethodGet, "/v1/files/"+output+"/content", "", nil, &got); err != nil {
		return err
	}
	if n := bytes.Count(got.Bytes(), []byte(`"status_code":200`)); n != lines {
		return fmt.Errorf("%d of %d lines came out", n, lines)
	}
	return nil
}

// call makes one call; the answer is decoded, or copied into a buffer.
func (a api) call(ctx context.Context, method, path, contentType string, body io.Reader, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.key)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("%s %s: status %d: %s", method, path, resp.StatusCode, text)
	}
	if buf, ok := into.(*bytes.Buffer); ok {
		_, err = buf.ReadFrom(resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
