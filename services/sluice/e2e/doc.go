// Package e2e holds the tests that run the real binaries and talk to them as callers do: over HTTP, with the official SDKs
// and from the command line. The provider behind them is the fake one, inside the test process, whose bill outlives every
// process that is killed.
package e2e
