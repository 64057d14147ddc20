package config

import (
	"errors"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

const (
	keyPrefix         = "sk-"
	minMasterKeyBytes = 12
)

// CheckMasterKey holds a master key to its rules: it starts with "sk-", has at least 12 characters, and only visible ASCII
// ones, so that it survives an HTTP header. The error says how to make a good one and never repeats the key.
func CheckMasterKey(key gateway.Secret) error {
	k := key.Reveal()
	const hint = `; make one with: echo "sk-$(openssl rand -hex 22)"`
	switch {
	case k == "":
		return errors.New("there is no master key: set SLUICE_MASTER_KEY" + hint)
	case !strings.HasPrefix(k, keyPrefix):
		return errors.New(`the master key must start with "sk-"` + hint)
	case strings.ContainsFunc(k, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("the master key must have no blanks and only plain ASCII characters" + hint)
	case len(k) < minMasterKeyBytes:
		return errors.New("the master key must have at least 12 characters" + hint)
	}
	return nil
}
