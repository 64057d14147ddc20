package h1

import (
	"slices"
	"time"
)

// alive reports whether an idle connection is open and silent: nobody may speak to us unasked.
func (c *conn) alive() bool {
	if c.raw == nil {
		return true
	}
	c.quiet = false
	return c.raw.Read(c.silent) == nil && c.quiet
}

// take returns the connection that came back last and is alive, or nil.
func (t *Transport) take(key hostKey) *conn {
	for {
		t.mu.Lock()
		list := t.idle[key]
		if len(list) == 0 {
			t.mu.Unlock()
			return nil
		}
		c := list[len(list)-1]
		list[len(list)-1] = nil
		t.idle[key] = list[:len(list)-1]
		t.mu.Unlock()
		if time.Since(c.since) < t.IdleTimeout && c.alive() {
			c.attach()
			return c
		}
		c.sock.Close()
	}
}

func (t *Transport) put(c *conn) {
	c.since = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.idle[c.key]
	if len(list) >= t.MaxIdlePerHost {
		c.sock.Close()
		return
	}
	t.idle[c.key] = append(list, c)
	if t.timer == nil {
		t.timer = time.AfterFunc(t.IdleTimeout, t.sweep)
	}
}

// sweep closes what was idle too long, forgets hosts without connections, and comes again while any is left.
func (t *Transport) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, oldest := time.Now(), time.Time{}
	for key, list := range t.idle {
		n := 0
		for n < len(list) && now.Sub(list[n].since) >= t.IdleTimeout {
			list[n].sock.Close()
			n++
		}
		if list = slices.Delete(list, 0, n); len(list) == 0 {
			delete(t.idle, key)
			continue
		}
		t.idle[key] = list
		if oldest.IsZero() || list[0].since.Before(oldest) {
			oldest = list[0].since
		}
	}
	if t.timer != nil {
		t.timer.Stop() // CloseIdleConnections and put may have come in between
	}
	t.timer = nil
	if !oldest.IsZero() {
		t.timer = time.AfterFunc(oldest.Add(t.IdleTimeout).Sub(now), t.sweep)
	}
}

// CloseIdleConnections closes the connections that wait for a request. Those in use are not affected.
func (t *Transport) CloseIdleConnections() {
	t.once.Do(t.init)
	t.proxied.CloseIdleConnections()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, list := range t.idle {
		for _, c := range list {
			c.sock.Close()
		}
	}
	clear(t.idle)
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}
