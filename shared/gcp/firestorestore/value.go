package firestorestore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sluice-gateway/sluice/shared/store"
)

// maxStoredBytes is Firestore's limit for a document as it counts it, names included (quota page, read 2026-11).
const maxStoredBytes = 1 << 20

// Firestore holds no array directly in an array: it is put into a map with this one key.
const arrayKey = "[]"

// encode makes native fields of a Go value, by way of its JSON, and adds TTLField if the ttl field is set.
func encode(doc any, ttl string) (map[string]*pb.Value, error) {
	encoded, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	if len(encoded) > store.MaxDocBytes {
		return nil, store.ErrTooLarge
	}
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(encoded))
	d.UseNumber()
	if err := d.Decode(&object); err != nil || object == nil {
		return nil, errors.Join(errors.New("a document must be a JSON object"), err)
	}
	v, err := toValue(object)
	if err != nil {
		return nil, err
	}
	fields := v.GetMapValue().Fields
	if at := fields[fieldName(ttl)].GetIntegerValue(); ttl != "" && at > 0 {
		fields[TTLField] = &pb.Value{ValueType: &pb.Value_TimestampValue{TimestampValue: timestamppb.New(time.Unix(at, 0))}}
	}
	if storedBytes(v) > maxStoredBytes-1000 { // the rest is for the document's own name
		return nil, store.ErrTooLarge
	}
	return fields, nil
}

func toValue(v any) (*pb.Value, error) {
	switch v := v.(type) {
	case nil:
		return &pb.Value{ValueType: &pb.Value_NullValue{NullValue: structpb.NullValue_NULL_VALUE}}, nil
	case bool:
		return &pb.Value{ValueType: &pb.Value_BooleanValue{BooleanValue: v}}, nil
	case string:
		return &pb.Value{ValueType: &pb.Value_StringValue{StringValue: v}}, nil
	case int64:
		return &pb.Value{ValueType: &pb.Value_IntegerValue{IntegerValue: v}}, nil
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return nil, fmt.Errorf("%s is no whole number of 64 bits", v)
		}
		return toValue(n)
	case []any:
		return toArray(v)
	case map[string]any:
		fields := make(map[string]*pb.Value, len(v))
		for k, e := range v {
			value, err := toValue(e)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			fields[fieldName(k)] = value
		}
		return mapValue(fields), nil
	}
	return nil, fmt.Errorf("a %T cannot be stored", v)
}

func mapValue(fields map[string]*pb.Value) *pb.Value {
	return &pb.Value{ValueType: &pb.Value_MapValue{MapValue: &pb.MapValue{Fields: fields}}}
}

func toArray(elements []any) (*pb.Value, error) {
	values := make([]*pb.Value, len(elements))
	for i, e := range elements {
		value, err := toValue(e)
		if err != nil {
			return nil, err
		}
		if value.GetArrayValue() != nil {
			value = mapValue(map[string]*pb.Value{arrayKey: value})
		}
		values[i] = value
	}
	return &pb.Value{ValueType: &pb.Value_ArrayValue{ArrayValue: &pb.ArrayValue{Values: values}}}, nil
}

func fromValue(v *pb.Value) (any, error) {
	switch v := v.ValueType.(type) {
	case *pb.Value_NullValue:
		return nil, nil
	case *pb.Value_BooleanValue:
		return v.BooleanValue, nil
	case *pb.Value_StringValue:
		return v.StringValue, nil
	case *pb.Value_IntegerValue:
		return v.IntegerValue, nil
	case *pb.Value_ArrayValue:
		elements := make([]any, len(v.ArrayValue.GetValues()))
		for i, e := range v.ArrayValue.GetValues() {
			if inner := e.GetMapValue().GetFields()[arrayKey]; inner != nil {
				e = inner
			}
			value, err := fromValue(e)
			if err != nil {
				return nil, err
			}
			elements[i] = value
		}
		return elements, nil
	case *pb.Value_MapValue:
		return fromFields(v.MapValue.GetFields())
	}
	return nil, fmt.Errorf("a foreign value of type %T", v.ValueType)
}

func fromFields(fields map[string]*pb.Value) (map[string]any, error) {
	object := make(map[string]any, len(fields))
	for k, v := range fields {
		value, err := fromValue(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		object[jsonName(k)] = value
	}
	return object, nil
}

// toDoc makes the port's document of Firestore's.
func toDoc(d *pb.Document) (store.Doc, error) {
	delete(d.Fields, TTLField)
	delete(d.Fields, revisionField)
	id := idOf(d.Name)
	object, err := fromFields(d.Fields)
	if err != nil {
		return store.Doc{}, fmt.Errorf("decode %s: %w", id, err)
	}
	encoded, err := json.Marshal(object)
	return store.Doc{ID: id, Version: version(d.UpdateTime), JSON: encoded}, err
}

func decode(d *pb.Document, into any) (store.Version, error) {
	if into == nil {
		return version(d.UpdateTime), nil
	}
	doc, err := toDoc(d)
	if err == nil {
		err = doc.Decode(into)
	}
	return doc.Version, err
}

// storedBytes is the size of a value as Firestore counts it (storage size page, read 2026-11).
func storedBytes(v *pb.Value) int {
	switch v := v.ValueType.(type) {
	case *pb.Value_StringValue:
		return len(v.StringValue) + 1
	case *pb.Value_IntegerValue, *pb.Value_TimestampValue:
		return 8
	case *pb.Value_ArrayValue:
		n := 0
		for _, e := range v.ArrayValue.Values {
			n += storedBytes(e)
		}
		return n
	case *pb.Value_MapValue:
		n := 32
		for k, e := range v.MapValue.Fields {
			n += len(k) + 1 + storedBytes(e)
		}
		return n
	}
	return 1
}
