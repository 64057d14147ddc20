package local

import (
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// maxListed is how many model names the banner shows of one provider.
const maxListed = 6

// banner tells a person where the gateway is and what to type first.
func banner(out io.Writer, at net.Addr, keyFrom string, m config.Models, router *routing.Router) {
	url := "http://" + at.String()
	key := `"$SLUICE_MASTER_KEY"`
	switch {
	case strings.HasPrefix(keyFrom, "$"):
		key = `"` + keyFrom + `"`
	case m.File == nil || keyFrom != m.File.Path:
		key = fmt.Sprintf(`"$(cat '%s')"`, strings.ReplaceAll(keyFrom, "'", `'\''`))
	}
	model := firstModel(router)
	fmt.Fprintf(out, `Sluice listens on %s
  master key  %s
  models      %s

Try it:
  KEY=%s
  curl %s/v1/models -H "Authorization: Bearer $KEY"
  curl %s/key/generate -H "Authorization: Bearer $KEY" -d '{"models": [%q]}'
  curl -N %s/v1/chat/completions -H "Authorization: Bearer $KEY" -d '{"model": %q, "stream": true, "messages": [{"role": "user", "content": "Hello"}]}'

`, url, keyFrom, names(router, ""), key, url, url, model, url, model)
}

func firstModel(router *routing.Router) string {
	for _, d := range router.Table().Models(everybody) {
		if !strings.HasSuffix(d.Model, "*") {
			return d.Model
		}
	}
	return "echo"
}

// everybody stands for a caller who may call all models.
var everybody = gateway.Principal{KeyHash: "*", Admin: true}

// names lists the models of a provider, or of all; of a long list only the beginning.
func names(router *routing.Router, provider string) string {
	var list []string
	seen := map[string]int{}
	for _, d := range router.Table().Models(everybody) {
		if provider != "" && d.Provider != provider {
			continue
		}
		switch seen[d.Provider]++; {
		case seen[d.Provider] <= maxListed:
			list = append(list, d.Model)
		case seen[d.Provider] == maxListed+1:
			list = append(list, "...")
		}
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
