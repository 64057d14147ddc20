package dialect_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

func look(op gateway.Op, body string, hint dialect.Hint) (*dialect.Request, dialect.Head, error) {
	r := &dialect.Request{Op: op}
	fields := make([]jsonedit.Field, dialect.Steering+1)
	fields[dialect.Steering].Name = "own"
	h, err := dialect.Look(r, []byte(body), fields, hint)
	return r, h, err
}

// What steers the gateway is read from the body, or from the path.
func TestLook(t *testing.T) {
	t.Parallel()
	type seen struct {
		model  string
		stream bool
		drop   *bool
		user   string
		tags   []string
	}
	for body, want := range map[string]seen{
		`{"model":"m"}`:                                                               {model: "m"},
		`{"mod\u0065l":"m\n","stream":true}`:                                          {model: "m\n", stream: true},
		`{"model":"m","stream":null,"drop_params":null}`:                              {model: "m"},
		`{"model":"m","stream":false,"drop_params":true}`:                             {model: "m", drop: new(true)},
		`{"model":"m","user":"u","metadata":{"user_id":"x"},"safety_identifier":"s"}`: {model: "m", user: "u"},
		`{"model":"m","safety_identifier":"s"}`:                                       {model: "m", user: "s"},
		`{"model":"m","metadata":{"user_id":5},"safety_identifier":"s"}`:              {model: "m", user: "s"},
		`{"model":"m","litellm_metadata":{"user":"l","tags":["a"]},"tags":["b"],"metadata":{"tags":["c"],"user_id":"x"}}`: {model: "m", user: "l", tags: []string{"b", "c", "a"}},
		`{"model":"m","metadata":"none","litellm_metadata":[1]}`:                                                          {model: "m"},
	} {
		r, _, err := look(gateway.OpChat, body, dialect.Hint{})
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if diff := cmp.Diff(want, seen{r.Model, r.Stream, r.Drop, r.User, r.Tags}, cmp.AllowUnexported(seen{})); diff != "" || r.N != 1 {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	r, _, err := look(gateway.OpGemini, `{}`, dialect.Hint{Model: "p", Stream: true})
	if err != nil || r.Model != "p" || !r.Stream {
		t.Errorf("of the path: %q, %t, %v", r.Model, r.Stream, err)
	}
}

func TestLookRefuses(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][2]string{ // param, code
		``: {"", "empty_body"}, `[]`: {"", "invalid_type"}, `{`: {"", "invalid_json"}, `{"model":"m"}x`: {"", "invalid_json"}, "{\"a\":\"\xff\"}": {"", "invalid_utf8"},
		`{"a":` + strings.Repeat("[", 100): {"", "json_too_deep"}, `{"model":"a","model":"b"}`: {"model", "duplicate_key"}, `{"model":"m","own":1,"own":2}`: {"own", "duplicate_key"},
		`{}`: {"model", ""}, `{"model":null}`: {"model", ""}, `{"model":""}`: {"model", ""}, `{"model":5}`: {"model", "invalid_type"}, `{"model":"` + strings.Repeat("x", 600) + `"}`: {"model", ""},
		`{"model":"m","stream":"yes"}`: {"stream", "invalid_type"}, `{"model":"m","drop_params":1}`: {"drop_params", "invalid_type"}, `{"model":"m","user":1}`: {"user", "invalid_type"},
		`{"model":"m","tags":"x"}`: {"tags", "invalid_type"}, `{"model":"m","tags":[""]}`: {"tags", ""}, `{"model":"m","metadata":{"tags":[1]}}`: {"tags", "invalid_type"},
		`{"model":"m","litellm_metadata":{"tags":["` + strings.Repeat("x", 257) + `"]}}`: {"tags", ""}, `{"model":"m","tags":[` + strings.Repeat(`"a",`, 32) + `"a"]}`: {"tags", ""},
		`{"model":"m","api_base":"http://evil"}`: {"api_base", "field_not_allowed"}, `{"model":"m","api_key":null}`: {"api_key", "field_not_allowed"},
		`{"model":"m","extra_headers":{}}`: {"extra_headers", "field_not_allowed"}, `{"model":"m","litellm_params":{}}`: {"litellm_params", "field_not_allowed"},
	} {
		_, _, err := look(gateway.OpChat, body, dialect.Hint{})
		if e := gateway.AsError(err); err == nil || e.Status() != 400 || e.Param != want[0] || e.Code != want[1] {
			t.Errorf("%.60s: %v (param %q, code %q)", body, err, e.Param, e.Code)
		}
	}
}

// What is the gateway's own does not go further, and who the caller serves only where there is a place for it.
func TestStrip(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op                        gateway.Op
		body, stripped, anonymous string
	}{
		{gateway.OpChat, `{"model":"m"}`, `{"model":"m"}`, `{"model":"m"}`},
		{gateway.OpChat, `{"tags":["a"],"model":"m","drop_params":true,"litellm_metadata":{}}`, `{"model":"m"}`, `{"model":"m"}`},
		{gateway.OpChat, `{"model":"m","user":"u","metadata":{"k":"v"}}`, `{"model":"m","user":"u","metadata":{"k":"v"}}`, `{"model":"m"}`},
		{gateway.OpChat, `{"model":"m","metadata":{"tags":["a"],"user_id":"x","k":"v"},"safety_identifier":"s"}`, `{"model":"m","metadata":{"k":"v"},"safety_identifier":"s"}`, `{"model":"m"}`},
		{gateway.OpChat, `{"model":"m","metadata":{"tags":["a"],"user_id":"x"}}`, `{"model":"m"}`, `{"model":"m"}`},
		{gateway.OpMessages, `{"model":"m","metadata":{"tags":["a"],"user_id":"x"}}`, `{"model":"m","metadata":{"user_id":"x"}}`, `{"model":"m"}`},
		{gateway.OpChat, `{"model":"m","metadata":{"user_id":"x"}}`, `{"model":"m","metadata":{"user_id":"x"}}`, `{"model":"m"}`},
	} {
		_, h, err := look(c.op, c.body, dialect.Hint{})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(jsonedit.Replace(nil, []byte(c.body), h.Strip(nil)...)); got != c.stripped {
			t.Errorf("%s is stripped to %s, want %s", c.body, got, c.stripped)
		}
		if got := string(jsonedit.Replace(nil, []byte(c.body), h.StripCaller(nil)...)); got != c.anonymous {
			t.Errorf("%s is made %s, want %s", c.body, got, c.anonymous)
		}
	}
}

func TestReadCount(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]int64{`null`: 0, `1`: 1, `5`: 5, `1e1`: 10, `10.0`: 10, `0`: -1, `-1`: -1, `11`: -1, `1.5`: -1, `"5"`: -1, `true`: -1, `1e99`: -1} {
		fields := []jsonedit.Field{{Name: "n"}}
		if err := jsonedit.Scan([]byte(`{"n":`+raw+`}`), fields); err != nil {
			t.Fatal(err)
		}
		got, err := dialect.ReadCount(&fields[0], 10)
		if want >= 0 && (got != want || err != nil) || want < 0 && gateway.AsError(err).Param != "n" {
			t.Errorf("%s: %d, %v", raw, got, err)
		}
	}
}

// A bound is never less than what a vendor can make of a request.
func TestInputBound(t *testing.T) {
	t.Parallel()
	r := &dialect.Request{Body: []byte(`{"image","image","x"}`), Media: dialect.Media{Images: []string{`"image"`}, Opaque: []string{`"file"`}}}
	if got := r.InputBound(0); got < 2*48_169+int64(len(r.Body)) || got > 200_000 {
		t.Errorf("two images are bound by %d", got)
	}
	if got := r.InputBound(1000); got != 1000 {
		t.Errorf("by more than the model takes: %d", got)
	}
	r = &dialect.Request{Body: []byte(`{"file"}`), Media: r.Media}
	if got := r.InputBound(900_000); got != 900_000 {
		t.Errorf("a file is bound by %d", got)
	}
	if got := r.InputBound(0); got < 1<<20 {
		t.Errorf("a file for a model without a limit is bound by %d", got)
	}
}
