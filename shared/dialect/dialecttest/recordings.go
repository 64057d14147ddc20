package dialecttest

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
)

// Recordings are what a vendor answers by its documentation: whole in testdata/answers/*.json, and streamed in testdata/streams/*.txt.
// Beside each lies a .golden file with what is read in it, which SLUICE_UPDATE=1 writes.
type Recordings struct {
	Out dialect.Outbound
	// Wire makes of a stream's recording what is on the wire; nil if it is that already.
	Wire func(t testing.TB, recording string) []byte
}

// Run reads all recordings; the streams of them also split into two reads at every byte.
func (r Recordings) Run(t *testing.T) {
	t.Run("answers", func(t *testing.T) { Each(t, "answers/*.json", r.answer) })
	t.Run("streams", func(t *testing.T) { Each(t, "streams/*.txt", r.stream) })
}

func (r Recordings) answer(t *testing.T, name, text string) {
	got, err := r.Out.DecodeResponse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	Golden(t, "answers/"+name+".golden", ShowAnswer(got))
	for i := range got.Choices {
		if got.Choices[i].Finish == "" {
			t.Error("it does not say why it ended")
		}
	}
}

func (r Recordings) stream(t *testing.T, name, text string) {
	wire := []byte(text)
	if r.Wire != nil {
		wire = r.Wire(t, text)
	}
	events, progress, err := Read(r.Out, bytes.NewReader(wire))
	want := Show(events, progress, err)
	Golden(t, "streams/"+name+".golden", want)
	WellFormed(t, events, progress)
	same := func(how string, from io.Reader) {
		again, p, err := Read(r.Out, from)
		if !reflect.DeepEqual(again, events) || p != progress {
			t.Fatalf("%s it is another (-want +got):\n%s", how, cmp.Diff(string(want), string(Show(again, p, err))))
		}
	}
	same("byte by byte", iotest.OneByteReader(bytes.NewReader(wire)))
	for at := range wire {
		same("in two reads", io.MultiReader(bytes.NewReader(wire[:at]), bytes.NewReader(wire[at:])))
	}
}

// Each runs a test for each file that matches a pattern below testdata; its name is without folder and extension.
func Each(t *testing.T, pattern string, test func(t *testing.T, name, text string)) {
	t.Helper()
	for name, text := range Texts(t, pattern) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, name, text)
		})
	}
}

// Texts are the files that match a pattern below testdata, by their names without folder and extension.
func Texts(t testing.TB, pattern string) map[string]string {
	t.Helper()
	return TextsAt(t, filepath.Join("testdata", pattern))
}

// TextsAt are the files that match a path's pattern, by their names as those of Texts.
func TextsAt(t testing.TB, pattern string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("there is no %s: %v", pattern, err)
	}
	all := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))] = string(text)
	}
	return all
}

// Golden compares a text with the file below testdata that has what it was before. SLUICE_UPDATE=1 writes that.
func Golden(t testing.TB, file string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if os.Getenv("SLUICE_UPDATE") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
