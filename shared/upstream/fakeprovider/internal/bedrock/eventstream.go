package bedrock

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// ContentType implements wire.Framer.
func (converse) ContentType() string { return "application/vnd.amazon.eventstream" }

// Frame implements wire.Framer. A message is its length, the length of its headers, a checksum of these two, headers, payload and
// a checksum of it all; numbers are 32 bits, big end first (Amazon Transcribe's guide "Event stream encoding", read 2026-11).
func (converse) Frame(e wire.Event) []byte {
	headers := header(nil, ":content-type", "application/json")
	if e.Error {
		headers = header(header(headers, ":message-type", "exception"), ":exception-type", e.Name)
	} else {
		headers = header(header(headers, ":message-type", "event"), ":event-type", e.Name)
	}
	payload := e.Payload()
	const prelude, checksum = 12, 4
	b := binary.BigEndian.AppendUint32(nil, uint32(prelude+len(headers)+len(payload)+checksum))
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, headers...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// header appends a header whose value is a string.
func header(b []byte, name, value string) []byte {
	const stringType = 7
	b = append(append(b, byte(len(name))), name...)
	b = binary.BigEndian.AppendUint16(append(b, stringType), uint16(len(value)))
	return append(b, value...)
}
