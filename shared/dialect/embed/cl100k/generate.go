//go:build ignore

// This program makes cl100k_base.flate from the vocabulary that the module below carries.
package main

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

const (
	module = "github.com/pkoukk/tiktoken-go-loader@v0.0.2" // MIT
	file   = "assets/cl100k_base.tiktoken"
	// checksum is what OpenAI's tiktoken expects of the file (openai_public.py, read 2026-11).
	checksum = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
	tokens   = 100_256
	out      = "cl100k_base.flate"
)

func main() {
	log.SetFlags(0)
	source, err := download()
	if err != nil {
		log.Fatalf("read the vocabulary of %s: %v", module, err)
	}
	if sum := sha256.Sum256(source); hex.EncodeToString(sum[:]) != checksum {
		log.Fatalf("%s of %s is not OpenAI's: its SHA-256 is %x", file, module, sum)
	}
	raw, err := layout(source)
	if err != nil {
		log.Fatal(err)
	}
	if err := write(raw); err != nil {
		log.Fatal(err)
	}
}

func download() ([]byte, error) {
	answer, err := exec.Command("go", "mod", "download", "-json", module).Output()
	if err != nil {
		return nil, err
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(answer, &found); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(found.Dir, file))
}

// layout puts the lengths of all tokens in front of their texts. A line of the source is a text in base64 and its token.
func layout(source []byte) ([]byte, error) {
	lengths := make([]byte, 0, tokens)
	var text []byte
	for i, line := range bytes.Split(bytes.TrimSpace(source), []byte("\n")) {
		encoded, id, _ := bytes.Cut(line, []byte(" "))
		token, err := base64.StdEncoding.DecodeString(string(encoded))
		if err != nil || string(id) != strconv.Itoa(i) || len(token) == 0 || len(token) > 255 {
			return nil, fmt.Errorf("line %d is not token %d: %v", i+1, i, err)
		}
		lengths = append(lengths, byte(len(token)))
		text = append(text, token...)
	}
	if len(lengths) != tokens {
		return nil, fmt.Errorf("there are %d tokens, not %d", len(lengths), tokens)
	}
	return append(lengths, text...), nil
}

func write(raw []byte) error {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(out, packed.Bytes(), 0o644)
}
