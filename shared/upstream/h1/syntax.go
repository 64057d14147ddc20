package h1

import "strings"

// byteSet tells which bytes may occur.
type byteSet [256]bool

// Methods and header names are tokens (RFC 9110, 5.6.2). Hosts are names, addresses and ports; no IPv6 zones.
var (
	tokenBytes = newByteSet("!#$%&'*+-.^_`|~")
	hostBytes  = newByteSet("-._~:[]")
)

// newByteSet holds letters, digits and marks.
func newByteSet(marks string) *byteSet {
	const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var s byteSet
	for _, c := range []byte(alphanumeric + marks) {
		s[c] = true
	}
	return &s
}

func (s *byteSet) all(text string) bool {
	for _, c := range []byte(text) {
		if !s[c] {
			return false
		}
	}
	return text != ""
}

func isToken(s string) bool { return tokenBytes.all(s) }

func isHost(s string) bool { return hostBytes.all(s) }

// isControl finds what no header value may have in it: all control characters but the tab.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func isValue(s string) bool { return strings.IndexFunc(s, isControl) < 0 }
