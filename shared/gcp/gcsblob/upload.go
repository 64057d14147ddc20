package gcsblob

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/blob"
)

// chunkBytes is how much is held in memory and sent at once. The service wants multiples of 256 KiB (resumable uploads
// page, read 2026-11).
const chunkBytes = 8 << 20

// Create is blob.Bucket's. It holds up to 8 MiB in memory.
//
// Each object carries a mark of the call that made it. So when an answer was lost and the service then says that the object
// exists, we know whether it is ours.
func (b *Bucket) Create(ctx context.Context, name string, r io.Reader) (blob.Info, error) {
	if err := blob.CheckName(name); err != nil {
		return blob.Info{}, err
	}
	u := &upload{
		b: b, name: name, mark: rand.Text(),
		r: bufio.NewReader(r), crc: crc32.New(crc32.MakeTable(crc32.Castagnoli)),
	}
	o, err := u.run(ctx)
	if err == nil && (o.Size != u.total || o.CRC32C != u.checksum()) {
		err = errors.Join(errors.New("the object was damaged on its way"), u.discard(ctx, o))
	}
	if err != nil {
		return blob.Info{}, wrap("create", name, err)
	}
	return blob.Info{Name: name, Bytes: u.total}, nil
}

// upload is one object on its way.
type upload struct {
	b     *Bucket
	name  string
	mark  string // of this call, in the object's metadata
	r     *bufio.Reader
	chunk bytes.Buffer // what has been read last
	last  bool         // the chunk ends the object
	crc   hash.Hash32  // of what has been read
	total int64        // bytes read
	lost  bool         // an answer was lost that may have been the success
}

func (u *upload) run(ctx context.Context) (object, error) {
	if err := u.fill(ctx); err != nil {
		return object{}, err
	}
	if u.last {
		return u.whole(ctx)
	}
	return u.inChunks(ctx)
}

// fill reads the next chunk, and finds out whether it is the last.
func (u *upload) fill(ctx context.Context) error {
	u.chunk.Reset()
	n, err := io.CopyN(io.MultiWriter(&u.chunk, u.crc), u.r, chunkBytes)
	u.total += n
	if err == nil {
		_, err = u.r.Peek(1)
	}
	if u.last = err == io.EOF; u.last {
		err = nil
	}
	return errors.Join(err, ctx.Err())
}

func (u *upload) checksum() string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, u.crc.Sum32()))
}

// url is where the object goes, provided that no other has the name.
func (u *upload) url(kind string) string {
	return u.b.uploads + "?" + url.Values{"uploadType": {kind}, "name": {u.name}, "ifGenerationMatch": {"0"}}.Encode()
}

const (
	markKey     = "sluice-upload"
	binaryType  = "application/octet-stream"
	jsonType    = "application/json; charset=UTF-8"
	contentType = "Content-Type"
)

// metadata is what the object is to have, as JSON.
func (u *upload) metadata() string {
	return `{"metadata":{"` + markKey + `":"` + u.mark + `"}}`
}

// whole sends an object of one chunk, in one request of two parts: the metadata and the content.
func (u *upload) whole(ctx context.Context) (o object, err error) {
	part := "--" + u.mark + "\r\n" + contentType + ": "
	head := part + jsonType + "\r\n\r\n" + u.metadata() + "\r\n" + part + binaryType + "\r\n\r\n"
	r := request{
		method: http.MethodPost, url: u.url("multipart"),
		header: http.Header{contentType: {"multipart/related; boundary=" + u.mark}},
		body:   [][]byte{[]byte(head), u.chunk.Bytes(), []byte("\r\n--" + u.mark + "--\r\n")},
	}
	err = u.b.retry(ctx, func() error { return u.settle(ctx, u.b.once(ctx, r, &o), &o) })
	return o, err
}

// settle decides what an error of the request that completes the object means.
func (u *upload) settle(ctx context.Context, err error, o *object) error {
	if u.lost && statusOf(err) == http.StatusPreconditionFailed {
		found, statErr := u.b.stat(ctx, u.name)
		if statErr != nil {
			return statErr
		}
		if found.Metadata[markKey] == u.mark {
			*o = found
			return nil
		}
	}
	u.lost = u.lost || answerLost(err)
	return err
}

// inChunks sends an object of which only the first chunk has been read.
func (u *upload) inChunks(ctx context.Context) (o object, err error) {
	session, err := u.begin(ctx)
	if err != nil {
		return object{}, err
	}
	for {
		if o, err = u.sendChunk(ctx, session); err == nil && u.last {
			return o, nil
		}
		if err == nil {
			err = u.fill(ctx)
		}
		if err != nil {
			u.abandon(ctx, session)
			return object{}, err
		}
	}
}

func (u *upload) begin(ctx context.Context) (session string, err error) {
	r := request{
		method: http.MethodPost, url: u.url("resumable"),
		header: http.Header{contentType: {jsonType}, "X-Upload-Content-Type": {binaryType}},
		body:   [][]byte{[]byte(u.metadata())},
	}
	err = u.b.retry(ctx, func() error {
		answer, err := u.b.send(ctx, r)
		if err != nil {
			return err
		}
		answer.Body.Close()
		if session = answer.Header.Get("Location"); session == "" {
			return errors.New("the service began no upload")
		}
		return nil
	})
	return session, err
}

// abandon spares the service keeping what was sent, for a week.
func (u *upload) abandon(ctx context.Context, session string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = u.b.once(ctx, request{method: http.MethodDelete, url: session}, nil)
}

// discard removes a damaged object.
func (u *upload) discard(ctx context.Context, o object) error {
	generation := strconv.FormatInt(o.Generation, 10)
	return u.b.call(ctx, request{method: http.MethodDelete, url: u.b.objectURL(u.name) + "?ifGenerationMatch=" + generation}, nil)
}

// errRest says that the service has kept only a part of a chunk.
var errRest = &lostError{errors.New("the service asks for the rest")}

// sendChunk sends the chunk, and after a failure what the service says it lacks.
func (u *upload) sendChunk(ctx context.Context, session string) (o object, err error) {
	begin := u.total - int64(u.chunk.Len())
	kept, sure := begin, true
	err = u.b.retry(ctx, func() error {
		if !sure {
			var done bool
			if kept, done, err = u.put(ctx, session, u.total, &o); err != nil || done {
				return err
			}
		}
		if kept < begin || kept > u.total {
			return fmt.Errorf("the service has kept %d bytes, not %d to %d", kept, begin, u.total)
		}
		sure = false
		now, done, err := u.put(ctx, session, kept, &o)
		if err != nil || done || now == u.total && !u.last {
			return err
		}
		return errRest
	})
	return o, err
}

// put sends the chunk from an offset into the object on; from its end, it only asks. It tells how much the service has kept, or
// that the object is done.
func (u *upload) put(ctx context.Context, session string, from int64, o *object) (kept int64, done bool, err error) {
	rest := u.chunk.Bytes()[int64(u.chunk.Len())-(u.total-from):]
	span, total := "*", "*"
	if len(rest) > 0 {
		span = fmt.Sprintf("%d-%d", from, u.total-1)
	}
	if u.last {
		total = strconv.FormatInt(u.total, 10)
	}
	header := http.Header{"Content-Range": {"bytes " + span + "/" + total}}
	answer, err := u.b.send(ctx, request{method: http.MethodPut, url: session, header: header, body: [][]byte{rest}})
	if err == nil && answer.StatusCode == http.StatusPermanentRedirect {
		defer answer.Body.Close()
		kept, err = keptBytes(answer.Header.Get("Range"))
		return kept, false, err
	}
	if err == nil {
		err = decode(answer, o)
	}
	if u.last {
		err = u.settle(ctx, err, o)
	}
	return u.total, err == nil, err
}

// keptBytes reads a header like "bytes=0-262143"; without it nothing was kept.
func keptBytes(header string) (int64, error) {
	if header == "" {
		return 0, nil
	}
	last, err := strconv.ParseInt(strings.TrimPrefix(header, "bytes=0-"), 10, 64)
	if err != nil {
		return 0, errors.New("the service names no range")
	}
	return last + 1, nil
}
