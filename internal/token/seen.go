package token

import (
	"sync"

	"exeunt.dev/internal/idp"
)

// seenSize is how many tokens each of two generations remembers, about 1 KiB a token.
const seenSize = 8192

// recent remembers what tokens say, by the hash of the whole token. Two generations: the older one is dropped when the younger is
// full, so that what is used stays.
type recent struct {
	mu         sync.Mutex
	young, old map[idp.Hash]*Access
}

func (r *recent) get(raw idp.Hash) (a *Access, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, ok = r.young[raw]; ok {
		return a, true
	}
	if a, ok = r.old[raw]; ok {
		r.add(raw, a)
	}
	return a, ok
}

func (r *recent) put(raw idp.Hash, a *Access) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(raw, a)
}

func (r *recent) add(raw idp.Hash, a *Access) {
	if len(r.young) >= seenSize {
		r.old, r.young = r.young, make(map[idp.Hash]*Access, seenSize)
	}
	r.young[raw] = a
}
