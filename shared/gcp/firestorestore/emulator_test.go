package firestorestore_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/firestore"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/sluice-gateway/sluice/shared/gcp/firestorestore"
	"github.com/sluice-gateway/sluice/shared/store"
)

func needEmulator(t *testing.T) {
	t.Helper()
	if os.Getenv("FIRESTORE_EMULATOR_HOST") != "" {
		return
	}
	const message = "FIRESTORE_EMULATOR_HOST is not set: the Firestore emulator tests did not run"
	if os.Getenv("SLUICE_REQUIRE_EMULATORS") == "1" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// open returns a store on a database of its own.
func open(t *testing.T, project string, collections ...store.Collection) *firestorestore.Store {
	t.Helper()
	needEmulator(t)
	s, err := firestorestore.Open(t.Context(), firestorestore.Config{Project: project}, collections...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newProject() string { return "p-" + uuid.NewString() }

var jobs = store.Collection{
	Name: "jobs", TTL: "expires_at", Indexes: []store.Index{{"owner"}, {"owner", "cost"}, {"cost"}},
}

type job struct {
	Owner   string         `json:"owner"`
	Cost    int64          `json:"cost,omitempty"`
	Expires int64          `json:"expires_at,omitempty"`
	More    map[string]any `json:"more,omitempty"`
}

func TestPlainClientsReadNativeFields(t *testing.T) {
	t.Parallel()
	project := newProject()
	s := open(t, project, jobs)
	expires := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	doc := job{Owner: "team:a", Cost: 1 << 60, Expires: expires.Unix(), More: map[string]any{"list": []any{"x", nil, true}}}
	if _, err := s.Create(t.Context(), jobs.Ref("a"), doc); err != nil {
		t.Fatal(err)
	}
	plain, err := firestore.NewClient(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	snapshot, err := plain.Doc("jobs/a").Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := snapshot.Data()
	delete(got, "~rev")
	want := map[string]any{
		"owner": "team:a", "cost": int64(1 << 60), "expires_at": expires.Unix(), firestorestore.TTLField: expires,
		"more": map[string]any{"list": []any{"x", nil, true}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got - want +:\n%s", diff)
	}
}

func TestNamedDatabase(t *testing.T) {
	t.Parallel()
	project := newProject()
	usual := open(t, project, jobs)
	named, err := firestorestore.Open(t.Context(), firestorestore.Config{Project: project, Database: "named"}, jobs)
	if err != nil {
		t.Fatal(err)
	}
	defer named.Close()
	if _, err := named.Create(t.Context(), jobs.Ref("a"), job{}); err != nil {
		t.Fatal(err)
	}
	if _, err := usual.Get(t.Context(), jobs.Ref("a"), nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the default database: %v; want ErrNotFound", err)
	}
	for change, err := range named.Watch(t.Context(), store.Query{Collection: jobs}) {
		if err != nil || change.Doc.ID != "a" {
			t.Errorf("Watch = %v, %v; want a", change, err)
		}
		break
	}
}

func TestTTLIsNotPartOfTheDocument(t *testing.T) {
	t.Parallel()
	s := open(t, newProject(), jobs)
	err := s.Tx(t.Context(), func(tx store.Tx) error {
		return errors.Join(
			tx.Put(jobs.Ref("put"), job{Owner: "o", Expires: 9}),
			tx.Add(jobs.Ref("added"), job{Owner: "o", Expires: 9}, store.Deltas{"cost": 2}))
	})
	if err != nil {
		t.Fatal(err)
	}
	for doc, err := range s.Query(t.Context(), store.Query{Collection: jobs}) {
		if err != nil || strings.Contains(string(doc.JSON), firestorestore.TTLField) {
			t.Errorf("%s, %v", doc.JSON, err)
		}
	}
}

func TestOddNamesReachTheService(t *testing.T) {
	t.Parallel()
	odd := store.Collection{Name: "odd", Indexes: []store.Index{{"a.b"}, {"~x", "__y__"}}}
	s := open(t, newProject(), odd)
	doc := map[string]any{"a.b": "1", "~x": "2", "__y__": "3", "": "4", "back`tick\\": "5", "ttl_at": "6", "[]": "7"}
	if _, err := s.Create(t.Context(), odd.Ref("ü:@ .~x"), doc); err != nil {
		t.Fatal(err)
	}
	err := s.Tx(t.Context(), func(tx store.Tx) error { return tx.Add(odd.Ref("ü:@ .~x"), doc, store.Deltas{"n.m": 3, "": 4}) })
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]store.Query{
		"equal": {Collection: odd, Eq: map[string]any{"a.b": "1"}},
		"order": {Collection: odd, Eq: map[string]any{"~x": "2"}, Order: "__y__"},
	} {
		found := 0
		for d, err := range s.Query(t.Context(), q) {
			var got map[string]any
			if err = errors.Join(err, d.Decode(&got)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := map[string]any{"n.m": 3.0, "": 4.0}
			for k, v := range doc {
				if k != "" {
					want[k] = v
				}
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("%s, got - want +:\n%s", name, diff)
			}
			found++
		}
		if found != 1 {
			t.Errorf("%s: %d documents", name, found)
		}
	}
}

func TestSumWithAndWithoutAnIndex(t *testing.T) {
	t.Parallel()
	s := open(t, newProject(), jobs)
	for i, doc := range []job{{Owner: "a", Cost: 1 << 61}, {Owner: "a", Cost: 5, Expires: 7}, {Owner: "a"}, {Owner: "b", Cost: 3}} {
		if _, err := s.Create(t.Context(), jobs.Ref(string(rune('a'+i))), doc); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		q      store.Query
		fields []string
		n      int64
		sums   []int64
	}{
		{store.Query{Collection: jobs}, []string{"cost"}, 4, []int64{1<<61 + 8}},
		{store.Query{Collection: jobs, Eq: map[string]any{"owner": "a"}}, []string{"cost"}, 3, []int64{1<<61 + 5}},
		{store.Query{Collection: jobs, Eq: map[string]any{"owner": "a"}}, []string{"cost", "expires_at"}, 3, []int64{1<<61 + 5, 7}},
		{store.Query{Collection: jobs, Eq: map[string]any{"owner": "a"}, Order: "cost"}, []string{"expires_at"}, 2, []int64{7}},
		{store.Query{Collection: jobs, Eq: map[string]any{"owner": "nobody"}}, []string{"cost"}, 0, []int64{0}},
		{store.Query{Collection: jobs, Limit: 2}, []string{"cost"}, 2, []int64{1<<61 + 5}},
		{store.Query{Collection: jobs}, nil, 4, nil},
	} {
		n, sums, err := s.Sum(t.Context(), c.q, c.fields...)
		if err != nil || n != c.n || !cmp.Equal(sums, c.sums) {
			t.Errorf("Sum(%+v, %v) = %d, %v, %v; want %d, %v", c.q, c.fields, n, sums, err, c.n, c.sums)
		}
	}
}
