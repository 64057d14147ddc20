// Command bench measures the gateways from outside, beside a plain reverse proxy and in the same rounds: what a machine is worth
// changes by the minute, so only ratios within a round mean much. It builds nothing; run it through `make bench`.
//
// It plays four parts of its own: the upstream (instant, or paced), the plain proxy, a Pub/Sub that drops, and the load. Gateways run on one core
// (GOMAXPROCS=1, as a Cloud Run instance with one vCPU), upstream and load on the other if there is one. Figures come from
// /proc, so it runs on Linux only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// maxRun bounds a whole run, whatever is asked.
const maxRun = time.Hour

type flags struct {
	sluice, ingress, worker string
	rounds, batch           int
	only, jsonFile          string
	check                   bool
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == roleArg {
		if err := runRole(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	var f flags
	flag.StringVar(&f.sluice, "sluice", "", "the sluice binary")
	flag.StringVar(&f.ingress, "ingress", "", "the ingress binary; it runs only with the Firestore emulator")
	flag.StringVar(&f.worker, "worker", "", "the worker binary; likewise, and it only idles")
	flag.IntVar(&f.rounds, "rounds", 3, "rounds, each with every target started afresh")
	flag.StringVar(&f.only, "only", "", "measure only this target beside the proxy: sluice, ingress or worker")
	flag.IntVar(&f.batch, "batch", 0, "run one batch of that many lines through sluice instead")
	flag.StringVar(&f.jsonFile, "json", "", "also write the figures to this file")
	flag.BoolVar(&f.check, "check", false, "exit with 1 if a bound is exceeded or a request failed")
	flag.Parse()

	pinSelf()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, maxRun)
	defer cancel()
	ok, err := run(ctx, f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if !ok && f.check {
		os.Exit(1)
	}
}

// run measures what the flags ask for, prints it, and reports whether every bound holds.
func run(ctx context.Context, f flags) (bool, error) {
	if f.rounds < 1 || f.rounds > 100 || f.batch < 0 || f.batch > 50_000 {
		return false, errors.New("-rounds must be 1 to 100, -batch 0 to 50000")
	}
	dir, err := os.MkdirTemp("", "sluice-bench-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	mock, err := startMock(ctx, dir)
	if err != nil {
		return false, err
	}
	defer mock.stop()
	if f.batch > 0 {
		return runBatch(ctx, f, dir, mock.addr)
	}
	pubsub, err := startRole(ctx, "pubsub", dir)
	if err != nil {
		return false, err
	}
	defer pubsub.stop()
	targets := chooseTargets(f, pubsub.addr)
	results, err := runRounds(ctx, f.rounds, standard, targets, dir, mock)
	if err != nil {
		return false, err
	}
	return publish(os.Stdout, f.jsonFile, results)
}

const pinnedEnv = "SLUICE_BENCH_PINNED"

// pinSelf runs this program again on the last core, so that gateways have core 0 to themselves. Without taskset or a second core it
// does nothing but say so.
func pinSelf() {
	if os.Getenv(pinnedEnv) != "" {
		return
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil || runtime.NumCPU() < 2 {
		fmt.Println("NOTE: not pinned to cores (no taskset, or one core): gateway and load disturb each other")
		return
	}
	self, err := os.Executable()
	if err != nil {
		return
	}
	args := append([]string{"taskset", "-c", fmt.Sprint(runtime.NumCPU() - 1), self}, os.Args[1:]...)
	if err := syscall.Exec(taskset, args, append(os.Environ(), pinnedEnv+"=1")); err != nil {
		fmt.Println("NOTE: not pinned to cores:", err)
	}
}

// pinned puts a gateway's command on core 0 if this program is pinned to another.
func pinned(bin string, args []string) (string, []string) {
	if os.Getenv(pinnedEnv) == "" {
		return bin, args
	}
	return "taskset", append(strings.Fields("-c 0 "+bin), args...)
}
