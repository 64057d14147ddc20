package config

// ProviderRow is what tests may know of the table.
type ProviderRow struct {
	Prefix, Base string
	NeedBase     bool
	KeyEnv       []string
}

func Providers() []ProviderRow {
	var out []ProviderRow
	for _, p := range providers {
		out = append(out, ProviderRow{p.prefix, p.base, p.needBase, p.keyEnv})
	}
	return out
}
