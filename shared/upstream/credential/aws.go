package credential

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/sluice-gateway/sluice/shared/routing"
)

const (
	bedrock     = "bedrock" // the name of the service in signatures
	roleSession = "sluice"
	keyLife     = 5 * time.Minute // of a profile's key: then the files are read again
)

// sign signs the request as AWS wants it (Signature Version 4).
func (s *Signers) sign(ctx context.Context, r *http.Request, body []byte, a routing.AWS) error {
	key, err := s.key(ctx, a)
	if err != nil {
		return err
	}
	return s.signAs(ctx, r, body, key, bedrock, a.Region)
}

func (s *Signers) signAs(ctx context.Context, r *http.Request, body []byte, key aws.Credentials, name, region string) error {
	own := *r.URL // the signer orders its query, and it may be shared
	r.URL = &own
	hash := sha256.Sum256(body)
	if err := s.signer.SignHTTP(ctx, key, r, hex.EncodeToString(hash[:]), name, region, s.Now()); err != nil {
		return invalid("the request cannot be signed")
	}
	return nil
}

// key is what to sign with.
func (s *Signers) key(ctx context.Context, a routing.AWS) (aws.Credentials, error) {
	if a.Role == "" && a.KeyID != "" {
		return aws.Credentials{AccessKeyID: a.KeyID, SecretAccessKey: a.Secret.Reveal(), SessionToken: a.Session.Reveal()}, nil
	}
	at := routing.Credential{Kind: routing.SigV4, AWS: a}
	return s.keys.get(ctx, at, s.Now, func(ctx context.Context) (aws.Credentials, time.Time, error) {
		if a.Role != "" {
			return s.assume(ctx, a)
		}
		profile, err := readProfile(a)
		if err != nil {
			return aws.Credentials{}, time.Time{}, err
		}
		key, err := s.key(ctx, profile)
		return key, s.Now().Add(keyLife), err
	})
}

// stsAnswer is what the token service answers to either question.
type stsAnswer struct {
	Role     stsKey `xml:"AssumeRoleResult>Credentials"`
	Identity stsKey `xml:"AssumeRoleWithWebIdentityResult>Credentials"`
}

type stsKey struct {
	ID      string    `xml:"AccessKeyId"`
	Secret  string    `xml:"SecretAccessKey"`
	Session string    `xml:"SessionToken"`
	Expires time.Time `xml:"Expiration"`
}

// assume gets a role's key, with an identity or with another key (AWS Security Token Service API reference, read 2026-11).
func (s *Signers) assume(ctx context.Context, a routing.AWS) (key aws.Credentials, expires time.Time, err error) {
	form := url.Values{"Version": {"2011-06-15"}, "RoleArn": {a.Role}, "RoleSessionName": {cmp.Or(a.RoleSession, roleSession)}}
	var sign func(*http.Request, []byte) error
	if a.Identity != (routing.Identity{}) {
		token, err := s.identity(ctx, a.Identity)
		if err != nil {
			return key, expires, err
		}
		form.Set("Action", "AssumeRoleWithWebIdentity")
		form.Set("WebIdentityToken", token.Reveal())
	} else {
		with := a
		with.Role = ""
		base, err := s.key(ctx, with)
		if err != nil {
			return key, expires, err
		}
		form.Set("Action", "AssumeRole")
		if a.ExternalID != "" {
			form.Set("ExternalId", a.ExternalID)
		}
		sign = func(r *http.Request, body []byte) error { return s.signAs(ctx, r, body, base, "sts", a.Region) }
	}
	answer, err := service{"AWS's token service", s.Network}.form(ctx, cmp.Or(a.STS, stsOf(a.Region))+"/", form, sign)
	if err != nil {
		return key, expires, err
	}
	return readKey(answer)
}

func readKey(answer []byte) (aws.Credentials, time.Time, error) {
	var a stsAnswer
	_ = xml.Unmarshal(answer, &a) // what cannot be read stays empty
	k := a.Role
	if k.ID == "" {
		k = a.Identity
	}
	if k.ID == "" || k.Secret == "" || k.Expires.IsZero() || !printable(k.ID+k.Session) {
		return aws.Credentials{}, time.Time{}, unavailable("AWS's token service answered without a key", nil)
	}
	return aws.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret, SessionToken: k.Session}, k.Expires, nil
}

// stsOf is a region's token service. China is a cloud of its own.
func stsOf(region string) string {
	host := "https://sts." + region + ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		host += ".cn"
	}
	return host
}
