package jsonedit_test

import (
	"math"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

func TestInt(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		raw  string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"-0", 0, true}, {"42", 42, true}, {"-42", -42, true},
		{"9223372036854775807", math.MaxInt64, true}, {"9223372036854775808", 0, false},
		{"-9223372036854775808", math.MinInt64, true}, {"-9223372036854775809", 0, false},
		{"92233720368547758070", 0, false}, {"100000000000000000000", 0, false},
		{"1e3", 1000, true}, {"1E+3", 1000, true}, {"1.0", 1, true}, {"1.50e1", 15, true}, {"-2.5e1", -25, true},
		{"1200e-2", 12, true}, {"0.001e3", 1, true}, {"0e999999999", 0, true}, {"0.0", 0, true}, {"-0.0", 0, true},
		{"9.223372036854775807e18", math.MaxInt64, true}, {"9.223372036854775808e18", 0, false},
		{"-9.223372036854775808e18", math.MinInt64, true},
		{"1.5", 0, false}, {"1e-1", 0, false}, {"1e19", 0, false}, {"1e400", 0, false}, {"1e99999999999999999999", 0, false},
		{"1e-99999999999999999999", 0, false}, {"0e99999999999999999999", 0, true},
		{"", 0, false}, {"-", 0, false}, {`"1"`, 0, false}, {"true", 0, false}, {"1x", 0, false}, {"1e", 0, false},
	} {
		if got, ok := jsonedit.Int([]byte(tc.raw)); got != tc.want || ok != tc.ok {
			t.Errorf("Int(%s) = %d, %v, want %d, %v", tc.raw, got, ok, tc.want, tc.ok)
		}
	}
	long := "1" + strings.Repeat("0", 1_000_000)
	if _, ok := jsonedit.Int([]byte(long + ".0")); ok {
		t.Error("a number of a million digits fits")
	}
	if got, ok := jsonedit.Int([]byte("1." + long[1:])); got != 1 || !ok {
		t.Errorf("got %d, %v, want 1", got, ok)
	}
}

func TestUnquote(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		raw, want string
		ok        bool
	}{
		{`""`, "", true}, {`"a"`, "a", true}, {`"ü漢😀"`, "ü漢😀", true},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t", true},
		{`"\u0041\u00fc\u6f22"`, "Aü漢", true}, {`"\ud83d\ude00"`, "😀", true}, {`"\uD83D\uDE00!"`, "😀!", true},
		{`"\ud800"`, "\ufffd", true}, {`"\ud800\u0041"`, "\ufffdA", true}, {`"\udc00\ud800"`, "\ufffd\ufffd", true},
		{`"\ud800\ud83d\ude00"`, "\ufffd😀", true}, {`"\u0000"`, "\x00", true},
		{"\"\xff\"", "\ufffd", true},
		{"", "", false}, {`"`, "", false}, {`a`, "", false}, {`"a`, "", false}, {`"\"`, "", false}, {`"\x"`, "", false},
		{`"\u12"`, "", false}, {`"\u12g4"`, "", false}, {`"a"b"`, "a", false},
	} {
		got, ok := jsonedit.Unquote([]byte(tc.raw))
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("Unquote(%s) = %q, %v, want %q, %v", tc.raw, got, ok, tc.want, tc.ok)
		}
	}
}

func TestAccessors(t *testing.T) {
	t.Parallel()
	body := []byte(`{"s":"x","n":7,"t":true,"f":false,"z":null}`)
	fields := names("s", "n", "t", "f", "z", "absent")
	if err := jsonedit.Scan(body, fields); err != nil {
		t.Fatal(err)
	}
	for i := range fields {
		f := &fields[i]
		if s, ok := f.Text(); ok != (f.Name == "s") || ok && s != "x" {
			t.Errorf("%s: Text = %q, %v", f.Name, s, ok)
		}
		if n, ok := f.Int(); ok != (f.Name == "n") || ok && n != 7 {
			t.Errorf("%s: Int = %d, %v", f.Name, n, ok)
		}
		if v, ok := f.Bool(); ok != (f.Kind == jsonedit.Bool) || v != (f.Name == "t") {
			t.Errorf("%s: Bool = %v, %v", f.Name, v, ok)
		}
		if f.Present() != (f.Name != "absent") || f.Given() != (f.Name != "absent" && f.Name != "z") {
			t.Errorf("%s: Present %v, Given %v", f.Name, f.Present(), f.Given())
		}
	}
}
