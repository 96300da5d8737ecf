package dpop

import (
	"crypto/sha256"
	"sync"
	"time"
)

// useCost is what one remembered use takes, about; span is how many seconds of ends share a drawer.
const (
	useCost = 48
	span    = 8
)

// Memory remembers, in one process, which proofs were used, within a bound of bytes.
//
// It never forgets a use while its proof would be good. When it is full it drops the uses that end first, and from then on takes
// no proof that ends as early as those did: a flood makes the time shorter in which a proof can be used, and lets none be used
// twice.
type Memory struct {
	mu      sync.Mutex
	most    int // uses
	n       int
	first   int64 // drawers before this one are gone
	drawers map[int64]map[[16]byte]struct{}
}

// NewMemory keeps within about so many bytes.
func NewMemory(bytes int) *Memory {
	return &Memory{most: max(bytes/useCost, 1), drawers: map[int64]map[[16]byte]struct{}{}}
}

// Use notes a use, which has to be remembered until then. false: it was used before, or too much has been used since.
func (m *Memory) Use(use [sha256.Size]byte, until, now time.Time) bool {
	at := until.Unix() / span
	id := [16]byte(use[:16]) // 128 bits of a hash that holds the thumbprint: nobody meets another's
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropBefore(now.Unix() / span)
	if _, used := m.drawers[at][id]; used || at < m.first {
		return false
	}
	for m.n >= m.most {
		oldest := at
		for d := range m.drawers {
			oldest = min(oldest, d)
		}
		m.dropBefore(oldest + 1)
		if at < m.first {
			return false
		}
	}
	if m.drawers[at] == nil {
		m.drawers[at] = map[[16]byte]struct{}{}
	}
	m.drawers[at][id] = struct{}{}
	m.n++
	return true
}

func (m *Memory) dropBefore(first int64) {
	if first <= m.first {
		return
	}
	m.first = first
	for d, uses := range m.drawers {
		if d < first {
			m.n -= len(uses)
			delete(m.drawers, d)
		}
	}
}

// Len is how many uses are remembered.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n
}
