package token

import (
	"sync"

	"exeunt.dev/internal/idp"
)

// How many tokens each of two generations remembers: what they say (about 1 KiB a token), and that they were signed here (40 bytes).
const (
	seenSize   = 8192
	signedSize = 16384
)

// recent remembers something about tokens, by the hash of the whole token. Two generations: the older one is dropped when the younger is
// full, so that what is used stays.
type recent[V any] struct {
	size       int
	mu         sync.Mutex
	young, old map[idp.Hash]V
}

func newRecent[V any](size int) *recent[V] { return &recent[V]{size: size, young: map[idp.Hash]V{}} }

func (r *recent[V]) get(raw idp.Hash) (v V, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok = r.young[raw]; ok {
		return v, true
	}
	if v, ok = r.old[raw]; ok {
		r.add(raw, v)
	}
	return v, ok
}

func (r *recent[V]) put(raw idp.Hash, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(raw, v)
}

func (r *recent[V]) add(raw idp.Hash, v V) {
	if len(r.young) >= r.size {
		r.old, r.young = r.young, make(map[idp.Hash]V, r.size)
	}
	r.young[raw] = v
}
