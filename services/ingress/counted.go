package ingress

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ratelimit"
)

// maxCustomer is the longest id of a customer that is believed, in bytes.
const maxCustomer = 256

// customerHeaders say whom a caller serves; they come before what the body says.
var customerHeaders = [...]string{"X-Litellm-Customer-Id", "X-Litellm-End-User-Id"}

// customer is whom the caller of a request serves, by its own word for them.
func (s *Server) customer(h http.Header, request *dialect.Request) string {
	id := request.User
	for _, name := range [...]string{s.UserHeader, customerHeaders[1], customerHeaders[0]} { // the last one found counts
		if v := h[name]; len(v) > 0 && v[0] != "" {
			id = v[0]
		}
	}
	if len(id) > maxCustomer {
		id = id[:maxCustomer]
	}
	return strings.ToValidUTF8(id, "?")
}

const tagsHeader = "X-Litellm-Tags"

// tagsOf are the tags of a call: its key's, and those of its header and body; each once.
func tagsOf(h http.Header, request *dialect.Request, p gateway.Principal) ([]string, error) {
	given := h[tagsHeader]
	if len(given) == 0 && len(request.Tags) == 0 {
		return p.Tags, nil
	}
	tags := slices.Clone(p.Tags)
	for _, tag := range request.Tags {
		tags = addTag(tags, tag)
	}
	if len(given) > 0 {
		for tag := range strings.SplitSeq(given[0], ",") {
			tags = addTag(tags, strings.TrimSpace(tag))
		}
	}
	return tags, dialect.CheckTags("tags", tags)
}

func addTag(tags []string, tag string) []string {
	if tag == "" || slices.Contains(tags, tag) {
		return tags
	}
	return append(tags, tag)
}

// limitHeaders are OpenAI's names for where rate limits stand.
var limitHeaders = [...]struct {
	kind                    ratelimit.Kind
	limit, remaining, reset string
}{
	{ratelimit.Requests, "X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"},
	{ratelimit.Tokens, "X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"},
}

// tellLimits tells a caller where its rate limits stand.
func tellLimits(h http.Header, standing budget.Standing) {
	if standing == nil {
		return
	}
	for i := range limitHeaders {
		names := &limitHeaders[i]
		limit, remaining, reset, ok := standing.State(names.kind)
		if !ok {
			continue
		}
		h[names.limit] = []string{strconv.FormatInt(limit, 10)}
		h[names.remaining] = []string{strconv.FormatInt(remaining, 10)}
		h[names.reset] = []string{reset.Round(time.Second).String()}
	}
}

// tellExceeded adds what LiteLLM says of the limit that refused a call.
func tellExceeded(h http.Header, over *ratelimit.Exceeded) {
	tellLimits(h, over)
	h["Rate_limit_type"] = []string{string(over.Limit.Kind)}
	h["Reset_at"] = []string{strconv.FormatInt(over.Reset.Unix(), 10)}
}
