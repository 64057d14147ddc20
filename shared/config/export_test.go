package config

import (
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// ProviderRow is what tests may know of the table.
type ProviderRow struct {
	Prefix, Word, Base string
	NeedBase           bool
	KeyEnv, BaseEnv    []string
	Kind               routing.CredentialKind
	Speaks             []gateway.Op
	Special            bool
}

func Providers() []ProviderRow {
	var out []ProviderRow
	for _, p := range providers {
		p = p.filled()
		out = append(out, ProviderRow{p.prefix, p.word, p.base, p.needBase, p.keyEnv, p.baseEnv, p.cred, p.speaks, p.make != nil})
	}
	return out
}
