package escrow

import "testing"

// Schedules is how many seeds the explorer tries.
func Schedules(t *testing.T) int { return schedules(t) }

// Held is how many leases the escrow keeps in memory.
func (e *Escrow) Held() int { return len(e.all()) }
