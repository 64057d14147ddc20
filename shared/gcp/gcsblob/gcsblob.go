// Package gcsblob is the bucket on Cloud Storage, by its JSON API and net/http alone: the vendor's client would double the
// size of our binaries.
package gcsblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2/google"

	"github.com/sluice-gateway/sluice/shared/blob"
)

var _ blob.Bucket = (*Bucket)(nil)

// Config says which bucket to use, and how to reach it.
type Config struct {
	Bucket  string
	BaseURL string        // empty: https://storage.googleapis.com
	Client  *http.Client  // adds the credentials; see Authorized. Nil: none
	Timeout time.Duration // of one request, and of silence within an answer; zero: 1 minute
}

// Bucket is a bucket on Cloud Storage. Make one with New.
type Bucket struct {
	config  Config
	objects string // URL of the bucket's objects
	uploads string // URL that new objects are sent to
}

// New returns the bucket without touching the network.
func New(c Config) (*Bucket, error) {
	if c.Bucket == "" || url.PathEscape(c.Bucket) != c.Bucket {
		return nil, fmt.Errorf("bad bucket name %q", c.Bucket)
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://storage.googleapis.com"
	}
	if c.Client == nil {
		c.Client = http.DefaultClient
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	base := strings.TrimSuffix(c.BaseURL, "/")
	return &Bucket{
		config:  c,
		objects: base + "/storage/v1/b/" + c.Bucket + "/o",
		uploads: base + "/upload/storage/v1/b/" + c.Bucket + "/o",
	}, nil
}

// Authorized returns a client with the application default credentials, for Config.Client.
func Authorized(ctx context.Context) (*http.Client, error) {
	client, err := google.DefaultClient(context.WithoutCancel(ctx), "https://www.googleapis.com/auth/devstorage.read_write")
	if err != nil {
		return nil, fmt.Errorf("find credentials for storage: %w", err)
	}
	return client, nil
}

func (b *Bucket) objectURL(name string) string { return b.objects + "/" + url.PathEscape(name) }

// object is what the service tells about one.
type object struct {
	Name       string            `json:"name"`
	Size       int64             `json:"size,string"`
	CRC32C     string            `json:"crc32c"` // of the content: base64, big-endian
	Generation int64             `json:"generation,string"`
	Metadata   map[string]string `json:"metadata"`
}

func (o object) info() blob.Info { return blob.Info{Name: o.Name, Bytes: o.Size} }

func (b *Bucket) stat(ctx context.Context, name string) (o object, err error) {
	err = b.call(ctx, request{method: http.MethodGet, url: b.objectURL(name) + "?fields=name,size,crc32c,generation,metadata"}, &o)
	return o, err
}

// Open is blob.Bucket's.
func (b *Bucket) Open(ctx context.Context, name string, from, n int64) (io.ReadCloser, error) {
	body, err := b.open(ctx, name, from, n)
	if err != nil {
		return nil, wrap("open", name, err)
	}
	return body, nil
}

func (b *Bucket) open(ctx context.Context, name string, from, n int64) (body io.ReadCloser, err error) {
	if err := blob.CheckName(name); err != nil {
		return nil, err
	}
	if from < 0 {
		return nil, fmt.Errorf("negative offset %d", from)
	}
	if n == 0 { // no range can say so
		_, err := b.stat(ctx, name)
		return http.NoBody, err
	}
	r := request{method: http.MethodGet, url: b.objectURL(name) + "?alt=media", header: http.Header{}}
	switch {
	case n > 0:
		r.header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, from+min(n, 1<<60)-1))
	case from > 0:
		r.header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	err = b.retry(ctx, func() error {
		answer, err := b.send(ctx, r)
		if err != nil {
			return err
		}
		if answer.StatusCode != http.StatusPartialContent && r.header.Get("Range") != "" {
			answer.Body.Close()
			return errors.New("the service ignored the range")
		}
		body = answer.Body
		return nil
	})
	if statusOf(err) == http.StatusRequestedRangeNotSatisfiable { // it begins at or past the end
		return http.NoBody, nil
	}
	return body, err
}

// List is blob.Bucket's. It reads pages of 1,000 objects.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		query := url.Values{"prefix": {prefix}, "maxResults": {"1000"}, "fields": {"items(name,size),nextPageToken"}}
		for {
			var page struct {
				Items []object `json:"items"`
				Next  string   `json:"nextPageToken"`
			}
			err := b.call(ctx, request{method: http.MethodGet, url: b.objects + "?" + query.Encode()}, &page)
			if err != nil {
				yield(blob.Info{}, wrap("list", prefix, err))
				return
			}
			for _, o := range page.Items {
				if !yield(o.info(), nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			query.Set("pageToken", page.Next)
		}
	}
}

// Delete is blob.Bucket's.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	if err := blob.CheckName(name); err != nil {
		return err
	}
	err := b.call(ctx, request{method: http.MethodDelete, url: b.objectURL(name)}, nil)
	if statusOf(err) == http.StatusNotFound {
		return nil
	}
	return wrap("delete", name, err)
}
