package dispatch

import "time"

// The service's numbers are not published; these show its shape: a small start, fast growth, a pause that doubles.
const (
	firstWindow  = 4
	firstBackoff = 100 * time.Millisecond
)

// flow decides how many pushes of a subscription may run and when the next may start. Pure; not for concurrent use.
type flow struct {
	limit        int           // of the window
	backoffLimit time.Duration // of the pause; zero: none

	window    int
	backoff   time.Duration // between all pushes; zero while the endpoint is well
	notBefore time.Time     // of the next push, while there is a backoff
	cut       time.Time     // when a refusal was last counted
}

func newFlow(limit int, backoffLimit time.Duration) *flow {
	return &flow{limit: limit, backoffLimit: backoffLimit, window: min(firstWindow, limit)}
}

// room is how many pushes may start now beside those that run.
func (f *flow) room(now time.Time, running int) int {
	free := max(0, f.window-running)
	switch {
	case f.backoff == 0:
		return free
	case now.Before(f.notBefore):
		return 0
	default:
		return min(1, free)
	}
}

// started notes a push: during a backoff the next has to wait.
func (f *flow) started(now time.Time) {
	if f.backoff > 0 {
		f.notBefore = now.Add(f.backoff)
	}
}

// acked widens the window by one, which doubles it per round of pushes, and halves the pause.
func (f *flow) acked(now time.Time) {
	f.window = min(f.window+1, f.limit)
	if f.backoff /= 2; f.backoff < firstBackoff {
		f.backoff = 0
	}
	if soon := now.Add(f.backoff); soon.Before(f.notBefore) {
		f.notBefore = soon
	}
}

// refused halves the window and doubles the pause, once for all pushes that were in flight together.
func (f *flow) refused(started, now time.Time) {
	if started.Before(f.cut) {
		return
	}
	f.cut = now
	f.window = max(1, f.window/2)
	if f.backoffLimit > 0 {
		f.backoff = min(max(2*f.backoff, firstBackoff), f.backoffLimit)
		f.notBefore = now.Add(f.backoff)
	}
}

// wake is when there will be room without the end of a push; zero means only then.
func (f *flow) wake(now time.Time, running int) time.Time {
	if f.window > running && now.Before(f.notBefore) {
		return f.notBefore
	}
	return time.Time{}
}
