package firestorestore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	firestore "cloud.google.com/go/firestore/apiv1"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sluice-gateway/sluice/shared/store"
)

// Sum is store.Reader's. Firestore adds up a field by itself if the collection declares an index of the query's equal fields
// that ends in that field; otherwise the documents are read, with only those fields.
func (s *Store) Sum(ctx context.Context, q store.Query, fields ...string) (n int64, sums []int64, err error) {
	indexed := func(field string) bool {
		return store.Query{Collection: q.Collection, Eq: q.Eq, Order: field}.Check() == nil
	}
	whole := q.Order == "" && q.After == nil && q.Limit == 0
	allIndexed := !slices.ContainsFunc(fields, func(field string) bool { return !indexed(field) })
	if whole && allIndexed || len(fields) == 0 && !byIDDown(q) {
		n, sums, err = s.aggregate(ctx, q, fields)
	} else {
		n, sums, err = s.addUp(ctx, q, fields)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("sum %s: %w", q.Collection.Name, err)
	}
	return n, sums, nil
}

func (s *Store) addUp(ctx context.Context, q store.Query, fields []string) (n int64, sums []int64, err error) {
	sums = make([]int64, len(fields))
	for d, err := range s.documents(ctx, q, fields...) {
		if err != nil {
			return 0, nil, err
		}
		n++
		for i, field := range fields {
			sums[i] += d.Fields[fieldName(field)].GetIntegerValue()
		}
	}
	return n, sums, nil
}

// aggregate asks for the count and each sum on its own: asked for together, Firestore passes over the documents that lack
// any of the fields.
func (s *Store) aggregate(ctx context.Context, q store.Query, fields []string) (n int64, sums []int64, err error) {
	query, err := s.structured(q)
	if err != nil {
		return 0, nil, err
	}
	if q.Limit > 0 {
		query.Limit = wrapperspb.Int32(int32(q.Limit))
	}
	n, err = s.aggregateOne(ctx, query, &pb.StructuredAggregationQuery_Aggregation{
		Operator: &pb.StructuredAggregationQuery_Aggregation_Count_{Count: &pb.StructuredAggregationQuery_Aggregation_Count{}},
	})
	for _, field := range fields {
		if err != nil {
			break
		}
		query.OrderBy = nil // the index of a sum ends in its field
		var sum int64
		sum, err = s.aggregateOne(ctx, query, &pb.StructuredAggregationQuery_Aggregation{
			Operator: &pb.StructuredAggregationQuery_Aggregation_Sum_{
				Sum: &pb.StructuredAggregationQuery_Aggregation_Sum{Field: reference(field)},
			},
		})
		sums = append(sums, sum)
	}
	return n, sums, err
}

func (s *Store) aggregateOne(ctx context.Context, query *pb.StructuredQuery, what *pb.StructuredAggregationQuery_Aggregation) (sum int64, err error) {
	what.Alias = "n"
	err = s.retry(ctx, func(ctx context.Context, client *firestore.Client) error {
		stream, err := client.RunAggregationQuery(ctx, &pb.RunAggregationQueryRequest{
			Parent: s.database + "/documents",
			QueryType: &pb.RunAggregationQueryRequest_StructuredAggregationQuery{
				StructuredAggregationQuery: &pb.StructuredAggregationQuery{
					QueryType:    &pb.StructuredAggregationQuery_StructuredQuery{StructuredQuery: query},
					Aggregations: []*pb.StructuredAggregationQuery_Aggregation{what},
				},
			},
		})
		if err != nil {
			return err
		}
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		v, whole := answer.Result.GetAggregateFields()["n"].GetValueType().(*pb.Value_IntegerValue)
		if !whole {
			return errors.New("the sum is not a whole number of 64 bits")
		}
		sum = v.IntegerValue
		return nil
	})
	return sum, translateQuery(err)
}
