package ingress

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/gemini"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// generateContent serves what Google's clients ask: the path has the model and, behind a colon, the method.
func (s *Server) generateContent(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	path := r.PathValue("id")
	cut := strings.LastIndexByte(path, ':')
	if cut < 0 {
		return noRoute(r)
	}
	hint := dialect.Hint{Model: path[:cut], Header: r.Header}
	op := gateway.OpGemini
	switch path[cut+1:] {
	case "generateContent":
	case "streamGenerateContent":
		hint.Stream = true
	case "countTokens":
		return s.count(w, r, p, gemini.OpCountTokens, hint, gemini.EncodeCount)
	default:
		return noRoute(r)
	}
	call, plan, err := s.ask(w, r, p, op, hint)
	if err != nil {
		return err
	}
	if hint.Stream && r.URL.Query().Get("alt") != "sse" {
		array := &arrayWriter{ResponseWriter: w}
		defer array.end()
		w = array
	}
	return s.serve(w, r, call, plan, nothing)
}

// arrayWriter turns a stream into the JSON array that Google's callers get who do not ask for server-sent events.
type arrayWriter struct {
	http.ResponseWriter
	array gemini.Array
	begun bool
	buf   []byte
}

// Unwrap lets a http.ResponseController reach the writer.
func (a *arrayWriter) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *arrayWriter) WriteHeader(status int) {
	a.begun = true
	a.Header()["Content-Type"] = []string{gemini.ArrayType}
	a.ResponseWriter.WriteHeader(status)
}

func (a *arrayWriter) Write(events []byte) (int, error) {
	a.buf = a.array.Append(a.buf[:0], events)
	_, err := a.ResponseWriter.Write(a.buf)
	return len(events), err
}

func (a *arrayWriter) end() {
	if a.begun {
		_, _ = a.ResponseWriter.Write(a.array.End(nil))
	}
}

// geminiModel is a model as Google lists it.
type geminiModel struct {
	Name        string   `json:"name"`
	DisplayName string   `json:"displayName"`
	Input       int64    `json:"inputTokenLimit,omitempty"`
	Output      int64    `json:"outputTokenLimit,omitempty"`
	Methods     []string `json:"supportedGenerationMethods"`
}

func (s *Server) geminiModels(p gateway.Principal) []geminiModel {
	list := []geminiModel{}
	for _, d := range s.everyDeployment(p) {
		if d.onlyEmbeds() || slices.ContainsFunc(list, func(m geminiModel) bool { return m.Name == "models/"+d.Model }) {
			continue
		}
		list = append(list, geminiModel{
			Name: "models/" + d.Model, DisplayName: d.Model, Input: d.price.MaxInput, Output: d.price.MaxOutput,
			Methods: []string{"generateContent", "countTokens"},
		})
	}
	return list
}

func (s *Server) listGeminiModels(w http.ResponseWriter, _ *http.Request, p gateway.Principal) error {
	return writeJSON(w, http.StatusOK, map[string]any{"models": s.geminiModels(p)})
}

func (s *Server) getGeminiModel(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id := strings.TrimPrefix(r.PathValue("id"), "models/")
	for _, m := range s.geminiModels(p) {
		if m.Name == "models/"+id {
			return writeJSON(w, http.StatusOK, m)
		}
	}
	return gateway.Errorf(gateway.KindNotFound, "Model %.100q is not found.", id)
}
