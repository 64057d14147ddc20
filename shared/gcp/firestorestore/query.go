package firestorestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	firestore "cloud.google.com/go/firestore/apiv1"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sluice-gateway/sluice/shared/store"
)

// pageSize is how many documents a query reads at once.
const pageSize = 100

// Query is store.Reader's. It reads pages of 100 documents.
func (s *Store) Query(ctx context.Context, q store.Query) iter.Seq2[store.Doc, error] {
	return func(yield func(store.Doc, error) bool) {
		for d, err := range s.documents(ctx, q) {
			var doc store.Doc
			if err == nil {
				doc, err = toDoc(d)
			}
			if err != nil {
				err = fmt.Errorf("query %s: %w", q.Collection.Name, err)
			}
			if !yield(doc, err) || err != nil {
				return
			}
		}
	}
}

// byIDDown reports whether the query is one that Firestore does not run: its key scans only go up.
func byIDDown(q store.Query) bool { return q.Desc && q.Order == "" }

// documents yields the query's documents, with only the named fields if there are any.
func (s *Store) documents(ctx context.Context, q store.Query, only ...string) iter.Seq2[*pb.Document, error] {
	if byIDDown(q) {
		return s.downwards(ctx, q, only)
	}
	return func(yield func(*pb.Document, error) bool) {
		query, err := s.structured(q)
		if err != nil {
			yield(nil, err)
			return
		}
		query.Select = projection(q, only)
		for left := q.Limit; ; left -= pageSize {
			size := pageSize
			if q.Limit > 0 {
				size = min(left, pageSize)
			}
			query.Limit = wrapperspb.Int32(int32(size))
			page, err := s.page(ctx, query)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, d := range page {
				query.StartAt = behind(d, q.Order)
				if !yield(d, nil) {
					return
				}
			}
			if len(page) < size || left == size {
				return
			}
		}
	}
}

// projection is the fields to read, with what the next page's cursor needs; none named means all.
func projection(q store.Query, only []string) *pb.StructuredQuery_Projection {
	if len(only) == 0 {
		return nil
	}
	fields := []*pb.StructuredQuery_FieldReference{{FieldPath: documentID}}
	for _, field := range only {
		fields = append(fields, reference(field))
	}
	if q.Order != "" {
		fields = append(fields, reference(q.Order))
	}
	return &pb.StructuredQuery_Projection{Fields: fields}
}

// downwards reads all that the query selects, whatever its limit, and yields the end first. Ids carry no meaning in their
// order, so this is rare.
func (s *Store) downwards(ctx context.Context, q store.Query, only []string) iter.Seq2[*pb.Document, error] {
	return func(yield func(*pb.Document, error) bool) {
		up := q
		up.Desc, up.After, up.Limit = false, nil, 0
		var all []*pb.Document
		for d, err := range s.documents(ctx, up, only...) {
			if err != nil {
				yield(nil, err)
				return
			}
			if q.After != nil && idOf(d.Name) >= q.After.ID {
				break
			}
			all = append(all, d)
		}
		slices.Reverse(all)
		if q.Limit > 0 {
			all = all[:min(q.Limit, len(all))]
		}
		for _, d := range all {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func (s *Store) page(ctx context.Context, query *pb.StructuredQuery) (page []*pb.Document, err error) {
	err = s.retry(ctx, func(ctx context.Context, client *firestore.Client) error {
		page = nil
		stream, err := client.RunQuery(ctx, &pb.RunQueryRequest{
			Parent:    s.database + "/documents",
			QueryType: &pb.RunQueryRequest_StructuredQuery{StructuredQuery: query},
		})
		for err == nil {
			var answer *pb.RunQueryResponse
			if answer, err = stream.Recv(); err == nil && answer.Document != nil {
				page = append(page, answer.Document)
			}
		}
		if err == io.EOF {
			return nil
		}
		return err
	})
	return page, translateQuery(err)
}

// translateQuery knows that a query's only precondition is its index.
func translateQuery(err error) error {
	if status.Code(err) == codes.FailedPrecondition {
		return fmt.Errorf("%w: %w", store.ErrNoIndex, err)
	}
	return translate(err)
}

// structured makes Firestore's query of the port's, without its limit.
func (s *Store) structured(q store.Query) (*pb.StructuredQuery, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	query := &pb.StructuredQuery{From: []*pb.StructuredQuery_CollectionSelector{{CollectionId: q.Collection.Name}}}
	where, err := filters(q)
	if err != nil {
		return nil, err
	}
	if len(where) > 0 {
		query.Where = &pb.StructuredQuery_Filter{FilterType: &pb.StructuredQuery_Filter_CompositeFilter{
			CompositeFilter: &pb.StructuredQuery_CompositeFilter{Op: pb.StructuredQuery_CompositeFilter_AND, Filters: where},
		}}
	}
	direction := pb.StructuredQuery_ASCENDING
	if q.Desc && q.Order != "" {
		direction = pb.StructuredQuery_DESCENDING
	}
	if q.Order != "" {
		query.OrderBy = append(query.OrderBy, &pb.StructuredQuery_Order{Field: reference(q.Order), Direction: direction})
	}
	byID := &pb.StructuredQuery_FieldReference{FieldPath: documentID}
	query.OrderBy = append(query.OrderBy, &pb.StructuredQuery_Order{Field: byID, Direction: direction})
	if q.After != nil {
		query.StartAt, err = s.cursor(q)
	}
	return query, err
}

func (s *Store) cursor(q store.Query) (*pb.Cursor, error) {
	name, err := s.name(q.Collection.Ref(q.After.ID))
	if err != nil {
		return nil, err
	}
	cursor := &pb.Cursor{}
	if q.Order != "" {
		value, err := toValue(q.After.Value)
		if err != nil {
			return nil, err
		}
		cursor.Values = append(cursor.Values, value)
	}
	id := &pb.Value{ValueType: &pb.Value_ReferenceValue{ReferenceValue: name}}
	cursor.Values = append(cursor.Values, id)
	return cursor, nil
}

// behind is the position of a document that was read.
func behind(d *pb.Document, order string) *pb.Cursor {
	cursor := &pb.Cursor{}
	if order != "" {
		cursor.Values = append(cursor.Values, d.Fields[fieldName(order)])
	}
	id := &pb.Value{ValueType: &pb.Value_ReferenceValue{ReferenceValue: d.Name}}
	cursor.Values = append(cursor.Values, id)
	return cursor
}

func filters(q store.Query) ([]*pb.StructuredQuery_Filter, error) {
	var where []*pb.StructuredQuery_Filter
	var errs []error
	add := func(field string, op pb.StructuredQuery_FieldFilter_Operator, v any) {
		value, err := toValue(v)
		errs = append(errs, err)
		where = append(where, &pb.StructuredQuery_Filter{FilterType: &pb.StructuredQuery_Filter_FieldFilter{
			FieldFilter: &pb.StructuredQuery_FieldFilter{Field: reference(field), Op: op, Value: value},
		}})
	}
	for field, v := range q.Eq {
		add(field, pb.StructuredQuery_FieldFilter_EQUAL, v)
	}
	if q.From != nil {
		add(q.Order, pb.StructuredQuery_FieldFilter_GREATER_THAN_OR_EQUAL, q.From)
	}
	if q.To != nil {
		add(q.Order, pb.StructuredQuery_FieldFilter_LESS_THAN, q.To)
	}
	if q.Order != "" && q.From == nil && q.To == nil { // a field that is null has no place in the order
		where = append(where, &pb.StructuredQuery_Filter{FilterType: &pb.StructuredQuery_Filter_UnaryFilter{
			UnaryFilter: &pb.StructuredQuery_UnaryFilter{
				Op:          pb.StructuredQuery_UnaryFilter_IS_NOT_NULL,
				OperandType: &pb.StructuredQuery_UnaryFilter_Field{Field: reference(q.Order)},
			},
		}})
	}
	return where, errors.Join(errs...)
}
