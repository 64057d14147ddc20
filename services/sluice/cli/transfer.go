package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/sashabaranov/go-openai"
)

// maxLineBytes is the longest first line that is looked at.
const maxLineBytes = 16 << 20

// endpointOf is what the lines of a batch file call: given, or the url of the first line.
func endpointOf(path, given string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLineBytes)
	for n := 1; lines.Scan(); n++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		var line struct {
			URL string `json:"url"`
		}
		switch err := json.Unmarshal(text, &line); {
		case err != nil:
			return "", fmt.Errorf(`%s:%d: a line must be a JSON object such as {"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{...}}`, path, n)
		case given != "":
			return given, nil
		case line.URL == "":
			return "", fmt.Errorf("%s:%d: the line has no url; name one with --endpoint", path, n)
		default:
			return line.URL, nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return "", fmt.Errorf("%s has no lines", path)
}

// upload sends a batch file and returns its id. The file is streamed, not read into memory.
func (c *client) upload(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	err = form.WriteField("purpose", "batch")
	if err == nil {
		_, err = form.CreateFormFile("file", filepath.Base(path))
	}
	if err != nil {
		return "", err
	}
	tail := "\r\n--" + form.Boundary() + "--\r\n"
	resp, err := c.do(ctx, request{
		method: http.MethodPost, path: "/v1/files", contentType: form.FormDataContentType(),
		size: int64(head.Len()) + info.Size() + int64(len(tail)),
		body: io.MultiReader(&head, io.LimitReader(f, info.Size()), bytes.NewReader([]byte(tail))),
	})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var file openai.File
	if err := c.decode(ctx, resp.Body, &file); err != nil {
		return "", err
	}
	if file.ID == "" {
		return "", errors.New("the gateway's answer holds no file")
	}
	return file.ID, nil
}

// download brings a file's content to path; an empty id brings an empty file. Under its name a file is always whole.
func (c *client) download(ctx context.Context, id, path string) error {
	return c.retry(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, transferTimeout)
		defer cancel()
		var content io.Reader = http.NoBody
		if id != "" {
			resp, err := c.do(ctx, request{method: http.MethodGet, path: "/v1/files/" + url.PathEscape(id) + "/content"})
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			content = &answerReader{ctx, c, resp.Body}
		}
		return writeWhole(path, content)
	})
}

// answerReader tells a broken connection from a full disk: its errors are the network's.
type answerReader struct {
	ctx context.Context
	c   *client
	r   io.Reader
}

func (a *answerReader) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = a.c.lost(a.ctx, err)
	}
	return n, err
}

// writeWhole writes beside path and renames.
func writeWhole(path string, content io.Reader) error {
	part := partOf(path)
	f, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return nil
}
