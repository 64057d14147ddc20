package converse

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream/eventstreamapi"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/sse"
)

// A frame of Amazon's event stream is a prelude (its length, that of its headers, a checksum of both), headers, a payload, and a
// checksum of all (AWS SDK for Go, read 2026-11).
const (
	preludeBytes = 12
	aroundBytes  = preludeBytes + 4 // of a frame, around headers and payload
	// maxFrameBytes bounds a frame, as sse.MaxEventBytes does an event. The format itself allows 24 MiB.
	maxFrameBytes = 16 << 20
	// maxHeaders bounds the headers of a frame, in bytes: Bedrock's have a hundred.
	maxHeaders = 16 << 10

	minBuffer     = 4 << 10
	maxEmptyReads = 100
)

// Names of frames that are no events begin with these.
const (
	exceptionName = "exception:"
	errorName     = "error:"
)

var buffers = sync.Pool{New: func() any { return new([minBuffer]byte) }}

// frames reads frames. It holds one pooled buffer of 4 KiB while it waits, and more only while a frame needs more.
type frames struct {
	src     io.Reader
	err     error  // how src ended, or why it cannot be read further
	buf     []byte // buf[start:] was not handed out yet
	start   int
	decoder *eventstream.Decoder
	payload []byte // room for the decoder's copy
}

func openFrames(r io.Reader) dialect.FrameReader {
	return &frames{src: r, decoder: eventstream.NewDecoder()}
}

// Next blocks only while no whole frame is buffered. A frame that is damaged ends the stream.
func (f *frames) Next() (dialect.Frame, error) {
	for !f.Buffered() {
		if f.err == io.EOF && len(f.buf) > f.start {
			f.err = io.ErrUnexpectedEOF
		}
		if f.err != nil {
			return dialect.Frame{}, f.err
		}
		f.fill()
	}
	raw := f.buf[f.start : f.start+f.size()]
	frame, err := f.decode(raw[:len(raw):len(raw)])
	if err != nil {
		f.err = dialect.InvalidAnswer("a frame of the stream is damaged").WithCause(err)
		f.start = len(f.buf)
		return dialect.Frame{}, f.err
	}
	f.start += len(raw)
	return frame, nil
}

// Buffered reports whether a whole frame is there.
func (f *frames) Buffered() bool {
	size := f.size()
	return size > 0 && len(f.buf)-f.start >= size
}

// size is that of the pending frame; 0 if it is not known yet. It checks the prelude first, so that nobody waits for a length that is
// none.
func (f *frames) size() int {
	pending := f.buf[f.start:]
	if len(pending) < preludeBytes || f.err == sse.ErrTooLong {
		return 0
	}
	size, headers := binary.BigEndian.Uint32(pending), binary.BigEndian.Uint32(pending[4:])
	switch {
	case crc32.ChecksumIEEE(pending[:8]) != binary.BigEndian.Uint32(pending[8:]), size < aroundBytes, headers > size-aroundBytes:
		return min(len(pending), aroundBytes) // decode will tell
	case size > maxFrameBytes || headers > maxHeaders:
		f.err = sse.ErrTooLong
		return 0
	}
	return int(size)
}

// decode checks a frame and reads its headers. Data is a part of raw.
func (f *frames) decode(raw []byte) (dialect.Frame, error) {
	headers := binary.BigEndian.Uint32(raw[4:])
	if size := binary.BigEndian.Uint32(raw); int(size) != len(raw) || size < aroundBytes || headers > size-aroundBytes {
		return dialect.Frame{}, eventstream.ChecksumError{}
	}
	m, err := f.decoder.Decode(bytes.NewReader(raw), f.payload[:0])
	if err != nil {
		return dialect.Frame{}, err
	}
	if f.payload = m.Payload; cap(f.payload) > minBuffer {
		f.payload = nil
	}
	frame := dialect.Frame{Raw: raw, Data: raw[preludeBytes+headers : len(raw)-4]}
	switch text(m, eventstreamapi.MessageTypeHeader) {
	case eventstreamapi.ExceptionMessageType:
		frame.Name = exceptionName + text(m, eventstreamapi.ExceptionTypeHeader)
	case eventstreamapi.ErrorMessageType: // its message is a header
		frame.Name = errorName + text(m, eventstreamapi.ErrorCodeHeader)
		frame.Data = []byte(text(m, eventstreamapi.ErrorMessageHeader))
	default:
		frame.Name = text(m, eventstreamapi.EventTypeHeader)
	}
	return frame, nil
}

// text is a header's value; empty if there is none or it is no text.
func text(m eventstream.Message, name string) string {
	value, _ := m.Headers.Get(name).(eventstream.StringValue)
	return string(value)
}

// Tail is what came of the frame in which the stream ended.
func (f *frames) Tail() dialect.Frame {
	if f.err != io.ErrUnexpectedEOF {
		return dialect.Frame{}
	}
	return dialect.Frame{Raw: f.buf[f.start:]}
}

// Close gives the buffer back. Next then answers io.ErrClosedPipe.
func (f *frames) Close() {
	release(f.buf)
	*f = frames{err: io.ErrClosedPipe}
}

// fill reads once, after making room.
func (f *frames) fill() {
	f.makeRoom()
	for range maxEmptyReads {
		n, err := f.src.Read(f.buf[len(f.buf):cap(f.buf)])
		f.buf = f.buf[:len(f.buf)+n]
		if f.err = err; n > 0 || err != nil {
			return
		}
	}
	f.err = io.ErrNoProgress
}

// makeRoom moves the pending bytes to the front of a buffer that has room behind them: the smallest if little is pending, the same if
// there is room, else one of twice the size, so that nobody's claim of a length takes memory before the bytes are there.
func (f *frames) makeRoom() {
	pending, old := f.buf[f.start:], f.buf
	switch {
	case len(pending) <= minBuffer/2 && cap(old) != minBuffer:
		f.buf = buffers.Get().(*[minBuffer]byte)[:]
	case len(pending) == cap(old):
		f.buf = make([]byte, min(2*cap(old), maxFrameBytes+minBuffer))
	}
	f.buf = f.buf[:copy(f.buf[:cap(f.buf)], pending)]
	f.start = 0
	if cap(old) != cap(f.buf) {
		release(old)
	}
}

func release(buf []byte) {
	if cap(buf) == minBuffer {
		buffers.Put((*[minBuffer]byte)(buf[:minBuffer]))
	}
}
