package embed

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Bytes of an answer, for the first guess of its length.
const (
	bytesPerNumber = 13 // "-0.012345678,"
	bytesPerVector = len(`{"object":"embedding","index":1000,"embedding":[]},`)
)

// Encode writes OpenAI's answer. The model is the caller's name for it. The values must be finite, as DecodeEmbedding and Check have it:
// JSON has no other numbers.
func Encode(model string, v *dialect.Vectors, inBase64 bool) []byte {
	size := 128 + len(model)
	for _, values := range v.Values {
		size += bytesPerVector + bytesPerNumber*len(values)
	}
	if inBase64 {
		size /= 2 // a number takes 16/3 bytes
	}
	dst := append(make([]byte, 0, size), `{"object":"list","data":[`...)
	var packed []byte
	for i, values := range v.Values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"object":"embedding","index":`...)
		dst = strconv.AppendInt(dst, int64(i), 10)
		dst = append(dst, `,"embedding":`...)
		if inBase64 {
			packed = appendBinary(packed[:0], values)
			dst = append(base64.StdEncoding.AppendEncode(append(dst, '"'), packed), '"')
		} else {
			dst = appendNumbers(dst, values)
		}
		dst = append(dst, '}')
	}
	dst = jsonedit.AppendQuote(append(dst, `],"model":`...), model)
	dst = strconv.AppendInt(append(dst, `,"usage":{"prompt_tokens":`...), v.Usage.InputTokens, 10)
	dst = strconv.AppendInt(append(dst, `,"total_tokens":`...), v.Usage.Total(), 10)
	return append(dst, "}}"...)
}

func appendBinary(dst []byte, values []float32) []byte {
	for _, x := range values {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(x))
	}
	return dst
}

// appendNumbers writes each value with as few digits as tell it from other float32s.
func appendNumbers(dst []byte, values []float32) []byte {
	dst = append(dst, '[')
	for i, x := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		format := byte('f')
		if size := math.Abs(float64(x)); size != 0 && (size < 1e-6 || size >= 1e21) {
			format = 'e'
		}
		dst = strconv.AppendFloat(dst, float64(x), format, -1, 32)
	}
	return append(dst, ']')
}
