package dialect_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// fieldReaders are one reader of each sort.
var fieldReaders = map[string]dialect.Reader{
	"heat":  dialect.Number(0, 2, func(r *llm.Request) **float64 { return &r.Temperature }),
	"k":     dialect.Whole(1, 9, func(r *llm.Request, n int64) { r.TopK = &n }),
	"tier":  dialect.Into(func(r *llm.Request) *string { return &r.ServiceTier }),
	"stops": dialect.Into(func(r *llm.Request) *[]string { return &r.Stop }),
}

func TestDecode(t *testing.T) {
	t.Parallel()
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	for body, want := range map[string]llm.Request{
		`{}`: {},
		`{"heat":0.5,"k":3,"tier":"a\n","stops":["x"]}`:                                  {Temperature: new(0.5), TopK: new(int64(3)), ServiceTier: "a\n", Stop: []string{"x"}},
		`{"heat":null,"k":null,"other":null,"cheap":null}`:                               {},
		`{"model":"m","stream":true,"tags":[1],"litellm_metadata":5,"drop_params":true}`: {},
		`{"other":{"a":[1, 2]},"cheap":7}`:                                               {Extra: map[string]json.RawMessage{"other": raw(`{"a":[1, 2]}`)}, Hints: map[string]json.RawMessage{"cheap": raw("7")}},
	} {
		var got llm.Request
		if err := dialect.Decode(&got, []byte(body), fieldReaders, map[string]bool{"cheap": true}); err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	for body, param := range map[string]string{
		`{"heat":2.5}`: "heat", `{"heat":"1"}`: "heat", `{"k":0}`: "k", `{"k":10}`: "k", `{"k":1.5}`: "k", `{"tier":5}`: "tier", `{"stops":[1]}`: "stops", `{"stops":"x"}`: "stops", `{"heat":1e999}`: "heat",
	} {
		err := dialect.Decode(&llm.Request{}, []byte(body), fieldReaders, nil)
		if e := gateway.AsError(err); err == nil || e.Status() != 400 || e.Param != param {
			t.Errorf("%s: %v (param %q)", body, err, e.Param)
		}
	}
}

func TestReadNamesTheFieldWithin(t *testing.T) {
	t.Parallel()
	var into struct {
		A struct {
			B []int `json:"b"`
		} `json:"a"`
	}
	err := dialect.Read("x[0]", json.RawMessage(`{"a":{"b":"no"}}`), &into)
	if e := gateway.AsError(err); e.Param != "x[0].a.b" || e.Status() != 400 {
		t.Errorf("%v (param %q)", err, e.Param)
	}
	if got := dialect.At("messages", 3); got != "messages[3]" {
		t.Errorf("got %s", got)
	}
}
