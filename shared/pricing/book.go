package pricing

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
)

//go:embed book.txt
var text string

// Book is a set of prices. It never changes.
type Book struct {
	prices  []Price
	index   map[key]int32 // of prices
	version string
}

type key struct{ provider, model string } // the model in lower case

// Default returns the book that comes with the program. It is read at the first call.
var Default = sync.OnceValue(func() *Book {
	b, err := Parse(text)
	if err != nil {
		panic(err) // the book is part of the program, and tested
	}
	return b
})

// Parse reads a book in the form of book.txt. The error names the line.
func Parse(text string) (*Book, error) {
	b, err := parse(text)
	if err != nil {
		return nil, err
	}
	var newest string
	for i := range b.prices {
		newest = max(newest, b.prices[i].Read)
	}
	hash := sha256.Sum256([]byte(text))
	b.version = newest + "-" + hex.EncodeToString(hash[:4])
	return b, nil
}

// Version names the book: the newest date on which a price was read, and a hash of the text. Ledger entries carry it.
func (b *Book) Version() string { return b.version }

// Providers are the names of the providers in the book, sorted.
func (b *Book) Providers() []string {
	var names []string
	for i := range b.prices {
		names = append(names, b.prices[i].Provider)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// imageMode is the mode of models that make images and nothing else.
const imageMode = "image_generation"

// Models are the prices of a provider, one for each name, sorted by name. Models of imageMode are found by Lookup alone: no
// route serves them.
func (b *Book) Models(provider string) []Price {
	provider = canonical(provider)
	var found []Price
	for i := range b.prices {
		if b.prices[i].Provider == provider && b.prices[i].Mode != imageMode {
			found = append(found, b.prices[i])
		}
	}
	slices.SortFunc(found, func(a, b Price) int { return strings.Compare(a.Model, b.Model) })
	return found
}
