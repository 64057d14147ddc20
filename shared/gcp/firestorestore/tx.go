package firestorestore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	firestore "cloud.google.com/go/firestore/apiv1"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sluice-gateway/sluice/shared/store"
)

// txPatience bounds a transaction with all its repetitions, in case the caller's context does not.
const txPatience = time.Minute

var errReadAfterWrite = errors.New("a transaction's reads come before its writes")

// tx is one run of a transaction. Nothing is locked: it reads the state of one moment, and its commit asks that what was read is
// as it was. So a machine that freezes holds up nobody, and the emulator, whose transactions lock whatever they are asked, does
// not stall for seconds where several processes write the same document.
type tx struct {
	s      *Store
	ctx    context.Context        // of Store.Tx, which outlives it
	at     *timestamppb.Timestamp // of the first read: later ones see the same state
	writes []*pb.Write
	read   map[store.Ref]*pb.Precondition // what must hold at the commit
	exists map[store.Ref]bool             // after the writes so far, where they tell
	// blind tells that something is created without having been looked for: then ErrExists is the caller's to know.
	blind bool
	err   error // spoils the run, even if fn does not heed it
}

// Tx is store.Store's. It repeats for up to a minute.
func (s *Store) Tx(ctx context.Context, fn func(store.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, txPatience)
	defer cancel()
	for {
		t := &tx{s: s, ctx: ctx, read: map[store.Ref]*pb.Precondition{}, exists: map[store.Ref]bool{}}
		start := time.Now()
		again, err := t.run(fn)
		if !again || soon(ctx, time.Since(start)) != nil {
			return err
		}
	}
}

// soon waits before another try after a conflict: somebody else has committed, so it is about taking turns. A turn takes as long as the
// last try did.
func soon(ctx context.Context, took time.Duration) error {
	return sleep(ctx, rand.N(2*max(took, 10*time.Millisecond)))
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
		return status.Code(t.err) == codes.Aborted, err
	}
	if len(t.writes) == 0 {
		return false, nil
	}
	err = t.commit()
	switch status.Code(err) {
	case codes.Aborted:
		again = true
	case codes.FailedPrecondition, codes.NotFound:
		again = true // what was read has changed
	case codes.AlreadyExists:
		again = !t.blind // it was looked for and absent: someone was faster
	}
	if err != nil {
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
	if err := t.verify(); err != nil {
		return err
	}
	_, err = client.Commit(ctx, &pb.CommitRequest{Database: t.s.database, Writes: t.writes})
	return err
}

// verify adds, for what was read and is not written, writes that change nothing but fail if it has changed.
func (t *tx) verify() error {
	for ref, condition := range t.read {
		if condition == nil {
			continue
		}
		name, err := t.s.name(ref)
		if err != nil {
			return err
		}
		w := &pb.Write{Operation: &pb.Write_Delete{Delete: name}, CurrentDocument: condition}
		if condition.GetUpdateTime() != nil {
			w.Operation, w.UpdateMask = &pb.Write_Update{Update: &pb.Document{Name: name}}, &pb.DocumentMask{}
		}
		t.writes = append(t.writes, w)
	}
	return nil
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
	if found == nil {
		t.read[ref] = &pb.Precondition{ConditionType: &pb.Precondition_Exists{}}
		return 0, fmt.Errorf("get %s %s: %w", ref.Collection, ref.ID, store.ErrNotFound)
	}
	t.read[ref] = &pb.Precondition{ConditionType: &pb.Precondition_UpdateTime{UpdateTime: found.UpdateTime}}
	return decode(found, into)
}

func (t *tx) get(ctx context.Context, client *firestore.Client, name string, into any) (found *pb.Document, err error) {
	request := &pb.BatchGetDocumentsRequest{Database: t.s.database, Documents: []string{name}, Mask: mask(into)}
	if t.at != nil {
		request.ConsistencySelector = &pb.BatchGetDocumentsRequest_ReadTime{ReadTime: t.at}
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
		if t.at == nil && answer.ReadTime != nil {
			t.at = answer.ReadTime
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
	if t.exists[ref] || t.read[ref].GetUpdateTime() != nil { // Firestore calls the former an invalid request
		t.err = fmt.Errorf("create %s %s: %w", ref.Collection, ref.ID, store.ErrExists)
		return t.err
	}
	if _, looked := t.read[ref]; !looked {
		t.blind = true
	}
	t.add(ref, true, create(d))
	return nil
}

func (t *tx) add(ref store.Ref, exists bool, w *pb.Write) {
	t.writes = append(t.writes, w)
	if c := t.read[ref]; c != nil {
		w.CurrentDocument, t.read[ref] = c, nil // once: a second write of the same document finds it changed
	}
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
