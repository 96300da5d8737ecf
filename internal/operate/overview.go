package operate

import (
	"sync"
	"time"

	"exeunt.dev/internal/idp"
)

// Overview is how things stand.
type Overview struct {
	Endings  uint64      `json:"endings"`      // in the ledger
	Held     int64       `json:"endings_held"` // that guards have to hold now, at most
	Sessions idp.Counted `json:"sessions"`
	Working  int64       `json:"fanouts_owed"` // sign-outs of which it is not known yet whom to tell
	Owed     idp.Counted `json:"deliveries_owed"`
	Oldest   *time.Time  `json:"oldest_owed_at,omitempty"`
	Dead     idp.Counted `json:"deliveries_dead"`

	Revoking  idp.Counted `json:"revocations_owed"` // consents that are to be taken back at providers
	Unrevoked idp.Counted `json:"revocations_dead"`
	OldestOut *time.Time  `json:"oldest_revocation_owed_at,omitempty"`

	Hours  []Hour    `json:"hours"`  // the last day, the oldest first; the last one is not over yet
	Guards []Guard   `json:"guards"` // connected to this node
	As     time.Time `json:"as_of"`
}

// Hour is what happened in one.
type Hour struct {
	From    time.Time   `json:"from"`
	Ended   uint64      `json:"endings"`
	SignIns idp.Counted `json:"sign_ins"`
	Failed  idp.Counted `json:"failed"`
}

// Guard is an API that follows the ledger at this node.
type Guard struct {
	ClientID idp.ClientID `json:"client_id"`
	Streams  int          `json:"streams"`
	Behind   uint64       `json:"behind"`             // endings that the slowest stream has not been sent
	Asked    *time.Time   `json:"asked_at,omitempty"` // when it last asked whether it is fresh
}

// Looker reads overviews. It keeps what was counted for hours that are over, and for a moment how many sessions live where they are many.
type Looker struct {
	Guards func() []Guard

	mu       sync.Mutex
	over     map[idp.Time]Hour
	sessions idp.Counted
	until    idp.Time // sessions are counted anew
}

const (
	hour  = idp.Time(3600_000)
	shown = 24
	many  = 1000 // sessions take longer to count than the rest of the page
	keeps = idp.Time(10_000)
)

// Look reads an overview.
func (l *Looker) Look(v idp.View, now idp.Time) (o Overview, err error) {
	o.As, o.Guards = now.Time(), l.Guards()
	head, err := v.Head()
	if err != nil {
		return o, err
	}
	o.Endings = head.Number
	life, err := v.LifeCap()
	if err != nil {
		return o, err
	}
	old, err := v.EndingsBefore(now - idp.Time(1000*life))
	if err != nil {
		return o, err
	}
	o.Held = int64(head.Number - old)
	if o.Sessions, err = l.alive(v, now); err != nil {
		return o, err
	}
	if o.Working, err = v.Owed(); err != nil {
		return o, err
	}
	if o.Owed, o.Dead, err = v.OwedOrDead(); err != nil {
		return o, err
	}
	oldest, err := v.OldestOwed()
	if err != nil {
		return o, err
	}
	o.Oldest = at(oldest)
	if o.Revoking, o.Unrevoked, oldest, err = v.RevocationsOpen(); err != nil {
		return o, err
	}
	o.OldestOut = at(oldest)
	o.Hours, err = l.day(v, now, head.Number)
	return o, err
}

func (l *Looker) alive(v idp.View, now idp.Time) (c idp.Counted, err error) {
	l.mu.Lock()
	c, until := l.sessions, l.until
	l.mu.Unlock()
	if now < until {
		return c, nil
	}
	c, err = v.SessionsAlive(now)
	if err == nil && c.N > many {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sessions, l.until = c, now+keeps
	}
	return c, err
}

// day counts the last hours, each once when it is over. What is recorded late is of no matter to a chart. ended is how many endings there
// are now.
func (l *Looker) day(v idp.View, now idp.Time, ended uint64) (out []Hour, err error) {
	this := now - now%hour
	before, asked := uint64(0), false // how many there were before the hour
	for from := this - (shown-1)*hour; from <= this; from += hour {
		h, known := l.kept(from)
		if known {
			out, asked = append(out, h), false
			continue
		}
		if !asked {
			if before, err = v.EndingsBefore(from); err != nil {
				return nil, err
			}
		}
		after := ended
		if from < this {
			if after, err = v.EndingsBefore(from + hour); err != nil {
				return nil, err
			}
		}
		h.From, h.Ended = from.Time(), after-before
		before, asked = after, true
		if h.SignIns, err = v.CountEvents(idp.EventSignIn, from, from+hour); err != nil {
			return nil, err
		}
		if h.Failed, err = v.CountEvents(idp.EventSignInFailed, from, from+hour); err != nil {
			return nil, err
		}
		if from < this {
			l.keep(from, h)
		}
		out = append(out, h)
	}
	return out, nil
}

func (l *Looker) kept(from idp.Time) (Hour, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, known := l.over[from]
	return h, known
}

func (l *Looker) keep(from idp.Time, h Hour) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over == nil || len(l.over) > 2*shown {
		l.over = map[idp.Time]Hour{}
	}
	l.over[from] = h
}
