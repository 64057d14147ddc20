package gemini

import (
	"bytes"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// inlineWords are the names of what holds base64. An image of it is at most so many tokens; films, sound and PDF files may be more than
// they have bytes.
var inlineWords = []string{`"inlineData"`, `"inline_data"`}

// opaqueWords are the names of what may be any number of input tokens: files by reference, cached prompts, and tools of Google's that
// read on their own. The last are beginnings of escaped letters, which may spell any of the names.
var opaqueWords = []string{
	`"fileData"`, `"file_data"`, `"cachedContent"`, `"cached_content"`, `"urlContext"`, `"url_context"`, `"codeExecution"`, `"code_execution"`,
	`"googleSearch`, `"google_search`, `"fileSearch"`, `"file_search"`, `"googleMaps"`, `"google_maps"`, `"retrieval"`,
	`"enterpriseWebSearch"`, `"enterprise_web_search"`, `"computerUse"`, `"computer_use"`, `"mcpServers"`, `"mcp_servers"`,
	`"parallelAiSearch"`, `"parallel_ai_search"`, `"exaAiSearch"`, `"exa_ai_search"`,
	`\u004`, `\u005`, `\u006`, `\u007`,
}

// mediaOf tells which words of a body stand for tokens that it has no bytes for.
func mediaOf(body []byte) dialect.Media {
	m := dialect.Media{Opaque: opaqueWords}
	for _, word := range inlineWords {
		if bytes.Contains(body, []byte(word)) {
			if root, ok := parse(body); ok && onlyImages(&root) {
				m.Images = inlineWords
			} else {
				m.Opaque = append(append([]string(nil), opaqueWords...), inlineWords...)
			}
			break
		}
	}
	return m
}

// onlyImages reports whether all base64 in a tree is of images.
func onlyImages(n *node) bool {
	for i := range n.items {
		if !onlyImages(&n.items[i]) {
			return false
		}
	}
	for i := range n.members {
		m := &n.members[i]
		if camel(m.name) == "inlineData" && m.value.kind == jsonedit.Object && !isImage(&m.value) {
			return false
		}
		if !onlyImages(&m.value) {
			return false
		}
	}
	return true
}

// isImage reports whether an inlineData object says that it is an image, and nothing else.
func isImage(n *node) bool {
	is := false
	for i := range n.members {
		if camel(n.members[i].name) != "mimeType" {
			continue
		}
		if is = strings.HasPrefix(strings.ToLower(n.members[i].value.text()), "image/"); !is {
			return false
		}
	}
	return is
}
