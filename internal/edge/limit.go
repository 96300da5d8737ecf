package edge

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter slows down whoever asks too often, key by key, in bounded memory: the key that was used longest ago is
// forgotten first. A nil one lets all through.
type Limiter struct {
	every rate.Limit
	burst int
	max   int

	mu   sync.Mutex
	keys map[string]*list.Element
	used *list.List
}

type limited struct {
	key  string
	rate *rate.Limiter
}

// NewLimiter allows burst at once and then one in every interval, for at most max keys.
func NewLimiter(interval time.Duration, burst, max int) *Limiter {
	return &Limiter{every: rate.Every(interval), burst: burst, max: max, keys: map[string]*list.Element{}, used: list.New()}
}

// Allow takes one turn of the key; if there is none, it says how long to wait.
func (l *Limiter) Allow(key string) (ok bool, wait time.Duration) {
	if l == nil {
		return true, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.keys[key]
	if e == nil {
		if l.used.Len() >= l.max {
			last := l.used.Back()
			delete(l.keys, last.Value.(*limited).key)
			l.used.Remove(last)
		}
		e = l.used.PushFront(&limited{key, rate.NewLimiter(l.every, l.burst)})
		l.keys[key] = e
	}
	l.used.MoveToFront(e)
	r := e.Value.(*limited).rate.Reserve()
	if wait = r.Delay(); wait > 0 {
		r.Cancel()
		return false, wait
	}
	return true, 0
}

// Forget gives a key its turns back.
func (l *Limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.keys[key]; e != nil {
		delete(l.keys, key)
		l.used.Remove(e)
	}
}
