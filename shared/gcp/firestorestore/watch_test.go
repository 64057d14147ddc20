package firestorestore

import (
	"fmt"
	"net"
	"slices"
	"testing"

	firestore "cloud.google.com/go/firestore/apiv1"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sluice-gateway/sluice/shared/store"
)

// script is a service that gives these answers to a watch, and ends it.
type script struct {
	pb.UnimplementedFirestoreServer
	answers []*pb.ListenResponse
}

func (s script) Listen(stream pb.Firestore_ListenServer) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	for _, a := range s.answers {
		if err := stream.Send(a); err != nil {
			return err
		}
	}
	return nil
}

// watched lists what a watch yields until the service ends it.
func watched(t *testing.T, answers ...*pb.ListenResponse) (got []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterFirestoreServer(server, script{answers: answers})
	go server.Serve(l)
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{Project: "p"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if s.client, err = firestore.NewClient(t.Context(), option.WithGRPCConn(conn)); err != nil {
		t.Fatal(err)
	}
	for c, err := range s.Watch(t.Context(), store.Query{Collection: store.Collection{Name: "c"}}) {
		switch {
		case err != nil:
		case c.Live:
			got = append(got, "live")
		case c.Removed:
			got = append(got, "-"+c.Doc.ID)
		default:
			got = append(got, fmt.Sprint(c.Doc.ID, c.Doc.Version))
		}
	}
	return got
}

func at(second int64) *timestamppb.Timestamp { return &timestamppb.Timestamp{Seconds: second} }

func document(id string, second int64) *pb.ListenResponse {
	return &pb.ListenResponse{ResponseType: &pb.ListenResponse_DocumentChange{DocumentChange: &pb.DocumentChange{
		Document:  &pb.Document{Name: "projects/p/databases/(default)/documents/c/" + id, UpdateTime: at(second)},
		TargetIds: []int32{1},
	}}}
}

func turn(kind pb.TargetChange_TargetChangeType, second int64) *pb.ListenResponse {
	change := &pb.TargetChange{TargetChangeType: kind, TargetIds: []int32{1}}
	if second > 0 {
		change.ReadTime = at(second)
	}
	return &pb.ListenResponse{ResponseType: &pb.ListenResponse_TargetChange{TargetChange: change}}
}

const (
	reset   = pb.TargetChange_RESET
	current = pb.TargetChange_CURRENT
)

// TestWatchBeginsAnew: what a service that begins anew does not tell again is gone, but only when it has told all.
func TestWatchBeginsAnew(t *testing.T) {
	t.Parallel()
	v1, v2 := fmt.Sprint("a", version(at(1))), fmt.Sprint("a", version(at(5)))
	b1 := fmt.Sprint("b", version(at(1)))
	for name, c := range map[string]struct {
		answers []*pb.ListenResponse
		want    []string
	}{
		"a document is gone": {
			[]*pb.ListenResponse{document("a", 1), document("b", 1), turn(current, 2), turn(reset, 4), document("a", 5), turn(current, 6)},
			[]string{v1, b1, "live", v2, "-b"},
		},
		"nothing changed": {
			[]*pb.ListenResponse{document("a", 1), turn(current, 2), turn(reset, 4), document("a", 1), turn(current, 6)},
			[]string{v1, "live"},
		},
		"before the start is over": {
			[]*pb.ListenResponse{document("a", 1), turn(reset, 4), turn(current, 2), document("a", 5), turn(current, 6)},
			[]string{v1, "live", v2},
		},
		"without times": {
			[]*pb.ListenResponse{document("a", 1), turn(current, 0), turn(reset, 0), turn(current, 0)},
			[]string{v1, "live", "-a"},
		},
		"a time only at the reset": {
			[]*pb.ListenResponse{document("a", 1), turn(current, 2), turn(reset, 4), turn(current, 0)},
			[]string{v1, "live", "-a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := watched(t, c.answers...); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
