// Package gateway is the vocabulary of Sluice: who calls, what is asked, what it used, what it cost and what went wrong.
// It imports the standard library only, and every other package may import it.
package gateway
