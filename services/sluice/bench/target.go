package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	masterKey = "sk-bench-master-key-0123456789" // serves only on 127.0.0.1 and only while the benchmark runs
	model     = "gpt-3.5-turbo"
)

// target is a gateway to measure: how to start it and how to get a key for it.
type target struct {
	name   string
	bin    string
	args   func(s site) []string
	env    func(s site) []string                                             // beside PATH, HOME, TMPDIR and GOMAXPROCS
	key    func(ctx context.Context, baseURL, fields string) (string, error) // asked once for each, when it first runs; nil: no key
	health string                                                            // a path that answers 200; empty: a chat must

	translates bool // it serves translatedModel, too
}

// site is where a target runs: the address it must listen on, the upstream's host and port, a folder that outlives restarts, and in it
// the config that has translatedModel.
type site struct{ addr, host, port, mock, dir, config string }

// proxyTarget is what the others are compared with.
func proxyTarget() (target, error) {
	self, err := os.Executable()
	return target{
		name: "proxy", bin: self,
		args: func(s site) []string { return []string{roleArg, "proxy", s.addr, "http://" + s.mock} },
	}, err
}

// sluiceTarget is `sluice serve`: ingress, worker and SQLite in one process.
func sluiceTarget(bin string) target {
	return target{
		name: "sluice", bin: bin, key: generateKey, translates: true,
		args: func(s site) []string {
			return []string{"serve", "--data", s.dir, "--host", s.host, "--port", s.port,
				"--model", model, "--api_base", "http://" + s.mock + "/v1", "--config", s.config}
		},
		env: func(site) []string {
			return []string{"SLUICE_MASTER_KEY=" + masterKey, "OPENAI_API_KEY=sk-bench-upstream"}
		},
	}
}

// ingressTarget and workerTarget are the cloud services, on the Firestore emulator and our own stand-in for Pub/Sub;
// edit cloudVariables when their environment changes.
func ingressTarget(bin, pubsub string) target {
	return target{
		name: "ingress", bin: bin, env: cloudEnv(pubsub), translates: true,
		args: func(s site) []string { return []string{"--model", model, "--api_base", "http://" + s.mock + "/v1"} },
		key: func(ctx context.Context, baseURL, fields string) (string, error) {
			key, err := generateKey(ctx, baseURL, fields)
			if err != nil {
				return "", err
			}
			return key, warmEmulator(ctx, baseURL, key)
		},
	}
}

// warmEmulator makes the ingress read a document again and again: the emulator's first answers take 20 to 50 ms each,
// which is its Java warming up and nothing of ours.
func warmEmulator(ctx context.Context, baseURL, key string) error {
	for range 400 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/key/info", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("GET /key/info: status %d", resp.StatusCode)
		}
	}
	return nil
}

func workerTarget(bin, pubsub string) target {
	return target{name: "worker", bin: bin, health: "/health", env: cloudEnv(pubsub)}
}

const project = "sluice-bench"

func cloudEnv(pubsub string) func(s site) []string {
	return func(s site) []string { return cloudVariables(s, pubsub) }
}

func cloudVariables(s site, pubsub string) []string {
	return []string{
		"FIRESTORE_EMULATOR_HOST=" + os.Getenv("FIRESTORE_EMULATOR_HOST"),
		"PUBSUB_EMULATOR_HOST=" + pubsub,
		"SLUICE_PROJECT=" + project, "SLUICE_BUCKET=file://" + s.dir, "SLUICE_MASTER_KEY=" + masterKey,
		"SLUICE_PUSH_AUTH=none", "SLUICE_CONFIG=" + s.config, "HOST=" + s.host, "PORT=" + s.port, "OPENAI_API_KEY=sk-bench-upstream",
	}
}

// chooseTargets says loudly what is not run, and why.
func chooseTargets(f flags, pubsub string) []target {
	emulator := os.Getenv("FIRESTORE_EMULATOR_HOST") != ""
	var chosen []target
	for _, c := range []struct {
		target target
		cloud  bool
	}{
		{sluiceTarget(f.sluice), false}, {ingressTarget(f.ingress, pubsub), true}, {workerTarget(f.worker, pubsub), true},
	} {
		why := ""
		switch {
		case f.only != "" && f.only != c.target.name:
			why = "-only " + f.only
		case c.target.bin == "":
			why = "no -" + c.target.name + " binary given"
		case c.cloud && !emulator:
			why = "FIRESTORE_EMULATOR_HOST is not set"
		}
		if why != "" {
			fmt.Printf("*** NOT MEASURED: %s (%s)\n", c.target.name, why)
			continue
		}
		chosen = append(chosen, c.target)
	}
	return chosen
}

// plainKey and limitedKey are the fields of the keys that the load comes with: one without limits, and one with some of each kind, none
// of which is reached.
const (
	plainKey   = `{"models":["` + model + `","` + translatedModel + `"],"key_alias":"bench"}`
	limitedKey = `{"models":["` + model + `","` + translatedModel + `"],"key_alias":"bench-limited","max_budget":1000000,"budget_duration":"30d",` +
		`"budget_limits":[{"max_budget":1000000,"budget_duration":"1d"}],"model_max_budget":{"` + model + `":{"max_budget":1000000}},` +
		`"rpm_limit":1000000000,"tpm_limit":1000000000000,"max_parallel_requests":100000}`
)

// generateKey makes a virtual key with the master key, trying until the gateway is up.
func generateKey(ctx context.Context, baseURL, fields string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		key, err := tryGenerateKey(ctx, baseURL, fields)
		if err == nil {
			return key, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("POST /key/generate: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func tryGenerateKey(ctx context.Context, baseURL, fields string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, baseURL+"/key/generate", strings.NewReader(fields))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+masterKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct{ Key string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Key == "" {
		return "", fmt.Errorf("status %d, no key (%v)", resp.StatusCode, err)
	}
	return answer.Key, nil
}
