// Package local is the gateway on one machine: ingress and worker in one process, on the embedded engine. The handlers are
// those of the cloud services; only the drivers differ.
package local

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"crypto/rand"
	"encoding/base64"

	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Options are what `sluice serve` is told.
type Options struct {
	Host    string // to listen on
	Port    int
	Data    string // folder of the embedded engine; made if absent
	Config  string // LiteLLM's config.yaml; may be empty
	Model   string // serve this one model only ...
	APIBase string // ... from here ...
	Alias   string // ... under this name
	Env     func(string) string
	Log     *slog.Logger
}

// DefaultData is where the data is kept unless the owner says otherwise.
func DefaultData(env func(string) string) string {
	if dir := env("SLUICE_DATA"); dir != "" {
		return dir
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".sluice")
	}
	return ".sluice"
}

const keyFile = "master.key"

// MasterKeyFile is the file of a generated master key in a data folder.
func MasterKeyFile(data string) string { return filepath.Join(data, keyFile) }

// masterKey finds the master key and says where it comes from: the environment, the configuration, or a file that is made
// on the first start. A made-up key is good enough only for an address that nobody else reaches.
func (o *Options) masterKey(file *config.File) (gateway.Secret, string, error) {
	for _, name := range []string{"SLUICE_MASTER_KEY", "LITELLM_MASTER_KEY"} {
		if key := gateway.Secret(o.Env(name)); key != "" {
			return key, "$" + name, config.CheckMasterKey(key)
		}
	}
	if file != nil && file.MasterKey != "" {
		return file.MasterKey, o.Config, config.CheckMasterKey(file.MasterKey)
	}
	if !isLoopback(o.Host) {
		return "", "", fmt.Errorf("no master key: set SLUICE_MASTER_KEY (starts with sk-) before listening on %s, where others can reach it", o.Host)
	}
	path := MasterKeyFile(o.Data)
	key, err := readOrMake(path)
	return key, path, err
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func readOrMake(path string) (gateway.Secret, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		var b [24]byte
		rand.Read(b[:])
		text = []byte("sk-" + base64.RawURLEncoding.EncodeToString(b[:]))
		err = os.WriteFile(path, append(text, '\n'), 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("master key: %w", err)
	}
	key := gateway.Secret(strings.TrimSpace(string(text)))
	if err := config.CheckMasterKey(key); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}
