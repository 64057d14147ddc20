package converse

import (
	"encoding/base64"
	"strings"
)

// joinBlobs puts together what came as several texts of base64, each with its own end.
func joinBlobs(pieces []string) string {
	if len(pieces) == 1 {
		return pieces[0]
	}
	var whole []byte
	for _, piece := range pieces {
		b, err := base64.StdEncoding.DecodeString(piece)
		if err != nil {
			return strings.Join(pieces, "")
		}
		whole = append(whole, b...)
	}
	return base64.StdEncoding.EncodeToString(whole)
}
