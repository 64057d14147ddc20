package recordings_test

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// sayBedrock has the SDK say what is in a body.
func sayBedrock(t *testing.T, body []byte) {
	t.Helper()
	in := bedrockruntime.ConverseInput{ModelId: aws.String("m")}
	members(t, reflect.ValueOf(&in).Elem(), body)
	url, sent := ear(t)
	if _, err := bedrockAt(url).Converse(t.Context(), &in); *sent == nil {
		t.Fatal(err)
	}
	same(t, body, *sent)
}

// unions are those of the SDK's unions that a request may have, each with all members that the gateway uses.
var unions = map[reflect.Type][]any{
	reflect.TypeFor[types.ContentBlock](): {
		&types.ContentBlockMemberText{}, &types.ContentBlockMemberImage{}, &types.ContentBlockMemberDocument{}, &types.ContentBlockMemberVideo{},
		&types.ContentBlockMemberAudio{}, &types.ContentBlockMemberToolUse{}, &types.ContentBlockMemberToolResult{}, &types.ContentBlockMemberCachePoint{},
		&types.ContentBlockMemberReasoningContent{}, &types.ContentBlockMemberGuardContent{},
	},
	reflect.TypeFor[types.SystemContentBlock](): {&types.SystemContentBlockMemberText{}, &types.SystemContentBlockMemberCachePoint{}},
	reflect.TypeFor[types.ReasoningContentBlock](): {
		&types.ReasoningContentBlockMemberReasoningText{}, &types.ReasoningContentBlockMemberRedactedContent{},
	},
	reflect.TypeFor[types.ToolResultContentBlock](): {
		&types.ToolResultContentBlockMemberText{}, &types.ToolResultContentBlockMemberJson{}, &types.ToolResultContentBlockMemberImage{},
		&types.ToolResultContentBlockMemberDocument{}, &types.ToolResultContentBlockMemberVideo{},
	},
	reflect.TypeFor[types.ImageSource](): {&types.ImageSourceMemberBytes{}, &types.ImageSourceMemberS3Location{}},
	reflect.TypeFor[types.VideoSource](): {&types.VideoSourceMemberBytes{}, &types.VideoSourceMemberS3Location{}},
	reflect.TypeFor[types.AudioSource](): {&types.AudioSourceMemberBytes{}, &types.AudioSourceMemberS3Location{}},
	reflect.TypeFor[types.DocumentSource](): {
		&types.DocumentSourceMemberBytes{}, &types.DocumentSourceMemberS3Location{}, &types.DocumentSourceMemberText{}, &types.DocumentSourceMemberContent{},
	},
	reflect.TypeFor[types.DocumentContentBlock]():  {&types.DocumentContentBlockMemberText{}},
	reflect.TypeFor[types.Tool]():                  {&types.ToolMemberToolSpec{}, &types.ToolMemberCachePoint{}, &types.ToolMemberSystemTool{}},
	reflect.TypeFor[types.ToolInputSchema]():       {&types.ToolInputSchemaMemberJson{}},
	reflect.TypeFor[types.ToolChoice]():            {&types.ToolChoiceMemberAuto{}, &types.ToolChoiceMemberAny{}, &types.ToolChoiceMemberTool{}},
	reflect.TypeFor[types.OutputFormatStructure](): {&types.OutputFormatStructureMemberJsonSchema{}},
	reflect.TypeFor[types.PromptVariableValues]():  {&types.PromptVariableValuesMemberText{}},
	reflect.TypeFor[types.GuardrailConverseContentBlock](): {
		&types.GuardrailConverseContentBlockMemberText{}, &types.GuardrailConverseContentBlockMemberImage{},
	},
}

// members reads an object into a struct, or into what stands for one. The SDK itself only writes requests.
func members(t *testing.T, into reflect.Value, text []byte) {
	t.Helper()
	switch {
	case into.Type() == reflect.TypeFor[document.Interface]():
		var v any
		fill(t, text, &v)
		into.Set(reflect.ValueOf(document.NewLazyDocument(v)))
	case into.Type() == reflect.TypeFor[[]byte]():
		var s string
		fill(t, text, &s)
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		into.SetBytes(b)
	case into.Kind() == reflect.Interface:
		union(t, into, text)
	case into.Kind() == reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		members(t, into.Elem(), text)
	case into.Kind() == reflect.Slice:
		var list []json.RawMessage
		fill(t, text, &list)
		into.Set(reflect.MakeSlice(into.Type(), len(list), len(list)))
		for i := range list {
			members(t, into.Index(i), list[i])
		}
	case into.Kind() == reflect.Map:
		into.Set(reflect.MakeMap(into.Type()))
		for name, value := range raw(t, text) {
			v := reflect.New(into.Type().Elem()).Elem()
			members(t, v, value)
			into.SetMapIndex(reflect.ValueOf(name), v)
		}
	case into.Kind() == reflect.Struct:
		for name, value := range raw(t, text) {
			field := into.FieldByName(strings.ToUpper(name[:1]) + name[1:])
			if !field.IsValid() {
				t.Fatalf("%s has no %s", into.Type(), name)
			}
			members(t, field, value)
		}
	default:
		fill(t, text, into.Addr().Interface())
	}
}

// union reads an object with one member.
func union(t *testing.T, into reflect.Value, text []byte) {
	t.Helper()
	for name, value := range raw(t, text) {
		for _, member := range unions[into.Type()] {
			if _, is, _ := strings.Cut(reflect.TypeOf(member).Elem().Name(), "Member"); strings.EqualFold(is, name) {
				v := reflect.New(reflect.TypeOf(member).Elem())
				members(t, v.Elem().FieldByName("Value"), value)
				into.Set(v)
				return
			}
		}
		t.Fatalf("%s has no member %s", into.Type(), name)
	}
}
