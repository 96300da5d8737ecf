package server

import (
	"fmt"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/store/fill"
	"exeunt.dev/ledger"
)

// population is people with sessions: the first is the operator, the last has very many.
type population struct {
	cookie       string // the operator's
	now          idp.Time
	born         idp.Epochs
	people       []idp.AccountID
	epochs       []idp.Name // of people
	sessions     []idp.Name
	grants       []idp.Name
	crowded      int // the first session of the last
	sessionsEach int
	hundredth    int
}

func newPopulation(n int, now idp.Time, born idp.Epochs) *population {
	p := &population{cookie: idp.NewSecret(32), now: now, born: born, sessionsEach: 10, hundredth: n / 100, crowded: n - n/100}
	for range p.owner(n-1) + 1 {
		p.people, p.epochs = append(p.people, idp.AccountID(ledger.NewName().String())), append(p.epochs, ledger.NewName())
	}
	for range n {
		p.sessions, p.grants = append(p.sessions, ledger.NewName()), append(p.grants, ledger.NewName())
	}
	return p
}

// owner is whose a session is.
func (p *population) owner(session int) int {
	last := (p.crowded + p.sessionsEach - 1) / p.sessionsEach
	if session >= p.crowded {
		return last
	}
	return session / p.sessionsEach
}

func (p *population) crowd() idp.AccountID { return p.people[len(p.people)-1] }

// tables are its rows.
func (p *population) tables() []fill.Table {
	table := func(name string, n int, row func(i int) []any) fill.Table {
		return fill.Table{Name: name, Anew: true, Number: n, Rows: func(yield func([]any) bool) {
			for i := 0; i < n && yield(row(i)); i++ {
			}
		}}
	}
	const day = 86_400_000
	n := len(p.sessions)
	return []fill.Table{
		table("account", len(p.people), func(i int) []any {
			name := fmt.Sprintf("p%07d", i*p.sessionsEach)
			return []any{p.people[i], name, name, "", "", "", false, string(idp.AccountActive), p.epochs[i], p.now, 0}
		}),
		table("session", n, func(i int) []any {
			cookie := idp.HashOf(idp.NewSecret(32))
			if i == 0 {
				cookie = idp.HashOf(p.cookie)
			}
			return []any{p.sessions[i], ledger.NewName().String(), p.people[p.owner(i)], p.born.Realm, p.epochs[p.owner(i)], cookie, false, p.now + idp.Time(i), p.now, p.now + day,
				12 * time.Hour, []string{"pwd"}, "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "192.0.2.7"}
		}),
		table("session_seen", n, func(i int) []any { return []any{p.sessions[i], p.now, "192.0.2.7", p.now + day/2} }),
		table("slot", n, func(i int) []any { return []any{p.sessions[i], "app", p.grants[i], false} }),
		table("grant_", n, func(i int) []any {
			return []any{p.grants[i], p.people[p.owner(i)], "app", p.sessions[i], nil, nil, nil, p.born.Client, p.born.Client, p.now, p.now}
		}),
	}
}

// live makes the first the operator, and lets things happen: sign-ins of some, and ends of things that nobody has any more, each a receipt
// of the last one's.
func (p *population) live(b *testing.B, s *Server) {
	b.Helper()
	update := func(f func(tx idp.Tx) error) {
		b.Helper()
		if err := s.base.Store.Update(b.Context(), f); err != nil {
			b.Fatal(err)
		}
	}
	update(func(tx idp.Tx) error {
		return operate.Give(tx, p.people[0], idp.RoleAdmin, operate.By{Actor: "test:it", Reason: "bench"})
	})
	for from := 0; from < p.hundredth; from += 1000 {
		update(func(tx idp.Tx) error {
			for i := from; i < min(from+1000, p.hundredth); i++ {
				if err := tx.Record(idp.Event{Kind: idp.EventSignIn, Account: p.people[p.owner(i*100)]}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for range min(p.hundredth, 2000) {
		update(func(tx idp.Tx) error {
			return tx.PutConsent(idp.Consent{Account: p.crowd(), Client: "app", GivenAt: p.now}, ledger.NewName())
		})
		cause := idp.Cause{Kind: idp.CauseConsentWithdrawn, Actor: idp.ActorAccount(p.crowd())}
		if _, err := s.door.End(b.Context(), idp.EndConsent(p.crowd(), "app"), cause); err != nil {
			b.Fatal(err)
		}
	}
}
