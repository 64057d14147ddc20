package firestorestore

import (
	"regexp"
	"strings"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
)

// documentID is how Firestore calls a document's id in queries and masks.
const documentID = "__name__"

// nameMark begins the stored name of a field whose JSON name Firestore or this package keeps to itself.
const nameMark = "~"

// fieldName is the stored name of a JSON field. Callers' metadata may have keys such as "" or "__x__".
func fieldName(name string) string {
	if name == "" || name == arrayKey || name == TTLField || reserved(name) || strings.HasPrefix(name, nameMark) {
		return nameMark + name
	}
	return name
}

func jsonName(field string) string { return strings.TrimPrefix(field, nameMark) }

var simpleName = regexp.MustCompile(`\A[A-Za-z_][A-Za-z_0-9]*\z`)

// path is the path of a top-level JSON field.
func path(name string) string { return quote(fieldName(name)) }

// quote makes a path of a stored name.
func quote(field string) string {
	if simpleName.MatchString(field) {
		return field
	}
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(field) + "`"
}

func reference(name string) *pb.StructuredQuery_FieldReference {
	return &pb.StructuredQuery_FieldReference{FieldPath: path(name)}
}

// mask asks for no fields if there is nothing to read them into.
func mask(into any) *pb.DocumentMask {
	if into == nil {
		return &pb.DocumentMask{FieldPaths: []string{documentID}}
	}
	return nil
}

// idOf is the id at the end of a document's name.
func idOf(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
