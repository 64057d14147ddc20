// Package engine names what the services run on: a store, a queue and a bucket. One is embedded, one is Google's; the
// services cannot tell which.
package engine

import (
	"slices"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/ratelimit"
	"github.com/sluice-gateway/sluice/shared/response"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Engine is one of each port's drivers.
type Engine struct {
	Store  store.Store
	Queue  queue.Publisher
	Events queue.Publisher // nil: nobody can subscribe to events
	Bucket blob.Bucket
	Close  func() error
}

// Collections lists every collection of the project, with its indexes.
func Collections() []store.Collection {
	return slices.Concat(
		[]store.Collection{
			auth.Keys, auth.Aliases, account.Accounts, audit.Records, escrow.Budgets, escrow.Leases, ratelimit.Rates,
			ledger.Entries, ledger.Facts, ledger.Rollups, event.Outbox, response.Responses,
		},
		batch.Collections,
	)
}

// Subscriptions says who gets the messages of each topic. Events have none of ours: whoever wants them subscribes.
var Subscriptions = map[queue.Topic][]queue.Subscription{
	queue.Work:   {WorkPush},
	queue.Ledger: {LedgerPush},
	queue.Dead:   {DeadHeld},
}

// The subscriptions, and the worker's routes that the pushed ones go to.
const (
	WorkPush   queue.Subscription = "sluice-work-push"
	LedgerPush queue.Subscription = "sluice-ledger-push"
	DeadHeld   queue.Subscription = "sluice-dead-held" // not pushed: for a person to look at

	WorkPath   = "/push/work"
	LedgerPath = "/push/ledger"
)
