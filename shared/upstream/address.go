package upstream

import (
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// modelMark stands for the vendor's model name in a deployment's addresses.
const modelMark = "{model}"

// address is where a request goes: the deployment's base with the dialect's path, or the owner's, and the deployment's query.
func (a *attempt) address(path string) (*url.URL, error) {
	d := a.deployment
	if own := d.Path; own != "" {
		path = own
	}
	if own := d.StreamPath; own != "" && a.call.Request.Stream {
		path = own
	}
	if d.Query != "" {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		path += separator + d.Query
	}
	if base := d.BaseURL; strings.Contains(base, modelMark) || strings.Contains(path, modelMark) {
		return url.Parse(strings.ReplaceAll(base+path, modelMark, url.PathEscape(d.VendorModel)))
	}
	return targets.parse(d.BaseURL, path)
}

// targets remembers parsed addresses: there are few where paths do not have the model's name.
var targets targetCache

type targetCache struct {
	parsed sync.Map
	size   atomic.Int64
}

const maxTargets = 4096

type target struct{ base, path string }

func (c *targetCache) parse(base, path string) (*url.URL, error) {
	key := target{base, path}
	if u, ok := c.parsed.Load(key); ok {
		return u.(*url.URL), nil
	}
	u, err := url.Parse(base + path)
	if err == nil && c.size.Add(1) <= maxTargets {
		c.parsed.Store(key, u)
	}
	return u, err
}
