package sqlitestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
)

// schema is what the file holds besides the collections. A message's body is apart from its deliveries, which change with
// each lease. Times are Unix nanoseconds; due is the end of the lease of a message that is out.
var schema = []string{
	`create table if not exists counter(value integer not null) strict`,
	`insert into counter select 0 where not exists (select 1 from counter)`,
	`create table if not exists messages(id integer primary key, published integer not null, attributes text,
		data blob not null) strict`,
	`create table if not exists deliveries(id integer not null, subscription text not null, due integer not null,
		attempt integer not null default 0, token integer not null default 0, primary key(id, subscription)
	) strict, without rowid`,
	`create index if not exists deliveries_due on deliveries(subscription, due, id)`,
	// The file is ours alone, so a lease that stands in it is that of a process that has died.
	`update deliveries set due = 0, token = 0 where token <> 0`,
}

const leaseSQL = `select d.id, d.attempt, m.published, m.attributes, m.data from deliveries d join messages m on m.id = d.id
	where d.subscription = ? and d.due <= ? order by d.due, d.id limit ?`

// Queue is the file's queue: a publisher and the source that a dispatcher drains.
type Queue struct {
	db            *DB
	subscriptions map[queue.Topic][]queue.Subscription
}

var (
	_ queue.Publisher = (*Queue)(nil)
	_ queue.Source    = (*Queue)(nil)
)

// Queue returns the queue in which each topic has these subscriptions. What is published to a topic without any is
// dropped, as Pub/Sub does.
func (db *DB) Queue(subscriptions map[queue.Topic][]queue.Subscription) *Queue {
	return &Queue{db, subscriptions}
}

// Publish implements queue.Publisher. The messages are published together or not at all.
func (q *Queue) Publish(ctx context.Context, topic queue.Topic, ms ...queue.Message) error {
	attributes := make([]any, len(ms))
	for i, m := range ms {
		if err := m.Check(); err != nil {
			return err
		}
		if len(m.Attributes) > 0 {
			encoded, err := json.Marshal(m.Attributes)
			if err != nil {
				return err
			}
			attributes[i] = string(encoded)
		}
	}
	subscriptions := q.subscriptions[topic]
	if len(subscriptions) == 0 || len(ms) == 0 {
		return ctx.Err()
	}
	return q.db.writer.do(ctx, func(s *session) error {
		now := q.db.now().UnixNano()
		for i, m := range ms {
			if err := s.publish(subscriptions, now, attributes[i], m.Data); err != nil {
				return err
			}
		}
		s.published = append(s.published, subscriptions...)
		return nil
	})
}

func (s *session) publish(to []queue.Subscription, now int64, attributes any, data []byte) error {
	id, err := s.next()
	if err != nil {
		return err
	}
	if data == nil {
		data = []byte{}
	}
	if _, err := s.exec("insert into messages(id, published, attributes, data) values (?, ?, ?, ?)", id, now, attributes, data); err != nil {
		return err
	}
	for _, sub := range to {
		if _, err := s.exec("insert into deliveries(id, subscription, due) values (?, ?, ?)", id, string(sub), now); err != nil {
			return err
		}
	}
	return nil
}

// Lease implements queue.Source.
func (q *Queue) Lease(ctx context.Context, sub queue.Subscription, n int, d time.Duration) (leased []queue.Leased, err error) {
	err = q.db.writer.do(ctx, func(s *session) (err error) {
		leased, err = s.lease(sub, n, q.db.now(), d)
		return err
	})
	if err != nil {
		return nil, err
	}
	return leased, nil
}

func (s *session) lease(sub queue.Subscription, n int, now time.Time, d time.Duration) (leased []queue.Leased, err error) {
	var unreadable error
	err = s.query(leaseSQL, []any{string(sub), now.UnixNano(), int64(n)}, func(row []value) bool {
		m := queue.Message{ID: strconv.FormatInt(row[0].(int64), 10), Attempt: int(row[1].(int64)) + 1,
			Published: time.Unix(0, row[2].(int64))}
		m.Data, _ = row[4].([]byte)
		if text, ok := row[3].(string); ok {
			unreadable = json.Unmarshal([]byte(text), &m.Attributes)
		}
		leased = append(leased, queue.Leased{Message: m})
		return unreadable == nil
	})
	if err != nil || unreadable != nil {
		return nil, fmt.Errorf("lease from %s: %w", sub, errors.Join(err, unreadable))
	}
	for i := range leased {
		id, _ := strconv.ParseInt(leased[i].ID, 10, 64)
		if leased[i].Token, err = s.next(); err != nil {
			return nil, err
		}
		if _, err = s.exec("update deliveries set due = ?, attempt = attempt + 1, token = ? where id = ? and subscription = ?",
			now.Add(d).UnixNano(), leased[i].Token, id, string(sub)); err != nil {
			return nil, err
		}
	}
	return leased, nil
}

// Settle implements queue.Source.
func (q *Queue) Settle(ctx context.Context, outcomes ...queue.Outcome) error {
	return q.db.writer.do(ctx, func(s *session) error {
		for _, o := range outcomes {
			if err := s.settle(o, q.db.now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// settle acts only on the lease that is still running.
func (s *session) settle(o queue.Outcome, now time.Time) error {
	id, err := strconv.ParseInt(o.ID, 10, 64)
	if err != nil {
		return nil // no message of ours
	}
	if !o.Ack {
		due := now
		if o.NotBefore.After(now) {
			due = o.NotBefore
		}
		_, err := s.exec("update deliveries set due = ?, token = 0 where id = ? and subscription = ? and token = ? and due > ?",
			due.UnixNano(), id, string(o.Subscription), o.Token, now.UnixNano())
		return err
	}
	n, err := s.exec("delete from deliveries where id = ? and subscription = ? and token = ? and due > ?",
		id, string(o.Subscription), o.Token, now.UnixNano())
	if err != nil || n == 0 {
		return err
	}
	_, err = s.exec("delete from messages where id = ?1 and not exists (select 1 from deliveries where id = ?1)", id)
	return err
}

// NextDue implements queue.Source. A message that is out is due when its lease ends.
func (q *Queue) NextDue(ctx context.Context, sub queue.Subscription) (at time.Time, ok bool, err error) {
	err = q.db.readers.use(ctx, func(c *conn) error {
		row, found, err := c.one("select due from deliveries where subscription = ? order by due limit 1", string(sub))
		if found {
			at, ok = time.Unix(0, row[0].(int64)), true
		}
		return err
	})
	return at, ok, err
}

// Published implements queue.Source.
func (q *Queue) Published(sub queue.Subscription) <-chan struct{} { return q.db.signals.of(sub) }

// signals tell dispatchers that something has come.
type signals struct {
	mu sync.Mutex
	by map[queue.Subscription]chan struct{}
}

func (s *signals) of(sub queue.Subscription) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = map[queue.Subscription]chan struct{}{}
	}
	if s.by[sub] == nil {
		s.by[sub] = make(chan struct{}, 1)
	}
	return s.by[sub]
}

func (s *signals) notify(subscriptions []queue.Subscription) {
	for _, sub := range subscriptions {
		select {
		case s.of(sub) <- struct{}{}:
		default:
		}
	}
}
