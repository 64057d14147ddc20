package credential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

const (
	maxAnswer = 1 << 20 // bytes, of a token service's answer and of a file
	tries     = 2       // of a request to a token service: asking twice does no harm
)

var errNotMetadata = errors.New("not the address of the metadata server")

// Codes of the errors.
const (
	CodeInvalid     = "credential_invalid"     // the owner must mend it
	CodeRefused     = "credential_refused"     // a token service does not accept it
	CodeUnavailable = "credential_unavailable" // a token service is away; try again
)

func failed(kind gateway.Kind, code string, cause error) *gateway.Error {
	e := gateway.Errorf(kind, "The gateway cannot get its credential for the provider.").WithCause(cause)
	e.Code = code
	return e
}

// invalid is for what is wrong with a credential itself. The reason is for logs and must hold no secret.
func invalid(format string, args ...any) *gateway.Error {
	return failed(gateway.KindUpstream, CodeInvalid, fmt.Errorf(format, args...))
}

func unavailable(what string, cause error) *gateway.Error {
	if cause != nil {
		what += ": " + cause.Error()
	}
	return failed(gateway.KindUnavailable, CodeUnavailable, errors.New(what))
}

// service is a token service, by the name that logs know it under.
type service struct {
	name string
	to   http.RoundTripper
}

// form asks a service with a form.
func (s service) form(ctx context.Context, address string, form url.Values, sign func(*http.Request, []byte) error) ([]byte, error) {
	body := form.Encode()
	return s.ask(ctx, func() (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if sign != nil {
			err = sign(r, []byte(body))
		}
		return r, err
	})
}

// read asks a service for what needs no body.
func (s service) read(ctx context.Context, address, header, value string) ([]byte, error) {
	return s.ask(ctx, func() (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err == nil {
			r.Header.Set(header, value)
		}
		return r, err
	})
}

// ask sends the request, twice if the service is away, and returns its good answer.
func (s service) ask(ctx context.Context, request func() (*http.Request, error)) ([]byte, error) {
	for n := 1; ; n++ {
		r, err := request()
		if err != nil {
			return nil, invalid("%s cannot be asked", s.name) // the reason may hold the address, and that a secret
		}
		answer, err := s.once(r)
		if err == nil || n == tries || gateway.AsError(err).Kind != gateway.KindUnavailable || ctx.Err() != nil {
			return answer, err
		}
	}
}

func (s service) once(r *http.Request) ([]byte, error) {
	if err := secure(r.URL); err != nil {
		return nil, invalid("%s: %w", s.name, err)
	}
	response, err := s.to.RoundTrip(r)
	if err != nil {
		return nil, unavailable(s.name+" does not answer", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch status := response.StatusCode; {
	case err != nil:
		return nil, unavailable(s.name+" broke off its answer", err)
	case status == http.StatusOK:
		return answer, nil
	case status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout:
		return nil, unavailable(fmt.Sprintf("%s: status %d%s", s.name, status, reason(answer)), nil)
	default:
		return nil, failed(gateway.KindUpstream, CodeRefused, fmt.Errorf("%s: status %d%s", s.name, status, reason(answer)))
	}
}

// secure holds addresses to https: what is sent there is as good as the credential. Machines talk to their own metadata server and to
// themselves in the clear.
func secure(u *url.URL) error {
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsLinkLocalUnicast())) {
		return nil
	}
	return errors.New("its address must start with https://")
}

// errorCode finds the machine-readable reasons in an answer: OAuth's error, Azure's number for it, or the code of AWS. The services' texts
// are left out, since they quote what they were sent.
var errorCode = regexp.MustCompile(`"error"\s*:\s*"([A-Za-z0-9_.-]{1,64})"|<Code>([A-Za-z0-9_.-]{1,64})<|\b(AADSTS[0-9]{1,10})\b`)

func reason(answer []byte) (text string) {
	for _, m := range errorCode.FindAllSubmatch(answer, tries) {
		text += " " + string(bytes.Join(m[1:], nil))
	}
	return text
}

// oauthToken is how OAuth services answer.
type oauthToken struct {
	Access  string  `json:"access_token"`
	ID      string  `json:"id_token"`
	Expires seconds `json:"expires_in"`
}

// seconds are a number, or a number as text (Azure's metadata server).
type seconds int64

func (s *seconds) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	if err == nil && n >= 0 && n < 1e9 {
		*s = seconds(n)
	}
	return nil
}

// leastLife is taken where a service does not tell how long its token lives.
const leastLife = 5 * time.Minute

// parseToken reads an answer with a token.
func (s *Signers) parseToken(from string, answer []byte) (bearer, time.Time, error) {
	var t oauthToken
	if err := json.Unmarshal(answer, &t); err != nil || t.Access == "" || !printable(t.Access) {
		return bearer{}, time.Time{}, unavailable(from+" answered without a token", nil)
	}
	life := time.Duration(t.Expires) * time.Second
	if life == 0 {
		life = leastLife
	}
	return bearer{token: gateway.Secret(t.Access)}, s.Now().Add(life), nil
}

// printable reports whether text can be a header's value.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// readFile reads a small file. The error names the file, which is no secret, and not what is in it.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, invalid("%w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxAnswer))
	if err != nil {
		return nil, invalid("%w", err)
	}
	return data, nil
}
