package rptest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"time"

	"exeunt.dev/rp"
)

// Memory is an rp.Store in memory.
type Memory struct {
	mu       sync.Mutex
	attempts map[rp.Hash]rp.Attempt
	sessions map[rp.Hash]rp.Session
	tokens   []rp.Token
	tombs    map[tomb]stone
	seen     map[[2]string]time.Time // provider, jti
	duties   []rp.Duty
}

type tomb struct{ kind, provider, value string }

type stone struct{ issued, until time.Time }

// NewMemory makes an empty store.
func NewMemory() *Memory {
	return &Memory{attempts: map[rp.Hash]rp.Attempt{}, sessions: map[rp.Hash]rp.Session{}, tombs: map[tomb]stone{}, seen: map[[2]string]time.Time{}}
}

// PutAttempt implements rp.Attempts.
func (m *Memory) PutAttempt(_ context.Context, a rp.Attempt) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts[a.State] = a
	return nil
}

// TrimAttempts implements rp.Attempts.
func (m *Memory) TrimAttempts(_ context.Context, most int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ends []time.Time
	for _, a := range m.attempts {
		if a.Provider != "" {
			ends = append(ends, a.Expires)
		}
	}
	if len(ends) <= most {
		return nil
	}
	slices.SortFunc(ends, func(a, b time.Time) int { return b.Compare(a) })
	maps.DeleteFunc(m.attempts, func(_ rp.Hash, a rp.Attempt) bool { return a.Provider != "" && !a.Expires.After(ends[most]) })
	return nil
}

// PostAttempt implements rp.Attempts.
func (m *Memory) PostAttempt(_ context.Context, state rp.Hash, posted []byte, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.attempts[state]
	if !ok || a.Posted != nil || !now.Before(a.Expires) {
		return rp.ErrNone
	}
	a.Posted = posted
	m.attempts[state] = a
	return nil
}

// TakeAttempt implements rp.Attempts.
func (m *Memory) TakeAttempt(_ context.Context, state, browser rp.Hash, now time.Time) (rp.Attempt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.attempts[state]
	if !ok || a.Browser != browser || !now.Before(a.Expires) {
		return rp.Attempt{}, rp.ErrNone
	}
	delete(m.attempts, state)
	return a, nil
}

func live(s rp.Session, now time.Time) bool { return now.Before(s.Idle) && now.Before(s.Ends) }

// CreateSession implements rp.Sessions.
func (m *Memory) CreateSession(_ context.Context, s rp.Session, replaced rp.Hash, t *rp.Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.overtaken(s) {
		return rp.ErrOvertaken
	}
	delete(m.sessions, replaced)
	m.sessions[s.ID] = s
	if t != nil {
		m.tokens = slices.DeleteFunc(m.tokens, func(o rp.Token) bool {
			return o.Provider == t.Provider && o.Subject == t.Subject && !live(m.sessions[o.Session], s.Created)
		})
		m.keep(*t)
	}
	return nil
}

func (m *Memory) overtaken(s rp.Session) bool {
	buried := func(kind, provider, value string, at time.Time, leeway time.Duration) bool {
		b, ok := m.tombs[tomb{kind, provider, value}]
		return ok && !at.After(b.issued.Add(leeway))
	}
	if buried("user", "", s.User, s.Begun, 0) {
		return true
	}
	if s.Provider == "" {
		return false
	}
	if buried("sub", s.Provider, s.Subject, s.Issued, 0) {
		return true
	}
	if s.SID == "" {
		return buried("nosid", s.Provider, s.Subject, s.Issued, rp.SIDLeeway)
	}
	return buried("sid", s.Provider, s.SID, s.Issued, rp.SIDLeeway)
}

// FindSession implements rp.Sessions.
func (m *Memory) FindSession(_ context.Context, id rp.Hash, now time.Time) (rp.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[id]
	if !ok || !live(s, now) {
		return rp.Session{}, rp.ErrNone
	}
	return s, nil
}

// LiveSessions implements rp.Sessions.
func (m *Memory) LiveSessions(_ context.Context, ids []rp.Hash, now time.Time) (out []rp.Hash, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if s, ok := m.sessions[id]; ok && live(s, now) {
			out = append(out, id)
		}
	}
	return out, nil
}

// TouchSession implements rp.Sessions.
func (m *Memory) TouchSession(_ context.Context, id rp.Hash, idle, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.sessions[id]; ok && live(s, now) {
		s.Idle = idle
		m.sessions[id] = s
	}
	return nil
}

// End implements rp.Sessions.
func (m *Memory) End(_ context.Context, e rp.Ending) (rp.Ended, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.JTI != "" {
		k := [2]string{e.Provider, e.JTI}
		if _, ok := m.seen[k]; ok {
			return rp.Ended{Replayed: true}, nil
		}
		m.seen[k] = e.Tombstone
	}
	if !e.Tombstone.IsZero() {
		m.bury(e)
	}
	var out rp.Ended
	ended := map[rp.Hash]bool{}
	for id, s := range m.sessions {
		if selects(e, s) {
			if live(s, e.Now) {
				out.Sessions++
			}
			ended[id] = true
			delete(m.sessions, id)
		}
	}
	m.revoke(e, &out, func(t rp.Token) bool {
		return e.RevokeUser != "" && t.User == e.RevokeUser && slices.Contains(e.Revoke, t.Provider) ||
			e.RevokeEnded && t.Provider == e.Provider && ended[t.Session]
	})
	return out, nil
}

func selects(e rp.Ending, s rp.Session) bool {
	switch {
	case e.Session != (rp.Hash{}):
		return s.ID == e.Session
	case e.User != "":
		return s.User == e.User
	case e.Provider == "" || s.Provider != e.Provider:
		return false
	case e.SID != "":
		return s.SID == e.SID || e.Subject != "" && s.SID == "" && s.Subject == e.Subject
	}
	return e.Subject != "" && s.Subject == e.Subject
}

func (m *Memory) bury(e rp.Ending) {
	put := func(kind, provider, value string, issued time.Time) {
		k := tomb{kind, provider, value}
		b := m.tombs[k]
		if issued.After(b.issued) {
			b.issued = issued
		}
		if e.Tombstone.After(b.until) {
			b.until = e.Tombstone
		}
		m.tombs[k] = b
	}
	switch {
	case e.User != "":
		put("user", "", e.User, e.Now)
	case e.SID != "":
		put("sid", e.Provider, e.SID, e.Issued)
		if e.Subject != "" {
			put("nosid", e.Provider, e.Subject, e.Issued)
		}
	case e.Subject != "":
		put("sub", e.Provider, e.Subject, e.Issued)
	}
}

func (m *Memory) revoke(e rp.Ending, out *rp.Ended, hit func(rp.Token) bool) {
	var of []rp.Token
	m.tokens = slices.DeleteFunc(m.tokens, func(t rp.Token) bool {
		if !hit(t) {
			return false
		}
		of = append(of, t)
		return true
	})
	slices.SortStableFunc(of, func(a, b rp.Token) int { return b.Created.Compare(a.Created) })
	first := map[[2]string]bool{}
	for _, t := range of {
		k := [2]string{t.Provider, t.Subject}
		if !t.Revocable || slices.Contains(e.Whole, t.Provider) && first[k] {
			continue
		}
		first[k] = true
		d := rp.Duty{ID: rand.Text(), Provider: t.Provider, Subject: t.Subject, User: t.User, State: rp.Owed, Sealed: t.Sealed, Attempts: 1, Created: e.Now, Next: e.Lease, GiveUp: e.GiveUp}
		m.duties = append(m.duties, d)
		out.Duties = append(out.Duties, d)
	}
	for _, t := range of {
		if !slices.ContainsFunc(out.Duties, func(d rp.Duty) bool { return d.Provider == t.Provider }) && !slices.Contains(out.Dropped, t.Provider) {
			out.Dropped = append(out.Dropped, t.Provider)
		}
	}
}

func (m *Memory) keep(t rp.Token) {
	m.tokens = slices.DeleteFunc(m.tokens, func(o rp.Token) bool {
		return o.Provider == t.Provider && o.Subject == t.Subject && o.Session == t.Session
	})
	m.tokens = append(m.tokens, t)
}

// PutToken implements rp.Tokens.
func (m *Memory) PutToken(_ context.Context, t rp.Token, old []byte, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !live(m.sessions[t.Session], now) {
		return rp.ErrNone
	}
	if old != nil && !slices.ContainsFunc(m.tokens, func(o rp.Token) bool {
		return o.Provider == t.Provider && o.Subject == t.Subject && o.Session == t.Session && bytes.Equal(o.Sealed, old)
	}) {
		return rp.ErrNone
	}
	m.keep(t)
	return nil
}

// FindToken implements rp.Tokens.
func (m *Memory) FindToken(_ context.Context, session rp.Hash, provider string, now time.Time) (rp.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, err := rp.Token{}, rp.ErrNone
	for _, t := range m.tokens {
		if t.Session == session && t.Provider == provider && live(m.sessions[session], now) && !t.Created.Before(found.Created) {
			found, err = t, nil
		}
	}
	return found, err
}

// LeaseDuties implements rp.Duties.
func (m *Memory) LeaseDuties(_ context.Context, provider string, n int, now, until time.Time) ([]rp.Duty, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []rp.Duty
	for i := range m.duties {
		d := &m.duties[i]
		if len(out) < n && d.Provider == provider && d.State == rp.Owed && !now.Before(d.Next) {
			d.Next = until
			d.Attempts++
			out = append(out, *d)
		}
	}
	return out, nil
}

// SettleDuty implements rp.Duties.
func (m *Memory) SettleDuty(_ context.Context, d rp.Duty) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.duties {
		o := &m.duties[i]
		if o.ID == d.ID && o.State == rp.Owed && o.Attempts == d.Attempts {
			o.State, o.Next, o.Why = d.State, d.Next, d.Why
			if d.State != rp.Owed {
				o.Sealed = nil
			}
		}
	}
	return nil
}

// ListDuties implements rp.Duties.
func (m *Memory) ListDuties(_ context.Context, user string, n int) ([]rp.Duty, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []rp.Duty
	for _, d := range m.duties {
		if user == "" || d.User == user {
			d.Sealed = nil
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b rp.Duty) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID)) })
	return out[:min(n, len(out))], nil
}

// Sweep implements rp.Store.
func (m *Memory) Sweep(_ context.Context, now, keep time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.attempts, func(_ rp.Hash, a rp.Attempt) bool { return !now.Before(a.Expires) })
	maps.DeleteFunc(m.sessions, func(_ rp.Hash, s rp.Session) bool { return !live(s, now) })
	maps.DeleteFunc(m.tombs, func(_ tomb, b stone) bool { return !now.Before(b.until) })
	maps.DeleteFunc(m.seen, func(_ [2]string, until time.Time) bool { return !now.Before(until) })
	for i := range m.duties {
		if d := &m.duties[i]; d.State == rp.Owed && !now.Before(d.GiveUp) {
			d.State, d.Sealed, d.Next = rp.GivenUp, nil, now
		}
	}
	m.duties = slices.DeleteFunc(m.duties, func(d rp.Duty) bool { return d.State != rp.Owed && d.Next.Before(keep) })
	return nil
}
