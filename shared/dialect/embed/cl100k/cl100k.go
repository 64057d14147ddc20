// Package cl100k turns tokens of OpenAI's cl100k_base vocabulary back into text. It does not make tokens. The table is part of the
// binary, in about 430 kB, and is unpacked into 1.2 MB when the first token is read.
package cl100k

import (
	"bytes"
	"compress/flate"
	_ "embed" // for the table
	"io"
	"strings"
	"sync"
)

//go:generate go run generate.go

// Ordinary is the number of tokens that are not special: the ids below it have no gaps.
const Ordinary = 100_256

// special are the tokens behind those (OpenAI's tiktoken, openai_public.py, read 2026-11).
var special = map[int64]string{
	100257: "<|endoftext|>", 100258: "<|fim_prefix|>", 100259: "<|fim_middle|>", 100260: "<|fim_suffix|>", 100276: "<|endofprompt|>",
}

//go:embed cl100k_base.flate
var packed string

type table struct {
	text []byte
	ends []uint32 // where in text the token ends
}

var unpacked = sync.OnceValue(unpack)

// unpack reads the length of each token, one byte each, and then their texts.
func unpack() table {
	raw, err := io.ReadAll(flate.NewReader(strings.NewReader(packed)))
	if err != nil || len(raw) < Ordinary {
		panic("cl100k: the vocabulary in this binary is broken")
	}
	t := table{text: bytes.Clone(raw[Ordinary:]), ends: make([]uint32, Ordinary)}
	end := uint32(0)
	for i, length := range raw[:Ordinary] {
		end += uint32(length)
		t.ends[i] = end
	}
	if int(end) != len(t.text) {
		panic("cl100k: the vocabulary in this binary is broken")
	}
	return t
}

// Append appends the bytes of a token to dst, special tokens by their names. It reports false if there is no such token. A token may be
// a part of a character: only the text of all tokens is UTF-8.
func Append(dst []byte, id int64) ([]byte, bool) {
	if id < 0 || id >= Ordinary {
		name, ok := special[id]
		return append(dst, name...), ok
	}
	t := unpacked()
	start := uint32(0)
	if id > 0 {
		start = t.ends[id-1]
	}
	return append(dst, t.text[start:t.ends[id]]...), true
}
