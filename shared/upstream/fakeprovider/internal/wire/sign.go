package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Sign is what a maker of models puts under its thoughts: "sig-" and a hash, so that only an unchanged thought fits its signature,
// and none of another maker's does.
func Sign(maker, thought string) string {
	sum := sha256.Sum256([]byte(maker + "\x00" + thought))
	return "sig-" + hex.EncodeToString(sum[:12])
}

// Seal is a thought that only its maker reads, as base64.
func Seal(maker, thought string) string {
	return base64.StdEncoding.EncodeToString([]byte(thought + "|" + Sign(maker, thought)))
}

// Sealed is whether the maker has sealed this.
func Sealed(maker, seal string) bool {
	b, err := base64.StdEncoding.DecodeString(seal)
	at := strings.LastIndexByte(string(b), '|')
	return err == nil && at >= 0 && Sign(maker, string(b[:at])) == string(b[at+1:])
}
