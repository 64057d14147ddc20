package h1

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

const (
	maxInterim = 8   // 1xx heads before the answer
	maxFields  = 256 // header lines of one head
)

// exchange keeps the two parts of an answer in one allocation.
type exchange struct {
	resp http.Response
	body body
}

// receive reads the answer's head. The connection can be kept only if the request was written whole.
func (c *conn) receive(req *http.Request, keep bool) (*http.Response, error) {
	x := &exchange{}
	r := &x.resp
	r.Request = req
	if err := c.readHead(r); err != nil {
		if c.ended && errors.Is(err, ErrResponse) {
			err = io.EOF // malformed only because it is cut
		}
		return nil, unexpected(err)
	}
	left, err := framing(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResponse, err)
	}
	r.Close = r.ProtoMinor == 0 || hasToken(r.Header["Connection"], "close")
	delete(r.Header, "Connection")
	keep = keep && !r.Close && !req.Close
	if req.Method == http.MethodHead || r.StatusCode == http.StatusNoContent || r.StatusCode == http.StatusNotModified {
		keep = keep && left <= 0 && r.TransferEncoding == nil // a body nevertheless would pass for the next answer
		if left = 0; req.Method != http.MethodHead {
			r.ContentLength = 0
		}
	}
	if left == 0 {
		r.Body = http.NoBody
		c.finish(keep)
		return r, nil
	}
	x.body.init(c, req.Context(), left, r.TransferEncoding != nil, keep)
	r.Body = &x.body
	return r, nil
}

// readHead reads heads until one is not 1xx.
func (c *conn) readHead(r *http.Response) error {
	c.limit = c.t.MaxHeaderBytes
	defer func() { c.limit = unlimited }()
	for range maxInterim + 1 {
		line, err := c.in.ReadLine()
		if err != nil {
			return err
		}
		if err := parseStatus(line, r); err != nil {
			return err
		}
		fields, err := c.in.ReadMIMEHeader()
		if err != nil {
			// The parser quotes the provider at any length.
			if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
				err = fmt.Errorf("%w: malformed header", ErrResponse)
			}
			return err
		}
		if r.StatusCode >= 200 {
			r.Header = http.Header(fields)
			return checkFields(fields)
		}
		if r.StatusCode == http.StatusSwitchingProtocols {
			return fmt.Errorf("%w: 101 without having asked", ErrResponse)
		}
	}
	return fmt.Errorf("%w: more than %d heads with 1xx", ErrResponse, maxInterim)
}

// parseStatus reads "HTTP/1.1 200 OK", of which the reason may be missing.
func parseStatus(line string, r *http.Response) error {
	minor, rest, _ := strings.Cut(strings.TrimPrefix(line, "HTTP/1."), " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.ParseUint(code, 10, 16)
	if !strings.HasPrefix(line, "HTTP/1.") || minor != "0" && minor != "1" || len(code) != 3 || err != nil || status < 100 {
		return fmt.Errorf("%w: malformed status line", ErrResponse)
	}
	r.Proto, r.Status, r.StatusCode = line[:len("HTTP/1.1")], rest, int(status)
	r.ProtoMajor, r.ProtoMinor = 1, int(minor[0]-'0')
	return nil
}

// checkFields refuses what textproto lets pass: names with spaces, and any number of lines.
func checkFields(fields textproto.MIMEHeader) error {
	n := 0
	for name, values := range fields {
		if n += len(values); n > maxFields {
			return fmt.Errorf("%w: more than %d header lines", ErrResponse, maxFields)
		}
		if strings.IndexByte(name, ' ') >= 0 {
			return fmt.Errorf("%w: malformed header", ErrResponse)
		}
	}
	return nil
}

// framing finds out how long the body is and sets what net/http sets; -1: as long as chunks or the connection last.
// Two opinions about where the answer ends are none.
func framing(r *http.Response) (left int64, err error) {
	coding, lengths := r.Header["Transfer-Encoding"], r.Header["Content-Length"]
	left = -1
	switch {
	case len(coding) == 1 && strings.EqualFold(coding[0], "chunked") && len(lengths) == 0 && r.ProtoMinor == 1:
		r.TransferEncoding = []string{"chunked"}
	case len(coding) > 0:
		return 0, errors.New("unknown or contradictory transfer coding")
	case len(lengths) > 0:
		for _, l := range lengths[1:] {
			if l != lengths[0] {
				return 0, errors.New("contradictory content lengths")
			}
		}
		n, err := strconv.ParseUint(lengths[0], 10, 63)
		if err != nil {
			return 0, errors.New("invalid content length")
		}
		left = int64(n)
		r.Header["Content-Length"] = lengths[:1]
	}
	delete(r.Header, "Transfer-Encoding")
	delete(r.Header, "Trailer") // trailers are read over
	r.ContentLength = left
	return left, nil
}

func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(part, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// unexpected names an end of the stream for what it is before the answer is whole.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
