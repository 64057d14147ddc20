package credential

import (
	"context"
	"net/url"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// identity returns the token by which the gateway proves itself to another cloud's token service. It is read anew each time: files are
// rotated, and Google's are good for an hour.
func (s *Signers) identity(ctx context.Context, id routing.Identity) (gateway.Secret, error) {
	var text []byte
	var err error
	switch {
	case id.Token != "":
		return id.Token, nil
	case id.File != "":
		text, err = readFile(id.File)
	default:
		text, err = s.metadata().read(ctx, s.MetadataURL+"/computeMetadata/v1/instance/service-accounts/default/identity?format=full&audience="+
			url.QueryEscape(id.Audience), "Metadata-Flavor", "Google")
	}
	token := strings.TrimSpace(string(text))
	if err == nil && (token == "" || !printable(token)) {
		err = invalid("the gateway's identity token is empty or no token")
	}
	return gateway.Secret(token), err
}
