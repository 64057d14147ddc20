package firestorestore

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	firestore "cloud.google.com/go/firestore/apiv1"
	"github.com/google/uuid"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/sluice-gateway/sluice/shared/store"
)

// lossy returns a store on the emulator that loses the answers of as many commits as lost says.
func lossy(t *testing.T, lost *atomic.Int32) *Store {
	t.Helper()
	host := os.Getenv("FIRESTORE_EMULATOR_HOST")
	if host == "" {
		const message = "FIRESTORE_EMULATOR_HOST is not set: the Firestore emulator tests did not run"
		if os.Getenv("SLUICE_REQUIRE_EMULATORS") == "1" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	lose := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		err := invoke(ctx, method, req, reply, cc, opts...)
		if method == "/google.firestore.v1.Firestore/Commit" && lost.Add(-1) >= 0 {
			return status.Error(codes.Unavailable, "lost")
		}
		return err
	}
	conn, err := grpc.NewClient("passthrough:///"+host, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithUnaryInterceptor(lose))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{Project: "p-" + uuid.NewString()})
	if err != nil {
		t.Fatal(err)
	}
	s.client, err = firestore.NewClient(t.Context(), option.WithGRPCConn(conn))
	if err != nil {
		t.Fatal(err)
	}
	*s.client.CallOptions = firestore.CallOptions{}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	var lost atomic.Int32
	s := lossy(t, &lost)
	ref := store.Ref{Collection: "c", ID: "a"}
	type doc struct{ N int }

	lost.Store(1)
	v, err := s.Create(t.Context(), ref, doc{1})
	if err != nil || v == 0 {
		t.Fatalf("Create whose answer was lost = %v, %v; want success", v, err)
	}
	if _, err := s.Create(t.Context(), ref, doc{1}); !errors.Is(err, store.ErrExists) {
		t.Errorf("another Create of equal content = %v; want ErrExists", err)
	}
	lost.Store(1)
	next, err := s.Update(t.Context(), ref, doc{2}, v)
	if err != nil || next == v {
		t.Fatalf("Update whose answer was lost = %v, %v; want success", next, err)
	}
	if _, err := s.Update(t.Context(), ref, doc{3}, v); !errors.Is(err, store.ErrChanged) {
		t.Errorf("Update at an old version = %v; want ErrChanged", err)
	}
	lost.Store(1)
	if err := s.Delete(t.Context(), ref); err != nil {
		t.Errorf("Delete whose answer was lost: %v", err)
	}
}

func TestIncrementsAreNotRepeated(t *testing.T) {
	t.Parallel()
	var lost atomic.Int32
	s := lossy(t, &lost)
	ref := store.Ref{Collection: "c", ID: "sum"}
	lost.Store(1)
	runs := 0
	err := s.Tx(t.Context(), func(tx store.Tx) error {
		runs++
		return tx.Add(ref, nil, store.Deltas{"n": 1})
	})
	if err == nil || errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrChanged) {
		t.Errorf("Tx whose answer was lost = %v; want an error that says nothing", err)
	}
	var sum struct{ N int }
	if _, err := s.Get(t.Context(), ref, &sum); err != nil || sum.N != 1 || runs != 1 {
		t.Errorf("the sum is %d, %v after %d runs; want 1", sum.N, err, runs)
	}
}

func TestOpenDoesNotWaitForTheNetwork(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	t.Setenv("FIRESTORE_EMULATOR_HOST", silent.Addr().String())
	s, err := Open(t.Context(), Config{Project: "p", Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Get(t.Context(), store.Ref{Collection: "c", ID: "a"}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get = %v; want DeadlineExceeded", err)
	}
	for change, err := range s.Watch(t.Context(), store.Query{Collection: store.Collection{Name: "c"}}) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Watch = %v, %v; want DeadlineExceeded", change, err)
		}
	}
}
