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
	Hours    []Hour      `json:"hours"`  // the last day, the oldest first; the last one is not over yet
	Guards   []Guard     `json:"guards"` // connected to this node
	As       time.Time   `json:"as_of"`
}

// Hour is what happened in one.
type Hour struct {
	From    time.Time   `json:"from"`
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

// Looker reads overviews. It keeps what was counted for hours that are over.
type Looker struct {
	Guards func() []Guard

	mu   sync.Mutex
	over map[idp.Time]Hour
}

const (
	hour  = idp.Time(3600_000)
	shown = 24
)

// Look reads an overview.
func (l *Looker) Look(v idp.View, now idp.Time) (o Overview, err error) {
	o.As, o.Guards = now.Time(), l.Guards()
	head, err := v.Head()
	if err != nil {
		return o, err
	}
	o.Endings = head.Number
	if o.Held, err = v.EndingsHeld(now); err != nil {
		return o, err
	}
	if o.Sessions, err = v.SessionsAlive(); err != nil {
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
	this := now - now%hour
	for from := this - (shown-1)*hour; from <= this; from += hour {
		h, err := l.count(v, from, from < this)
		if err != nil {
			return o, err
		}
		o.Hours = append(o.Hours, h)
	}
	return o, nil
}

// count counts an hour, once if it is over. What is recorded late is of no matter to a chart.
func (l *Looker) count(v idp.View, from idp.Time, over bool) (h Hour, err error) {
	l.mu.Lock()
	h, known := l.over[from]
	l.mu.Unlock()
	if known {
		return h, nil
	}
	h.From = from.Time()
	if h.SignIns, err = v.CountEvents(idp.EventSignIn, from, from+hour); err != nil {
		return h, err
	}
	if h.Failed, err = v.CountEvents(idp.EventSignInFailed, from, from+hour); err != nil || !over {
		return h, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over == nil || len(l.over) > 2*shown {
		l.over = map[idp.Time]Hour{}
	}
	l.over[from] = h
	return h, nil
}
