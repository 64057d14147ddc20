package e2e_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
)

// TestStoredResponses keeps responses of every vendor's models, reads them, goes on from them and deletes them.
func TestStoredResponses(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	key, other := g.newKey(t, nil), g.newKey(t, nil)
	t.Run("all", func(t *testing.T) {
		for _, v := range append(vendors, vendor{name: "echo"}) {
			for _, mode := range []string{"plain", "streamed"} {
				t.Run(v.name+"/"+mode, func(t *testing.T) {
					t.Parallel()
					s := storedTest{official(g, key).Responses, official(g, other).Responses, v.model(), mode == "streamed"}
					if v.name == "echo" {
						s.model = "echo"
					}
					s.run(t)
				})
			}
		}
	})
	g.checkVendorBooks(t)
}

type storedTest struct {
	mine, other responses.ResponseService
	model       string
	streamed    bool
}

// ask makes a response.
func (s storedTest) ask(t *testing.T, p responses.ResponseNewParams) *responses.Response {
	t.Helper()
	p.Model = s.model
	talk := &responsesTalk{client: s.mine, params: p}
	var each func()
	if s.streamed {
		each = func() {}
	}
	got, err := talk.ask(t.Context(), each)
	if err != nil {
		t.Fatalf("%v: %s", err, openaiFault(err).message)
	}
	return got
}

func textInput(text string) responses.ResponseNewParamsInputUnion {
	return responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}
}

func (s storedTest) run(t *testing.T) {
	first := s.ask(t, responses.ResponseNewParams{Input: textInput("one two"), Metadata: map[string]string{"case": "7"}})
	kept, err := s.mine.Get(t.Context(), first.ID, responses.ResponseGetParams{})
	if err != nil {
		t.Fatal(err)
	}
	if kept.ID != first.ID || kept.OutputText() != first.OutputText() || kept.Model != s.model || kept.Status != "completed" ||
		kept.Metadata["case"] != "7" || kept.Usage.OutputTokens != first.Usage.OutputTokens {
		t.Errorf("kept is %s, answered was %s", kept.RawJSON(), first.RawJSON())
	}
	second := s.ask(t, responses.ResponseNewParams{Input: textInput("three"), PreviousResponseID: openai.String(first.ID)})
	if second.PreviousResponseID != first.ID || second.Usage.InputTokens <= first.Usage.InputTokens {
		t.Errorf("the second response is %s, the first was %s", second.RawJSON(), first.RawJSON())
	}
	s.items(t, second.ID, "three")
	s.items(t, first.ID, "one two")
	s.gone(t, s.other, first.ID, "another key's")
	if err := s.mine.Delete(t.Context(), first.ID); err != nil {
		t.Error(err)
	}
	s.gone(t, s.mine, first.ID, "a deleted one")
	if kept, err := s.mine.Get(t.Context(), second.ID, responses.ResponseGetParams{}); err != nil || kept.ID != second.ID {
		t.Errorf("the second response is gone too: %v", err)
	}
	unkept := s.ask(t, responses.ResponseNewParams{Input: textInput("x"), Store: openai.Bool(false)})
	s.gone(t, s.mine, unkept.ID, "one that was not to be stored")
}

// items wants one message with a text as the input of a response, whole and page by page.
func (s storedTest) items(t *testing.T, id, text string) {
	t.Helper()
	n := 0
	pages := s.mine.InputItems.ListAutoPaging(t.Context(), id, responses.InputItemListParams{Limit: openai.Int(1)})
	for pages.Next() {
		n++
		if item := pages.Current(); item.Type != "message" || item.ID == "" || !strings.Contains(item.RawJSON(), text) {
			t.Errorf("an input item of %s is %s", id, item.RawJSON())
		}
	}
	if err := pages.Err(); err != nil || n != 1 {
		t.Errorf("%d input items, %v", n, err)
	}
}

// gone wants a response to be unknown, whatever it is asked for.
func (s storedTest) gone(t *testing.T, c responses.ResponseService, id, what string) {
	t.Helper()
	_, get := c.Get(t.Context(), id, responses.ResponseGetParams{})
	_, list := c.InputItems.List(t.Context(), id, responses.InputItemListParams{})
	for name, err := range map[string]error{"get": get, "list": list, "delete": c.Delete(t.Context(), id)} {
		if statusOf(err) != http.StatusNotFound {
			t.Errorf("%s %s: %v, want status 404", name, what, err)
		}
	}
	_, err := c.New(t.Context(), responses.ResponseNewParams{Model: s.model, Input: textInput("y"), PreviousResponseID: openai.String(id)})
	var e *openai.Error
	if !errors.As(err, &e) || e.StatusCode != http.StatusBadRequest || e.Param != "previous_response_id" || e.Code != "previous_response_not_found" {
		t.Errorf("going on from %s: %v", what, err)
	}
}

// TestStoredHistoryIsBudgeted goes on from a long response with a key whose budget has no room for that: the history costs again with
// each turn, although only a word is sent to the gateway.
func TestStoredHistoryIsBudgeted(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	team := must[struct {
		ID string `json:"team_id"`
	}](t, g, masterKey, http.MethodPost, "/team/new", map[string]any{"team_alias": "history"}).ID
	rich := official(g, g.newKey(t, map[string]any{"team_id": team})).Responses
	for _, name := range []string{"responses", "azure-v1", "anthropic"} {
		p := responses.ResponseNewParams{
			Model: vendorNamed(t, name).model(), Input: textInput(strings.Repeat("x", 400_000)), MaxOutputTokens: openai.Int(16),
		}
		first, err := rich.New(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		poor := official(g, g.newKey(t, map[string]any{"team_id": team, "max_budget": 0.1})).Responses // a turn costs more
		p.Input = textInput("and?")
		if _, err := poor.New(t.Context(), p); err != nil {
			t.Errorf("%s: without a history: %v", name, err)
		}
		before := len(g.provider.Bill())
		p.PreviousResponseID = openai.String(first.ID)
		if _, err = poor.New(t.Context(), p); statusOf(err) != http.StatusTooManyRequests {
			t.Errorf("%s: %v, want status 429", name, err)
		}
		for _, l := range g.provider.Bill()[before:] {
			t.Errorf("%s: the provider's bill has %+v", name, l)
		}
	}
	g.checkVendorBooks(t)
}
