package batch

import (
	"context"
	"errors"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Page selects a part of a list. Limit 0 is the default.
type Page struct {
	After string // id of the last object of the page before
	Limit int
}

// limit is the page's size, or KindInvalid.
func (p Page) limit(standard, most int) (int, error) {
	switch {
	case p.Limit == 0:
		return standard, nil
	case p.Limit < 0 || p.Limit > most:
		return 0, gateway.Invalid("limit", "limit must be between 1 and %d.", most)
	default:
		return p.Limit, nil
	}
}

// List returns the principal's files, the newest first unless ascending; purpose may be empty for all.
func (f *Files) List(ctx context.Context, p gateway.Principal, page Page, purpose string, ascending bool) (List[File], error) {
	limit, err := page.limit(maxFilesPage, maxFilesPage)
	if err != nil {
		return List[File]{}, err
	}
	q := store.Query{Collection: files, Eq: scope(p), Order: "created", Desc: !ascending}
	if purpose != "" {
		q.Eq["purpose"] = purpose
	}
	if page.After != "" {
		last, err := f.find(ctx, p, page.After)
		if err != nil {
			return List[File]{}, badCursor(err)
		}
		q.After = &store.Cursor{Value: last.Created, ID: last.ID}
	}
	now := f.Now().Unix()
	return collect(ctx, f.Store, q, limit, func(doc *fileDoc) (File, string, bool, error) {
		return doc.object(), doc.ID, !doc.gone(now), nil
	})
}

// scope is the condition on what a principal sees.
func scope(p gateway.Principal) map[string]any {
	if p.Admin {
		return map[string]any{}
	}
	return map[string]any{"owner": p.Owner().String()}
}

// badCursor turns the absence of a page's After into a fault of the request.
func badCursor(err error) error {
	var e *gateway.Error
	if errors.As(err, &e) && e.Kind == gateway.KindNotFound {
		return gateway.Invalid("after", "after must be the id of an object in the list.")
	}
	return err
}

// collect makes a page of the documents that show keeps.
func collect[D, O any](ctx context.Context, s store.Store, q store.Query, limit int, show func(*D) (o O, id string, keep bool, err error)) (List[O], error) {
	page := List[O]{Object: "list", Data: []O{}}
	for doc, err := range s.Query(ctx, q) {
		if err != nil {
			return page, asError(err)
		}
		var d D
		if err := doc.Decode(&d); err != nil {
			continue // one bad document must not hide the others
		}
		o, id, keep, err := show(&d)
		switch {
		case err != nil:
			return page, asError(err)
		case !keep:
			continue
		case len(page.Data) == limit:
			page.HasMore = true
			return page, nil
		case len(page.Data) == 0:
			page.FirstID = &id
		}
		page.Data, page.LastID = append(page.Data, o), &id
	}
	return page, nil
}
