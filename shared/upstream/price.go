package upstream

import (
	"sync"

	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// maxPrices bounds the cache where a wildcard lets callers make up model names.
const maxPrices = 10_000

// priceCache remembers what the price book says of a vendor's model.
type priceCache struct {
	mu    sync.RWMutex
	found map[priceKey]foundPrice
}

type priceKey struct{ provider, model string }

type foundPrice struct {
	price pricing.Price
	ok    bool
}

// Price is what a deployment's model costs, to be told; ok is false if nobody knows.
func (c *Client) Price(d *routing.Deployment) (p pricing.Price, ok bool) { return c.price(d) }

// price is what a deployment's model costs; ok is false if nobody knows.
func (c *Client) price(d *routing.Deployment) (pricing.Price, bool) {
	key := priceKey{d.Provider, d.VendorModel}
	if d.PriceAs != "" {
		if own, found := c.Custom[d.PriceAs]; found {
			return own, true
		}
		key.model = d.PriceAs
	}
	c.prices.mu.RLock()
	f, known := c.prices.found[key]
	c.prices.mu.RUnlock()
	if known {
		return f.price, f.ok
	}
	f.price, f.ok = c.Prices.Lookup(key.provider, key.model)
	c.prices.mu.Lock()
	defer c.prices.mu.Unlock()
	if c.prices.found == nil || len(c.prices.found) >= maxPrices {
		c.prices.found = map[priceKey]foundPrice{}
	}
	c.prices.found[key] = f
	return f.price, f.ok
}
