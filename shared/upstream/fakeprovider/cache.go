package fakeprovider

import (
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

const (
	cacheBlock = 128  // tokens
	cacheFrom  = 1024 // tokens; no shorter prompt is cached
	maxPrompts = 8
)

// prefix is a cached beginning of a prompt.
type prefix struct {
	text   string
	tokens int64
}

// cached puts on the line what of the prompt comes out of the model's cache and what goes into it.
func (p *Provider) cached(c *wire.Call, l *Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.ByMarks {
		p.cachedByMarks(c, l)
		return
	}
	longest := 0
	for _, earlier := range p.prompts[c.Model] {
		longest = max(longest, commonPrefix(earlier.text, c.Prompt.Text()))
	}
	p.keep(c.Model, prefix{c.Prompt.Text(), c.Prompt.Tokens()})
	if n := min(int64(longest)/4, c.Prompt.Tokens()); n >= cacheFrom {
		l.CachedTokens = n / cacheBlock * cacheBlock
	}
}

// cachedByMarks reads the longest kept prefix that a marked one begins with, and keeps each longer marked one.
func (p *Provider) cachedByMarks(c *wire.Call, l *Line) {
	for _, m := range c.Prompt.Marks() {
		for _, kept := range p.prompts[c.Model] {
			if strings.HasPrefix(m.Prefix, kept.text) {
				l.CachedTokens = max(l.CachedTokens, kept.tokens)
			}
		}
	}
	written := l.CachedTokens
	for _, m := range c.Prompt.Marks() {
		if m.Tokens < cacheFrom || m.Tokens <= written {
			continue
		}
		if m.Hour {
			l.CacheWrite1hTokens += m.Tokens - written
		} else {
			l.CacheWrite5mTokens += m.Tokens - written
		}
		written = m.Tokens
		p.keep(c.Model, prefix{m.Prefix, m.Tokens})
	}
}

func (p *Provider) keep(model string, f prefix) {
	list := append(p.prompts[model], f)
	p.prompts[model] = slices.Delete(list, 0, max(0, len(list)-maxPrompts))
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
