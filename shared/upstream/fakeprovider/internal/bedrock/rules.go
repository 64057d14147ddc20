package bedrock

import "github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"

// fields are all fields of a request; others are refused.
var fields = wire.Fields{
	"messages!": wire.List(1, message), "system": wire.List(0, systemBlock), "toolConfig": toolConfig,
	"inferenceConfig": wire.Closed(wire.Fields{
		"maxTokens": wire.Integer(1, 1<<31-1), "temperature": wire.Float(0, 1), "topP": wire.Float(0, 1),
		"stopSequences": wire.List(0, wire.Filled),
	}),
	"additionalModelRequestFields": wire.Object, "additionalModelResponseFieldPaths": wire.List(0, wire.Match(`^/`)),
	"guardrailConfig": wire.Object, "promptVariables": wire.Object, "requestMetadata": wire.MapOf(wire.AtMost(256)),
	"performanceConfig": wire.Closed(wire.Fields{"latency": wire.Enum("standard", "optimized")}),
	"serviceTier":       wire.Closed(wire.Fields{"type!": wire.Enum("priority", "default", "flex", "reserved")}),
	"outputConfig": wire.Closed(wire.Fields{"effort": wire.String, "textFormat": wire.Closed(wire.Fields{
		"type!": wire.Enum("json_schema"), "structure!": wire.Closed(wire.Fields{"jsonSchema!": wire.Closed(wire.Fields{
			"schema!": jsonText, "name": wire.String, "description": wire.String,
		})}),
	})}),
}

// jsonText is a string that is a JSON object.
var jsonText = wire.Is("a JSON object in a string", func(s string) bool {
	_, err := wire.DecodeStrict([]byte(s))
	return err == nil
})

var (
	cachePoint  = wire.Closed(wire.Fields{"type!": wire.Enum("default"), "ttl": wire.Enum("5m", "1h")})
	systemBlock = wire.Union(wire.Fields{"text": wire.String, "cachePoint": cachePoint, "guardContent": wire.Object}, nil)
	citable     = wire.Closed(wire.Fields{"enabled!": wire.Bool})
	s3          = wire.Closed(wire.Fields{"uri!": wire.Match(`^s3://`), "bucketOwner": wire.Match(`^[0-9]{12}$`)})
	bytesOrS3   = wire.Union(wire.Fields{"bytes": wire.Base64, "s3Location": s3}, nil)
)

// documentName are the characters that names may have (API reference of DocumentBlock, read 2026-11).
const documentName = `^[a-zA-Z0-9()\[\]-]+(\s[a-zA-Z0-9()\[\]-]+)*$`

var (
	image = wire.Closed(wire.Fields{"format!": wire.Enum("png", "jpeg", "gif", "webp"), "source!": bytesOrS3})
	video = wire.Closed(wire.Fields{
		"format!": wire.Enum("mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"), "source!": bytesOrS3,
	})
	audio = wire.Closed(wire.Fields{
		"format!": wire.Enum("mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg", "mpga", "pcm", "webm"),
		"source!": bytesOrS3,
	})
	document = wire.Closed(wire.Fields{
		"name!": name200, "format": wire.Enum("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"), "context": wire.String,
		"citations": citable, "source!": wire.Union(wire.Fields{
			"bytes": wire.Base64, "s3Location": s3, "text": wire.Filled,
			"content": wire.List(1, wire.Closed(wire.Fields{"text!": wire.Filled})),
		}, nil),
	})
	searchResult = wire.Closed(wire.Fields{
		"source!": wire.String, "title!": wire.String, "citations": citable,
		"content!": wire.List(1, wire.Closed(wire.Fields{"text!": wire.Filled})),
	})
)

func name200(at wire.Path, v any) *wire.Fault {
	if f := wire.AtMost(200)(at, v); f != nil {
		return f
	}
	return wire.Match(documentName)(at, v)
}

var (
	toolUseID = wire.Match(`^[a-zA-Z0-9_-]{1,64}$`)
	toolName  = wire.Match(`^[a-zA-Z0-9_-]{1,64}$`)
)

var message = wire.Closed(wire.Fields{"role!": wire.Enum("user", "assistant"), "content!": wire.List(1, block)})

var block = wire.Union(wire.Fields{
	"text": wire.String, "image": image, "document": document, "video": video, "audio": audio, "cachePoint": cachePoint,
	"guardContent": wire.Object, "searchResult": searchResult, "citationsContent": wire.Object,
	"toolUse": wire.Closed(wire.Fields{"toolUseId!": toolUseID, "name!": toolName, "input!": wire.Object, "type": wire.String}),
	"toolResult": wire.Closed(wire.Fields{
		"toolUseId!": toolUseID, "status": wire.Enum("success", "error"), "type": wire.String,
		"content!": wire.List(0, wire.Union(wire.Fields{
			"text": wire.String, "json": wire.Object, "image": image, "document": document, "video": video, "searchResult": searchResult,
		}, nil)),
	}),
	"reasoningContent": wire.Union(wire.Fields{
		"reasoningText":   wire.Closed(wire.Fields{"text!": wire.String, "signature": wire.String}),
		"redactedContent": wire.Base64,
	}, nil),
}, nil)

var toolConfig = wire.Closed(wire.Fields{
	"tools!": wire.List(1, wire.Union(wire.Fields{
		"toolSpec": wire.Closed(wire.Fields{
			"name!": toolName, "description": wire.Filled, "strict": wire.Bool,
			"inputSchema!": wire.Closed(wire.Fields{"json!": wire.Open(wire.Fields{"type!": wire.Enum("object")})}),
		}),
		"cachePoint": cachePoint, "systemTool": wire.Object,
	}, nil)),
	"toolChoice": wire.Union(wire.Fields{
		"auto": wire.Closed(nil), "any": wire.Closed(nil), "tool": wire.Closed(wire.Fields{"name!": toolName}),
	}, nil),
})
