package config_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/config"
)

func TestReadCloud(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environ []string
		want    config.Cloud
	}{
		"defaults": {nil, config.Cloud{Database: "(default)", Port: 8080, PushAuth: "jwt"}},
		"ours": {[]string{"SLUICE_PROJECT=p", "GOOGLE_CLOUD_PROJECT=other", "SLUICE_BUCKET=gs://b", "PORT=4000", "HOST=::1",
			"SLUICE_MASTER_KEY=sk-a", "LITELLM_MASTER_KEY=sk-b", "SLUICE_CONFIG=c.yaml", "SLUICE_PUSH_AUTH=iam", "SLUICE_DATABASE=d",
			"SLUICE_PUSH_AUDIENCE=aud", "SLUICE_PUSH_EMAIL=e", "SLUICE_LOG_LEVEL=DEBUG"},
			config.Cloud{Project: "p", Database: "d", Bucket: "gs://b", Host: "::1", Port: 4000, MasterKey: "sk-a", ConfigFile: "c.yaml",
				PushAuth: "iam", PushAudience: "aud", PushEmail: "e", LogLevel: slog.LevelDebug}},
		"theirs": {[]string{"GOOGLE_CLOUD_PROJECT=p", "LITELLM_MASTER_KEY=sk-b", "CONFIG_FILE_PATH=l.yaml", "LITELLM_LOG=WARNING", "PORT="},
			config.Cloud{Project: "p", Database: "(default)", Port: 8080, MasterKey: "sk-b", ConfigFile: "l.yaml", PushAuth: "jwt", LogLevel: slog.LevelWarn}},
	} {
		got, err := config.ReadCloud(c.environ)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		equal(t, got, c.want)
	}
	if _, err := config.ReadCloud([]string{"PORT=many", "SLUICE_LOG_LEVEL=loud"}); err == nil ||
		!strings.Contains(err.Error(), "Port") || !strings.Contains(err.Error(), "LogLevel") {
		t.Errorf("got %v, want both faults", err)
	}
}

func TestCloudValidate(t *testing.T) {
	t.Parallel()
	good := config.Cloud{Project: "p", Bucket: "gs://b", Port: 8080, MasterKey: "sk-123456789", PushAuth: "jwt", PushAudience: "a", PushEmail: "e"}
	for name, c := range map[string]struct {
		service config.Service
		change  func(*config.Cloud)
		want    []string // one a line; none: valid
	}{
		"ingress":                  {config.Ingress, func(*config.Cloud) {}, nil},
		"ingress needs no push":    {config.Ingress, func(c *config.Cloud) { c.PushAuth = "?" }, nil},
		"worker":                   {config.Worker, func(*config.Cloud) {}, nil},
		"worker needs the key too": {config.Worker, func(c *config.Cloud) { c.MasterKey = "" }, []string{"master key"}},
		"worker behind IAM":        {config.Worker, func(c *config.Cloud) { c.PushAuth = "iam" }, nil},
		"worker for emulators":     {config.Worker, func(c *config.Cloud) { c.PushAuth, c.PushAudience, c.PushEmail = "none", "", "" }, nil},
		"folder":                   {config.Worker, func(c *config.Cloud) { c.Bucket = "file:///var/blobs" }, nil},
		"relative folder":          {config.Worker, func(c *config.Cloud) { c.Bucket = "file://blobs" }, []string{"SLUICE_BUCKET"}},
		"bucket with a path":       {config.Worker, func(c *config.Cloud) { c.Bucket = "gs://b/dir" }, []string{"SLUICE_BUCKET"}},
		"bucket of another scheme": {config.Worker, func(c *config.Cloud) { c.Bucket = "s3://b" }, []string{"SLUICE_BUCKET"}},
		"ingress, all wrong":       {config.Ingress, func(c *config.Cloud) { *c = config.Cloud{} }, []string{"SLUICE_PROJECT", "SLUICE_BUCKET", "PORT", "master key"}},
		"worker, all wrong":        {config.Worker, func(c *config.Cloud) { *c = config.Cloud{PushAuth: "jwt"} }, []string{"SLUICE_PROJECT", "SLUICE_BUCKET", "PORT", "master key", "AUDIENCE", "EMAIL"}},
		"worker, unknown push":     {config.Worker, func(c *config.Cloud) { c.PushAuth = "basic" }, []string{"SLUICE_PUSH_AUTH must be"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := good
			c.change(&cloud)
			err := cloud.Validate(c.service)
			var got []string
			if err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if len(got) != len(c.want) {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			for i, want := range c.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("got %q, want %q", got[i], want)
				}
			}
		})
	}
}

func TestCloudPrintsNoKey(t *testing.T) {
	t.Parallel()
	c := config.Cloud{MasterKey: "sk-very-secret"}
	if s := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(s, "very-secret") {
		t.Error(s)
	}
}
