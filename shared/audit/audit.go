// Package audit keeps who changed what in the management API: one record per change, written in the change's own transaction.
package audit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Records holds one document per change.
var Records = store.Collection{Name: "audit", Indexes: []store.Index{{"at"}, {"table", "at"}, {"object", "at"}, {"actor", "at"}}}

// Record is one change. It carries no secrets: what changed is named by its fields, and values are those of the row that the API
// shows.
type Record struct {
	ID     string   `json:"id"`
	At     int64    `json:"at"`     // Unix microseconds
	Actor  string   `json:"actor"`  // user id or alias; what litellm-changed-by says, if it was sent
	Key    string   `json:"key"`    // hash of the key that made the change
	Action string   `json:"action"` // created, updated, deleted, blocked, unblocked, regenerated, reset
	Table  string   `json:"table"`  // key, user, team, team_member, organization, customer, tag, budget
	Object string   `json:"object"` // id in its table
	Fields []string `json:"fields"` // that the change named, sorted
	Before string   `json:"before"` // JSON text of the row, empty if it was created
	After  string   `json:"after"`  // JSON text of the row, empty if it was deleted
}

// By is who makes a change.
type By struct {
	Principal gateway.Principal
	ChangedBy string // from litellm-changed-by; may be empty
}

// Actor is how they appear in records and in created_by.
func (b By) Actor() string {
	switch p := b.Principal; {
	case b.ChangedBy != "":
		return b.ChangedBy
	case p.UserID != "":
		return p.UserID
	case p.KeyAlias != "":
		return p.KeyAlias
	default:
		return p.KeyHash
	}
}

// Change is what a record tells.
type Change struct {
	Action, Table, Object string
	Fields                map[string]json.RawMessage // of the request
	Before, After         any                        // rows; nil for none
}

// Put writes the record of a change in the change's own transaction.
func Put(tx store.Tx, by By, c Change, now time.Time) error {
	var id [16]byte
	rand.Read(id[:])
	r := Record{
		ID: hex.EncodeToString(id[:]), At: now.UnixMicro(), Actor: by.Actor(), Key: by.Principal.KeyHash,
		Action: c.Action, Table: c.Table, Object: c.Object, Fields: []string{},
	}
	for field := range c.Fields {
		r.Fields = append(r.Fields, field)
	}
	slices.Sort(r.Fields)
	var err error
	if r.Before, err = text(c.Before); err != nil {
		return err
	}
	if r.After, err = text(c.After); err != nil {
		return err
	}
	return tx.Create(Records.Ref(r.ID), &r)
}

func text(row any) (string, error) {
	if row == nil {
		return "", nil
	}
	b, err := json.Marshal(row)
	return string(b), err
}

// Filter selects records; empty fields select all. Of Table, Object and Actor at most one is used, in that order: Object, Table,
// Actor. Times are Unix microseconds, To excluded.
type Filter struct {
	Table, Object, Actor string
	From, To             int64
	Limit                int
}

func (f Filter) query() store.Query {
	q := store.Query{Collection: Records, Order: "at", Desc: true, Limit: f.Limit}
	switch {
	case f.Object != "":
		q.Eq = map[string]any{"object": f.Object}
	case f.Table != "":
		q.Eq = map[string]any{"table": f.Table}
	case f.Actor != "":
		q.Eq = map[string]any{"actor": f.Actor}
	}
	if f.From != 0 {
		q.From = f.From
	}
	if f.To != 0 {
		q.To = f.To
	}
	return q
}

// Count is how many records the filter selects, whatever its Limit.
func Count(ctx context.Context, s store.Reader, f Filter) (int64, error) {
	f.Limit = 0
	n, _, err := s.Sum(ctx, f.query())
	return n, err
}

// Select yields the records that the filter selects, the newest first.
func Select(ctx context.Context, s store.Reader, f Filter) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for doc, err := range s.Query(ctx, f.query()) {
			var r Record
			if err == nil {
				err = doc.Decode(&r)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}
