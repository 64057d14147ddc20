package gemini

import "strings"

// Names of functions begin with a letter or _ and have letters, digits and _.:- up to 128 (API reference, read 2026-11). Other vendors
// let a digit or - come first: such a name gets a prefix, which comes off when the model calls it.
const (
	namePrefix = "fn__"
	maxName    = 128
)

// writeName is a name as Google takes it. It reports false if there is no such name.
func writeName(name string) (string, bool) {
	if name == "" {
		return "", false
	}
	for i := range len(name) {
		if c := name[i]; !isLetter(c) && (c < '0' || c > '9') && !strings.ContainsRune("_.:-", rune(c)) {
			return "", false
		}
	}
	if !isLetter(name[0]) && name[0] != '_' || strings.HasPrefix(name, namePrefix) {
		name = namePrefix + name
	}
	return name, len(name) <= maxName
}

// readName undoes writeName. A model that invents a name with the prefix alone keeps it.
func readName(name string) string {
	if rest := strings.TrimPrefix(name, namePrefix); rest != "" {
		return rest
	}
	return name
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
