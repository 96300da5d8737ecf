package token

import (
	"sync"

	"exeunt.dev/internal/idp"
)

// seenSize bounds each of the two generations of remembered tokens (about 1 KiB a token).
const seenSize = 8192

// seen remembers tokens whose signature was verified, by the hash of the whole token. Two generations: the older one is dropped
// when the younger is full, so that what is used stays.
type seen struct {
	mu         sync.Mutex
	young, old map[idp.Hash]*Access
}

func newSeen() *seen { return &seen{young: map[idp.Hash]*Access{}} }

func (s *seen) get(raw idp.Hash) *Access {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.young[raw]; a != nil {
		return a
	}
	a := s.old[raw]
	if a != nil {
		s.add(raw, a)
	}
	return a
}

func (s *seen) put(raw idp.Hash, a *Access) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(raw, a)
}

func (s *seen) add(raw idp.Hash, a *Access) {
	if len(s.young) >= seenSize {
		s.old, s.young = s.young, make(map[idp.Hash]*Access, seenSize)
	}
	s.young[raw] = a
}
