// Package firestorestore is the store on Firestore in Native mode. Documents are kept as native fields, so that anyone's
// Firestore listener can read them.
//
// It speaks Firestore's gRPC interface itself: a replacement that is conditional on the update time, increments that are
// never repeated behind the caller's back and transactions that cost no call to begin are not to be had otherwise.
//
// Two fields are kept beside a document's own. TTLField is the timestamp that the service's TTL needs. And "~rev" is a random
// number given with each write: without it, a replacement by equal content would change nothing, the version included, and
// so two could win where one must.
package firestorestore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	firestore "cloud.google.com/go/firestore/apiv1"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sluice-gateway/sluice/shared/store"
)

var _ store.Store = (*Store)(nil)

// revisionField cannot be a JSON field's stored name.
const revisionField = nameMark + "rev"

// TTLField is the timestamp that Firestore's TTL policy watches, in collections that declare a TTL. It is not part of Doc.
const TTLField = "ttl_at"

// Config says which database to use.
type Config struct {
	Project  string
	Database string        // empty: "(default)"
	Timeout  time.Duration // of one call; zero: 10 s
}

// Store is a store on Firestore. Make one with Open.
type Store struct {
	database string // projects/P/databases/D
	emulator string // host:port, empty in production
	timeout  time.Duration
	ttl      map[string]string // collection to the field that Collection.TTL names

	mu     sync.Mutex
	client *firestore.Client // made by the first call
}

// Open returns a store without touching the network: the first call connects. It uses the application default credentials,
// or the emulator that FIRESTORE_EMULATOR_HOST names.
func Open(_ context.Context, c Config, collections ...store.Collection) (*Store, error) {
	if c.Project == "" {
		return nil, errors.New("firestore: no project")
	}
	if c.Database == "" {
		c.Database = "(default)"
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	s := &Store{
		database: "projects/" + c.Project + "/databases/" + c.Database,
		emulator: os.Getenv("FIRESTORE_EMULATOR_HOST"),
		timeout:  c.Timeout,
		ttl:      map[string]string{},
	}
	for _, collection := range collections {
		s.ttl[collection.Name] = collection.TTL
	}
	return s, nil
}

// Close closes the connection. No other call may be running.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		return nil
	}
	return s.client.Close()
}

// connect returns the client, which it makes at the first call, and the context for a call.
func (s *Store) connect(ctx context.Context) (*firestore.Client, context.Context, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		options, err := s.options()
		if err != nil {
			return nil, nil, fmt.Errorf("connect to firestore: %w", err)
		}
		client, err := firestore.NewClient(context.WithoutCancel(ctx), options...)
		if err != nil {
			return nil, nil, fmt.Errorf("connect to firestore: %w", err)
		}
		*client.CallOptions = firestore.CallOptions{} // no retries but our own
		s.client = client
	}
	return s.client, metadata.AppendToOutgoingContext(ctx, "google-cloud-resource-prefix", s.database), nil
}

func (s *Store) options() ([]option.ClientOption, error) {
	if s.emulator != "" {
		conn, err := grpc.NewClient("passthrough:///"+s.emulator, grpc.WithTransportCredentials(insecure.NewCredentials()))
		return []option.ClientOption{option.WithGRPCConn(conn)}, err
	}
	// A machine that was frozen wakes up with a dead connection, which a silent listener would take for no news.
	alive := grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second})
	return []option.ClientOption{option.WithGRPCDialOption(alive)}, nil
}

func (s *Store) name(ref store.Ref) (string, error) {
	if ref.Collection == "" || ref.ID == "" || len(ref.ID) > 200 || strings.Contains(ref.ID, "/") || reserved(ref.ID) {
		return "", fmt.Errorf("bad document id %q in %q", ref.ID, ref.Collection)
	}
	return s.database + "/documents/" + ref.Collection + "/" + ref.ID, nil
}

// reserved reports whether Firestore keeps a name to itself.
func reserved(name string) bool {
	return name == "." || name == ".." || len(name) >= 4 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__")
}

// document encodes a document for writing.
func (s *Store) document(ref store.Ref, doc any) (*pb.Document, error) {
	name, err := s.name(ref)
	if err != nil {
		return nil, err
	}
	fields, err := encode(doc, s.ttl[ref.Collection])
	if err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", ref.Collection, ref.ID, err)
	}
	fields[revisionField] = &pb.Value{ValueType: &pb.Value_IntegerValue{IntegerValue: rand.Int64()}}
	return &pb.Document{Name: name, Fields: fields}, nil
}

// Get is store.Reader's.
func (s *Store) Get(ctx context.Context, ref store.Ref, into any) (store.Version, error) {
	name, err := s.name(ref)
	if err != nil {
		return 0, err
	}
	d, err := s.get(ctx, name, into)
	if err != nil {
		return 0, fmt.Errorf("get %s %s: %w", ref.Collection, ref.ID, translate(err))
	}
	return decode(d, into)
}

func (s *Store) get(ctx context.Context, name string, into any) (d *pb.Document, err error) {
	err = s.retry(ctx, func(ctx context.Context, client *firestore.Client) error {
		d, err = client.GetDocument(ctx, &pb.GetDocumentRequest{Name: name, Mask: mask(into)})
		return err
	})
	return d, err
}

// Create is store.Writer's.
func (s *Store) Create(ctx context.Context, ref store.Ref, doc any) (store.Version, error) {
	d, err := s.document(ref, doc)
	if err != nil {
		return 0, err
	}
	v, err := s.write(ctx, create(d))
	if err != nil {
		return 0, fmt.Errorf("create %s %s: %w", ref.Collection, ref.ID, err)
	}
	return v, nil
}

func create(d *pb.Document) *pb.Write {
	return &pb.Write{
		Operation:       &pb.Write_Update{Update: d},
		CurrentDocument: &pb.Precondition{ConditionType: &pb.Precondition_Exists{}},
	}
}

// Update is store.Writer's.
func (s *Store) Update(ctx context.Context, ref store.Ref, doc any, ifAt store.Version) (store.Version, error) {
	d, err := s.document(ref, doc)
	if err != nil {
		return 0, err
	}
	at := timestamppb.New(time.Unix(0, int64(ifAt)))
	v, err := s.write(ctx, &pb.Write{
		Operation:       &pb.Write_Update{Update: d},
		CurrentDocument: &pb.Precondition{ConditionType: &pb.Precondition_UpdateTime{UpdateTime: at}},
	})
	if errors.Is(err, store.ErrNotFound) {
		err = store.ErrChanged
	}
	if err != nil {
		return 0, fmt.Errorf("update %s %s: %w", ref.Collection, ref.ID, err)
	}
	return v, nil
}

// Delete is store.Writer's.
func (s *Store) Delete(ctx context.Context, ref store.Ref) error {
	name, err := s.name(ref)
	if err != nil {
		return err
	}
	if _, err := s.write(ctx, &pb.Write{Operation: &pb.Write_Delete{Delete: name}}); err != nil {
		return fmt.Errorf("delete %s %s: %w", ref.Collection, ref.ID, err)
	}
	return nil
}

// write makes one write that may be repeated. If an attempt's answer was lost and the next one finds the write's condition
// gone, it was our own doing if the document has our revision.
func (s *Store) write(ctx context.Context, w *pb.Write) (v store.Version, err error) {
	uncertain := false
	err = s.retry(ctx, func(ctx context.Context, client *firestore.Client) error {
		answer, err := client.Commit(ctx, &pb.CommitRequest{Database: s.database, Writes: []*pb.Write{w}})
		if err == nil {
			v = version(answer.WriteResults[0].UpdateTime)
			return nil
		}
		if d := w.GetUpdate(); uncertain && d != nil && conditionFailed(err) {
			now, readErr := client.GetDocument(ctx, &pb.GetDocumentRequest{Name: d.Name})
			if readErr == nil && now.Fields[revisionField].GetIntegerValue() == d.Fields[revisionField].GetIntegerValue() {
				v = version(now.UpdateTime)
				return nil
			}
		}
		uncertain = uncertain || answerLost(err)
		return err
	})
	return v, translate(err)
}

func version(updated *timestamppb.Timestamp) store.Version {
	return store.Version(updated.AsTime().UnixNano())
}
