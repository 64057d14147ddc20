package batch

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// randomID is n characters that nobody can guess and that do not rise with time.
func randomID(n int) string {
	b := make([]byte, (n+1)/2)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)[:n]
}

// derivedID is n characters that are always the same for the same parts.
func derivedID(n int, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))[:n]
}

func newFileID() string { return "file-" + randomID(24) }

// resultFileID names a batch's output ("output") or error file ("error").
func resultFileID(batchID, which string) string { return "file-" + derivedID(24, batchID, which) }

func chunkID(batchID string, n int) string { return fmt.Sprintf("%s-%05d", batchID, n) }

// partID sorts by chunk, then by time.
func partID(chunk string, attempt, step int) string {
	return fmt.Sprintf("%s-%05d-%06d", chunk, attempt, step)
}
