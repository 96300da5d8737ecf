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
	Sessions *Alive      `json:"sessions"`     // null: they are being counted
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

// Looker reads overviews. It keeps what was counted for the hours that are over, and of this one for what is over of it.
type Looker struct {
	Guards func() []Guard
	Census *Census

	mu   sync.Mutex
	over map[idp.Time]span // by the hour's beginning
}

// span is an hour as far as it is counted.
type span struct {
	Hour
	before uint64 // endings before it
	to     idp.Time
}

const (
	hour  = idp.Time(3600_000)
	shown = 24
	late  = idp.Time(5_000) // what is recorded later than that is of no matter to a chart
)

// Look reads an overview.
func (l *Looker) Look(v idp.View, now idp.Time) (o Overview, err error) {
	o.As, o.Guards = now.Time(), l.Guards()
	var owed, revoking idp.Time
	err = v.Abreast(
		func(v idp.View) error {
			head, err := v.Head()
			if err != nil {
				return err
			}
			o.Endings = head.Number
			return v.Abreast(
				func(v idp.View) (err error) { o.Held, err = held(v, head, now); return err },
				func(v idp.View) (err error) { o.Hours, err = l.day(v, now, head.Number); return err })
		},
		func(v idp.View) (err error) { o.Sessions, err = l.Census.Alive(v, now); return err },
		func(v idp.View) (err error) { o.Working, err = v.Owed(); return err },
		func(v idp.View) (err error) { o.Owed, o.Dead, err = v.OwedOrDead(); return err },
		func(v idp.View) (err error) { owed, err = v.OldestOwed(); return err },
		func(v idp.View) (err error) { o.Revoking, o.Unrevoked, revoking, err = v.RevocationsOpen(); return err })
	o.Oldest, o.OldestOut = idp.At(owed), idp.At(revoking)
	return o, err
}

// held is how many endings guards have to hold.
func held(v idp.View, head idp.Head, now idp.Time) (int64, error) {
	holds, err := v.Holds(now)
	if err != nil {
		return 0, err
	}
	old, err := v.EndingsBefore(now.Add(-holds))
	return int64(head.Number - old), err
}

// day counts the last hours, each moment of them once. ended is how many endings there are now.
func (l *Looker) day(v idp.View, now idp.Time, ended uint64) ([]Hour, error) {
	this := now - now%hour
	out := make([]Hour, shown)
	var reads []func(idp.View) error
	for i := range out {
		from := this - idp.Time(shown-1-i)*hour
		h, known := l.kept(from)
		if known && h.to == from+hour {
			out[i] = h.Hour
			continue
		}
		reads = append(reads, func(v idp.View) (err error) {
			if !known {
				h.From, h.to = from.Time(), from
				if h.before, err = v.EndingsBefore(from); err != nil {
					return err
				}
			}
			out[i], err = l.count(v, h, from, now, ended)
			return err
		})
	}
	return out, v.Abreast(reads...)
}

// count counts what is not counted yet of an hour, and keeps what is long enough ago.
func (l *Looker) count(v idp.View, h span, from, now idp.Time, ended uint64) (Hour, error) {
	end, settled := from+hour, h.to
	if past := min(now-late, end); past-h.to >= late || past == end {
		settled = past
	}
	after := ended
	var in, failed [2]idp.Counted // until settled, and since
	events := func(to *idp.Counted, k idp.EventKind, from, until idp.Time) func(idp.View) error {
		return func(v idp.View) (err error) {
			if from < until {
				*to, err = v.CountEvents(k, from, until)
			}
			return err
		}
	}
	err := v.Abreast(
		events(&in[0], idp.EventSignIn, h.to, settled), events(&in[1], idp.EventSignIn, settled, end),
		events(&failed[0], idp.EventSignInFailed, h.to, settled), events(&failed[1], idp.EventSignInFailed, settled, end),
		func(v idp.View) (err error) {
			if end <= now {
				after, err = v.EndingsBefore(end)
			}
			return err
		})
	if err != nil {
		return Hour{}, err
	}
	h.Ended, h.SignIns, h.Failed = after-h.before, sum(h.SignIns, in[0]), sum(h.Failed, failed[0])
	if settled > h.to {
		h.to = settled
		l.keep(from, h)
	}
	h.SignIns, h.Failed = sum(h.SignIns, in[1]), sum(h.Failed, failed[1])
	return h.Hour, nil
}

// Day is what happened in its hours.
func (o *Overview) Day() (d Hour) {
	for _, h := range o.Hours {
		d.Ended, d.SignIns, d.Failed = d.Ended+h.Ended, sum(d.SignIns, h.SignIns), sum(d.Failed, h.Failed)
	}
	return d
}

func sum(a, b idp.Counted) idp.Counted {
	n := a.N + b.N
	return idp.Counted{N: min(n, idp.CountedTo), More: a.More || b.More || n > idp.CountedTo}
}

func (l *Looker) kept(from idp.Time) (span, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, known := l.over[from]
	return h, known
}

func (l *Looker) keep(from idp.Time, h span) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over == nil || len(l.over) > 2*shown {
		l.over = map[idp.Time]span{}
	}
	l.over[from] = h
}
