package batch

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// line is one line of a file.
type line struct {
	No      int    // from 1, blank lines counted
	Offset  int64  // of Data in the input
	End     int64  // behind its line end
	Data    []byte // without line end and surrounding white space; valid until the next line is read
	TooLong bool   // over the limit: Data is empty
}

// splitter cuts an input into lines, holding one at a time. A byte order mark at the start and blank lines are skipped;
// lines end with LF or CR LF, the last one perhaps with nothing.
type splitter struct {
	in     *bufio.Reader
	max    int // longest line, in bytes
	no     int
	offset int64
	buf    []byte
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// newSplitter reads lines from in, which begins with line number first at the offset.
func newSplitter(in io.Reader, maxLine, first int, offset int64) *splitter {
	s := &splitter{in: bufio.NewReaderSize(in, 64<<10), max: maxLine, no: first - 1, offset: offset}
	if start, _ := s.in.Peek(len(byteOrderMark)); bytes.Equal(start, byteOrderMark) {
		n, _ := s.in.Discard(len(byteOrderMark))
		s.offset += int64(n)
	}
	return s
}

// next returns the next line that is not blank, or io.EOF after the last.
func (s *splitter) next() (line, error) {
	for {
		l, err := s.raw()
		if err != nil || l.TooLong {
			return l, err
		}
		left := bytes.TrimLeft(l.Data, " \t\r\n")
		if len(left) > 0 {
			l.Offset += int64(len(l.Data) - len(left))
			l.Data = bytes.TrimRight(left, " \t\r\n")
			return l, nil
		}
	}
}

// raw reads up to and including the next LF. It keeps no more than the longest line.
func (s *splitter) raw() (line, error) {
	s.buf = s.buf[:0]
	l := line{No: s.no + 1, Offset: s.offset}
	for {
		piece, err := s.in.ReadSlice('\n')
		s.offset += int64(len(piece))
		if len(s.buf)+len(piece) > s.max+len("\r\n") {
			l.TooLong, s.buf = true, s.buf[:0]
		}
		if !l.TooLong {
			s.buf = append(s.buf, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && s.offset > l.Offset: // the last line, without line end
		case err != nil:
			return line{}, err
		}
		s.no++
		l.End, l.Data = s.offset, s.buf
		return l, nil
	}
}
