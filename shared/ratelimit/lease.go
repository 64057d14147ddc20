package ratelimit

import (
	"slices"
	"time"
)

// slotsDoc is the document of a limit on parallel requests.
type slotsDoc struct {
	Limit   string `json:"limit"`
	Kind    Kind   `json:"kind"`
	Holders []hold `json:"holders"`
	Askers  []hold `json:"askers"` // who found too few slots free; those in front come first
	Wanted  bool   `json:"wanted"` // there are askers
	Purge   int64  `json:"purge"`
}

// hold is what one process has, or asks for, until then.
type hold struct {
	Holder string `json:"holder"`
	Slots  int64  `json:"slots"`
	Until  int64  `json:"until"` // Unix microseconds
}

// expire drops what has ended, but not the lease of the holder that asks: nobody else has, so it still stands.
func (d *slotsDoc) expire(holder string, now time.Time) {
	micros := now.UnixMicro()
	d.Holders = slices.DeleteFunc(d.Holders, func(h hold) bool { return h.Until <= micros && h.Holder != holder })
	d.Askers = slices.DeleteFunc(d.Askers, func(h hold) bool { return h.Until <= micros })
}

func index(holds []hold, holder string) int {
	return slices.IndexFunc(holds, func(h hold) bool { return h.Holder == holder })
}

// find is a holder's entry, with no slots if there is none.
func find(holds []hold, holder string) hold {
	if i := index(holds, holder); i >= 0 {
		return holds[i]
	}
	return hold{}
}

// set changes, adds or, with no slots, removes a holder's entry. One that stays keeps its place.
func set(holds []hold, h hold) []hold {
	i := index(holds, h.Holder)
	switch {
	case h.Slots <= 0 && i >= 0:
		return slices.Delete(holds, i, i+1)
	case h.Slots <= 0:
		return holds
	case i >= 0:
		holds[i] = h
		return holds
	}
	return append(holds, h)
}

// others is the sum over all holders but one.
func others(holds []hold, holder string) (sum int64) {
	for _, h := range holds {
		if h.Holder != holder {
			sum += h.Slots
		}
	}
	return sum
}

// before is what those ask for who come before the holder: all others, unless it is in the queue itself.
func (d *slotsDoc) before(holder string) (sum int64) {
	for _, h := range d.Askers {
		if h.Holder == holder {
			break
		}
		sum += h.Slots
	}
	return sum
}
