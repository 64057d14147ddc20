package wire

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
)

// Vectors makes one vector of length 1 from each input's hash.
func (c *Call) Vectors() [][]float32 {
	list := make([][]float32, len(c.Inputs))
	for i, in := range c.Inputs {
		h := fnv.New64a()
		fmt.Fprint(h, in)
		v := make([]float32, c.Dimensions)
		state, sum := h.Sum64(), 0.0
		for j := range v {
			state = state*6364136223846793005 + 1442695040888963407
			v[j] = float32(int32(state>>32)) / math.MaxInt32
			sum += float64(v[j]) * float64(v[j])
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(sum))
		}
		list[i] = v
	}
	return list
}

// Encoded is a vector as base64 in little endian.
func Encoded(v []float32) string {
	b, _ := binary.Append(nil, binary.LittleEndian, v)
	return base64.StdEncoding.EncodeToString(b)
}
