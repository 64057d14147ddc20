package ingress_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/services/ingress"
)

// docs/api.md lists every route.
func TestEveryRouteIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range new(ingress.Server).Routes() {
		method, path, _ := strings.Cut(route, " ")
		path = strings.Replace(path, "...}", "}", 1)
		path = strings.Replace(path, "/end_user/", "/customer/", 1) // documented together
		if !strings.Contains(string(text), path+"`") && !strings.Contains(string(text), path+"?") {
			t.Errorf("docs/api.md does not list %s %s", method, path)
		}
	}
}
