package firestorestore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"time"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sluice-gateway/sluice/shared/store"
)

// Watch is store.Store's. It is one listening stream: when the service ends it, which happens at least about once an hour, or
// loses track, the error is yielded.
func (s *Store) Watch(ctx context.Context, q store.Query) iter.Seq2[store.Change, error] {
	return func(yield func(store.Change, error) bool) {
		// Until all that stands has been delivered, silence is a fault. After that it is no news.
		patient, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		silence := time.AfterFunc(s.timeout, func() { cancel(context.DeadlineExceeded) })
		defer silence.Stop()
		err := s.watch(patient, q, silence, yield)
		if err != nil && ctx.Err() == nil {
			yield(store.Change{}, fmt.Errorf("watch %s: %w", q.Collection.Name, errors.Join(context.Cause(patient), err)))
		}
	}
}

func (s *Store) watch(ctx context.Context, q store.Query, silence *time.Timer, yield func(store.Change, error) bool) error {
	stream, err := s.listen(ctx, q)
	if err != nil {
		return err
	}
	w := &watcher{known: map[string]store.Version{}, yield: yield}
	for {
		answer, err := stream.Recv()
		if err != nil {
			return translateQuery(err)
		}
		silence.Stop() // the caller may take its time
		if more, err := w.take(answer); err != nil || !more {
			return err
		}
		if !w.live {
			silence.Reset(s.timeout)
		}
	}
}

func (s *Store) listen(ctx context.Context, q store.Query) (pb.Firestore_ListenClient, error) {
	if byIDDown(q) && (q.Limit > 0 || q.After != nil) {
		return nil, errors.New("the last ids cannot be watched")
	}
	query, err := s.structured(q)
	if err != nil {
		return nil, err
	}
	if q.Limit > 0 {
		query.Limit = wrapperspb.Int32(int32(q.Limit))
	}
	client, ctx, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	// Other calls get this header, by which the service finds the database, from their client.
	ctx = metadata.AppendToOutgoingContext(ctx, "x-goog-request-params", "database="+url.QueryEscape(s.database))
	stream, err := client.Listen(ctx)
	if err != nil {
		return nil, translate(err)
	}
	err = stream.Send(&pb.ListenRequest{
		Database: s.database,
		TargetChange: &pb.ListenRequest_AddTarget{AddTarget: &pb.Target{
			TargetId: 1,
			TargetType: &pb.Target_Query{Query: &pb.Target_QueryTarget{
				Parent:    s.database + "/documents",
				QueryType: &pb.Target_QueryTarget_StructuredQuery{StructuredQuery: query},
			}},
		}},
	})
	return stream, translate(err)
}

// watcher turns the service's answers into changes.
type watcher struct {
	known map[string]store.Version // of the documents that the query selects, by name
	stale map[string]bool          // of those, the ones not heard of since the service began anew
	anew  time.Time                // when it did, by its clock
	live  bool
	yield func(store.Change, error) bool
}

// take reports whether to go on.
func (w *watcher) take(answer *pb.ListenResponse) (more bool, err error) {
	switch r := answer.ResponseType.(type) {
	case *pb.ListenResponse_DocumentChange:
		if len(r.DocumentChange.TargetIds) == 0 {
			return w.remove(r.DocumentChange.Document.Name), nil
		}
		return w.set(r.DocumentChange.Document)
	case *pb.ListenResponse_DocumentDelete:
		return w.remove(r.DocumentDelete.Document), nil
	case *pb.ListenResponse_DocumentRemove:
		return w.remove(r.DocumentRemove.Document), nil
	case *pb.ListenResponse_Filter:
		if int(r.Filter.Count) != len(w.known) {
			return false, errors.New("the service lost track")
		}
	case *pb.ListenResponse_TargetChange:
		return w.target(r.TargetChange)
	}
	return true, nil
}

func (w *watcher) set(d *pb.Document) (more bool, err error) {
	delete(w.stale, d.Name)
	if v := version(d.UpdateTime); v <= w.known[d.Name] {
		return true, nil // it repeats itself
	}
	doc, err := toDoc(d)
	if err != nil {
		return false, err
	}
	w.known[d.Name] = doc.Version
	return w.yield(store.Change{Doc: doc}, nil), nil
}

func (w *watcher) remove(name string) (more bool) {
	if _, known := w.known[name]; !known {
		return true
	}
	delete(w.known, name)
	delete(w.stale, name)
	return w.yield(store.Change{Doc: store.Doc{ID: idOf(name)}, Removed: true}, nil)
}

func (w *watcher) target(change *pb.TargetChange) (more bool, err error) {
	switch change.TargetChangeType {
	case pb.TargetChange_REMOVE:
		return false, errors.Join(errors.New("the service gave up"), translateQuery(status.FromProto(change.Cause).Err()))
	case pb.TargetChange_RESET: // it tells all documents again
		w.stale, w.anew = map[string]bool{}, change.ReadTime.AsTime()
		for name := range w.known {
			w.stale[name] = true
		}
	case pb.TargetChange_CURRENT:
		if change.ReadTime != nil && change.ReadTime.AsTime().Before(w.anew) { // about what was told before (seen of the emulator)
			return w.goLive(), nil
		}
		for name := range w.stale {
			if !w.remove(name) {
				return false, nil
			}
		}
		return w.goLive(), nil
	}
	return true, nil
}

// goLive says once that all that stood at the start has been delivered.
func (w *watcher) goLive() (more bool) {
	if w.live {
		return true
	}
	w.live = true
	return w.yield(store.Change{Live: true}, nil)
}
