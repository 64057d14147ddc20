package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Ways in which the worker learns that a push comes from Pub/Sub.
const (
	PushJWT  = "jwt"  // it checks the signed identity token itself
	PushIAM  = "iam"  // Cloud Run has checked the caller before the request arrives
	PushNone = "none" // it does not: for emulators only
)

// Cloud is the environment of the cloud services, ingress and worker.
type Cloud struct {
	Project      string         `env:"SLUICE_PROJECT"`                         // else GOOGLE_CLOUD_PROJECT
	Database     string         `env:"SLUICE_DATABASE" envDefault:"(default)"` // of Firestore
	Bucket       string         `env:"SLUICE_BUCKET"`                          // "gs://name" or "file:///dir"
	Host         string         `env:"HOST"`                                   // empty: every address
	Port         int            `env:"PORT" envDefault:"8080"`
	MasterKey    gateway.Secret `env:"SLUICE_MASTER_KEY"` // else LITELLM_MASTER_KEY
	ConfigFile   string         `env:"SLUICE_CONFIG"`     // else CONFIG_FILE_PATH; may be empty
	PushAuth     string         `env:"SLUICE_PUSH_AUTH" envDefault:"jwt"`
	PushAudience string         `env:"SLUICE_PUSH_AUDIENCE"`
	PushEmail    string         `env:"SLUICE_PUSH_EMAIL"`                  // the service account that signs
	LogLevel     slog.Level     `env:"SLUICE_LOG_LEVEL" envDefault:"info"` // else LITELLM_LOG
}

// otherNames are variables that stand in when ours is not set.
var otherNames = map[string]string{
	"SLUICE_PROJECT":    "GOOGLE_CLOUD_PROJECT",
	"SLUICE_MASTER_KEY": "LITELLM_MASTER_KEY",
	"SLUICE_CONFIG":     "CONFIG_FILE_PATH",
	"SLUICE_LOG_LEVEL":  "LITELLM_LOG",
}

// otherLevels are LiteLLM's words for levels that slog calls otherwise.
var otherLevels = map[string]string{"WARNING": "warn", "CRITICAL": "error"}

// ReadCloud reads the struct from an environment in the form of os.Environ. The error names every variable that cannot be
// read; Validate judges the values.
func ReadCloud(environ []string) (Cloud, error) {
	vars := env.ToMap(environ)
	for ours, other := range otherNames {
		if vars[ours] == "" {
			vars[ours] = vars[other]
		}
	}
	if level, ok := otherLevels[strings.ToUpper(vars["SLUICE_LOG_LEVEL"])]; ok {
		vars["SLUICE_LOG_LEVEL"] = level
	}
	for name, value := range vars {
		if value == "" {
			delete(vars, name) // set to nothing means not set, so that the default counts
		}
	}
	c, err := env.ParseAsWithOptions[Cloud](env.Options{Environment: vars})
	if err != nil {
		return Cloud{}, fmt.Errorf("read environment: %w", err)
	}
	return c, nil
}

// Service is one of the two that Cloud configures; they need different parts of it.
type Service string

const (
	Ingress Service = "ingress"
	Worker  Service = "worker"
)

// Validate returns every fault at once, one a line.
func (c Cloud) Validate(s Service) error {
	var faults []error
	need := func(ok bool, message string) {
		if !ok {
			faults = append(faults, errors.New(message))
		}
	}
	need(c.Project != "", "SLUICE_PROJECT (or GOOGLE_CLOUD_PROJECT) is not set")
	need(validBucket(c.Bucket), `SLUICE_BUCKET must be "gs://name" or "file:///dir"`)
	need(c.Port > 0 && c.Port < 1<<16, "PORT must be from 1 to 65535")
	faults = append(faults, CheckMasterKey(c.MasterKey)) // the worker needs it too: batches may be the master key's
	if s == Worker {
		need(c.PushAuth == PushJWT || c.PushAuth == PushIAM || c.PushAuth == PushNone, "SLUICE_PUSH_AUTH must be jwt, iam or none")
		need(c.PushAuth == PushNone || c.PushAudience != "", "SLUICE_PUSH_AUDIENCE is not set")
		need(c.PushAuth == PushNone || c.PushEmail != "", "SLUICE_PUSH_EMAIL is not set")
	}
	return errors.Join(faults...)
}

func validBucket(bucket string) bool {
	u, err := url.Parse(bucket)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return false
	}
	switch u.Scheme {
	case "gs":
		return u.Host != "" && strings.Trim(u.Path, "/") == ""
	case "file":
		return u.Host == "" && filepath.IsAbs(u.Path)
	default:
		return false
	}
}
