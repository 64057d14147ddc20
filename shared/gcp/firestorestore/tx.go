package firestorestore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	firestore "cloud.google.com/go/firestore/apiv1"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-gateway/sluice/shared/store"
)

// txPatience bounds a transaction with all its repetitions, in case the caller's context does not.
const txPatience = time.Minute

var errReadAfterWrite = errors.New("a transaction's reads come before its writes")

// tx is one run of a transaction.
type tx struct {
	s       *Store
	ctx     context.Context // of Store.Tx, which outlives it
	retries []byte          // the transaction that this one repeats
	id      []byte          // given by the first read; without one, the writes are one atomic commit
	writes  []*pb.Write
	read    map[store.Ref]bool
	exists  map[store.Ref]bool // after the writes so far, where they tell
	// blind tells that something is created without having been looked for: then ErrExists is the caller's to know.
	blind bool
	err   error // spoils the run, even if fn does not heed it
}

// Tx is store.Store's. Conflicts are found at the commit, so that a machine that freezes holds no locks. It repeats for up to
// a minute.
func (s *Store) Tx(ctx context.Context, fn func(store.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, txPatience)
	defer cancel()
	var retries []byte
	for try := 1; ; try++ {
		t := &tx{s: s, ctx: ctx, retries: retries, read: map[store.Ref]bool{}, exists: map[store.Ref]bool{}}
		again, err := t.run(fn)
		if !again || pause(ctx, try) != nil {
			return err
		}
		retries = t.id
	}
}

// run runs fn and commits. It tells whether a conflict asks for another run.
func (t *tx) run(fn func(store.Tx) error) (again bool, err error) {
	if err := t.ctx.Err(); err != nil {
		return false, err
	}
	err = fn(t)
	if err == nil {
		err = t.err
	}
	if err != nil {
		t.rollback()
		return status.Code(t.err) == codes.Aborted, err
	}
	if t.id == nil && len(t.writes) == 0 {
		return false, nil
	}
	err = t.commit()
	switch status.Code(err) {
	case codes.Aborted:
		again = true
	case codes.AlreadyExists:
		again = !t.blind // it was looked for and absent: someone was faster
	}
	if err != nil {
		t.rollback()
		err = fmt.Errorf("commit: %w", translate(err))
	}
	return again, err
}

// commit is not repeated when its answer is lost: the caller knows whether its writes may be made twice, we do not.
func (t *tx) commit() error {
	ctx, cancel := context.WithTimeout(t.ctx, t.s.timeout)
	defer cancel()
	client, ctx, err := t.s.connect(ctx)
	if err != nil {
		return err
	}
	_, err = client.Commit(ctx, &pb.CommitRequest{Database: t.s.database, Transaction: t.id, Writes: t.writes})
	return err
}

// rollback lets go of what the transaction holds. It would run out by itself.
func (t *tx) rollback() {
	if t.id == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), t.s.timeout)
	defer cancel()
	if client, ctx, err := t.s.connect(ctx); err == nil {
		_ = client.Rollback(ctx, &pb.RollbackRequest{Database: t.s.database, Transaction: t.id})
	}
}

// Get is store.Tx's. The first one begins the transaction.
func (t *tx) Get(ref store.Ref, into any) (store.Version, error) {
	name, err := t.s.name(ref)
	if err != nil {
		return 0, err
	}
	if len(t.writes) > 0 {
		t.err = errReadAfterWrite
	}
	if t.err != nil {
		return 0, t.err
	}
	var found *pb.Document
	var aborted error // not this call is to be repeated, but all of fn
	err = t.s.retry(t.ctx, func(ctx context.Context, client *firestore.Client) error {
		d, err := t.get(ctx, client, name, into)
		if status.Code(err) == codes.Aborted {
			aborted, err = err, nil
		}
		found = d
		return err
	})
	if t.err = errors.Join(aborted, err); t.err != nil {
		return 0, fmt.Errorf("get %s %s: %w", ref.Collection, ref.ID, translate(t.err))
	}
	t.read[ref] = true
	if found == nil {
		return 0, fmt.Errorf("get %s %s: %w", ref.Collection, ref.ID, store.ErrNotFound)
	}
	return decode(found, into)
}

func (t *tx) get(ctx context.Context, client *firestore.Client, name string, into any) (found *pb.Document, err error) {
	request := &pb.BatchGetDocumentsRequest{Database: t.s.database, Documents: []string{name}, Mask: mask(into)}
	if t.id != nil {
		request.ConsistencySelector = &pb.BatchGetDocumentsRequest_Transaction{Transaction: t.id}
	} else {
		request.ConsistencySelector = &pb.BatchGetDocumentsRequest_NewTransaction{NewTransaction: &pb.TransactionOptions{
			Mode: &pb.TransactionOptions_ReadWrite_{ReadWrite: &pb.TransactionOptions_ReadWrite{
				RetryTransaction: t.retries,
				ConcurrencyMode:  pb.TransactionOptions_OPTIMISTIC,
			}},
		}}
	}
	stream, err := client.BatchGetDocuments(ctx, request)
	if err != nil {
		return nil, err
	}
	for { // the transaction's id may come in an answer of its own
		answer, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if len(answer.Transaction) > 0 {
			t.id = answer.Transaction
		}
		if answer.Result != nil {
			return answer.GetFound(), nil
		}
	}
}

// Create is store.Tx's.
func (t *tx) Create(ref store.Ref, doc any) error {
	d, err := t.s.document(ref, doc)
	if err != nil {
		return err
	}
	if t.exists[ref] { // Firestore calls this an invalid request
		t.err = fmt.Errorf("create %s %s: %w", ref.Collection, ref.ID, store.ErrExists)
		return t.err
	}
	t.blind = t.blind || !t.read[ref]
	t.add(ref, true, create(d))
	return nil
}

func (t *tx) add(ref store.Ref, exists bool, w *pb.Write) {
	t.writes = append(t.writes, w)
	t.exists[ref] = exists
}

// Put is store.Tx's.
func (t *tx) Put(ref store.Ref, doc any) error {
	d, err := t.s.document(ref, doc)
	if err != nil {
		return err
	}
	t.add(ref, true, &pb.Write{Operation: &pb.Write_Update{Update: d}})
	return nil
}

// Add is store.Tx's. Of base, whole top-level fields are taken on.
func (t *tx) Add(ref store.Ref, base any, n store.Deltas) error {
	if base == nil {
		base = struct{}{}
	}
	d, err := t.s.document(ref, base)
	if err != nil {
		return err
	}
	w := &pb.Write{Operation: &pb.Write_Update{Update: d}, UpdateMask: &pb.DocumentMask{}}
	for _, field := range slices.Sorted(maps.Keys(n)) {
		delete(d.Fields, fieldName(field))
		w.UpdateTransforms = append(w.UpdateTransforms, &pb.DocumentTransform_FieldTransform{
			FieldPath: path(field),
			TransformType: &pb.DocumentTransform_FieldTransform_Increment{
				Increment: &pb.Value{ValueType: &pb.Value_IntegerValue{IntegerValue: n[field]}},
			},
		})
	}
	for field := range d.Fields {
		w.UpdateMask.FieldPaths = append(w.UpdateMask.FieldPaths, quote(field))
	}
	t.add(ref, true, w)
	return nil
}

// Delete is store.Tx's.
func (t *tx) Delete(ref store.Ref) error {
	name, err := t.s.name(ref)
	if err != nil {
		return err
	}
	t.add(ref, false, &pb.Write{Operation: &pb.Write_Delete{Delete: name}})
	return nil
}
