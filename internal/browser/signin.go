package browser

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Proof is what a person has shown, with the epochs that were read together with the credential.
type Proof struct {
	Account idp.AccountID
	Born    idp.Epochs
	Methods []string
	Stay    bool // "stay signed in": the cookie outlives the browser's closing
	Strong  bool // two factors were shown, or a passkey that is both

	// Of a sign-in through a provider.
	From     *idp.Origin // nil: of none
	AuthTime idp.Time    // when the person proved it there; 0: now
}

// SignIn makes the session of a browser, or renews it if the same person is signed in there already. Somebody else's
// session in this browser ends, through the door.
//
// Errors: idp.ErrEnded (what the proof was checked under is over: ask again), idp.ErrLocked, idp.ErrSecond (the account has a second
// factor and the proof lacks it), idp.ErrDoubtful (it came through a provider that was linked before a recovery), idp.ErrUnavailable.
func (b *Browser) SignIn(w http.ResponseWriter, r *http.Request, p Proof) (*idp.Session, error) {
	old, err := b.Session(r)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return nil, err
	}
	cookie := idp.NewSecret(32)
	info := edge.Client(r)
	fresh := b.newSession(p, idp.HashOf(cookie), r.UserAgent(), info.IP.String())
	known := b.Knows(r, p.Account) != ""
	var made idp.Session
	err = b.store.Update(r.Context(), func(tx idp.Tx) error {
		made = fresh
		if err := b.stamp(tx, &made, p); err != nil {
			return err
		}
		if old == nil {
			return b.begin(tx, &made, r, known, p.From)
		}
		if old.Account == p.Account && idp.Live(tx, old.Names()...) == nil {
			made.Name, made.Ref, made.CreatedAt, made.Realm, made.Epoch = old.Name, old.Ref, old.CreatedAt, old.Realm, old.Epoch
			if !old.Silent() {
				made.AuthTime = max(made.AuthTime, old.AuthTime) // a provider may speak of an older proof
			}
			if err := errors.Join(tx.RenewSession(made), putOrigin(tx, &made, p.From)); err != nil {
				return err
			}
			return tx.Record(event(idp.EventSignInAgain, &made))
		}
		cause := idp.Cause{Kind: idp.CauseSomeoneElse, Actor: idp.ActorAccount(p.Account)}
		if _, err := door.EndIn(tx, idp.EndSession(old.Name), cause); err != nil {
			return err
		}
		return b.begin(tx, &made, r, known, p.From)
	})
	if err != nil {
		return nil, err
	}
	b.door.Committed()
	b.SetSession(w, cookie, &made)
	b.know(w, r, made.Account)
	b.set(w, b.gone, "", -1, false)
	b.signedInState(w, r, &made, old != nil && old.Name == made.Name)
	w.Header().Set("Set-Login", "logged-in")
	return &made, nil
}

// Device makes the session of a device that signs in without a browser (authorization challenge).
func (b *Browser) Device(ctx context.Context, r *http.Request, p Proof) (*idp.Session, error) {
	fresh := b.newSession(p, idp.Hash{}, r.UserAgent(), edge.Client(r).IP.String())
	var made idp.Session
	err := b.store.Update(ctx, func(tx idp.Tx) error {
		made = fresh
		if err := b.stamp(tx, &made, p); err != nil {
			return err
		}
		return b.insert(tx, &made, r, false)
	})
	return &made, err
}

// begin is insert, with what the person came through.
func (b *Browser) begin(tx idp.Tx, s *idp.Session, r *http.Request, known bool, from *idp.Origin) error {
	if err := b.insert(tx, s, r, known); err != nil {
		return err
	}
	return putOrigin(tx, s, from)
}

func (b *Browser) insert(tx idp.Tx, s *idp.Session, r *http.Request, known bool) error {
	if err := tx.InsertSession(*s); err != nil {
		return err
	}
	e := event(idp.EventSignIn, s)
	if b.Arrived != nil {
		look, err := b.Arrived(tx, s, r, known)
		if err != nil {
			return err
		}
		if look {
			e.Data["new"] = "yes"
		}
	}
	return tx.Record(e)
}

func event(kind idp.EventKind, s *idp.Session) idp.Event {
	return idp.Event{Kind: kind, Account: s.Account, Session: s.Ref, IP: s.IP, Device: s.UserAgent, Data: map[string]string{"methods": strings.Join(s.Methods, " ")}}
}

func (b *Browser) newSession(p Proof, cookie idp.Hash, agent, ip string) idp.Session {
	agent = strings.ToValidUTF8(agent[:min(len(agent), 256)], "")
	s := idp.Session{
		Name: ledger.NewName(), Ref: ledger.NewName().String(), Account: p.Account, Realm: p.Born.Realm, Epoch: p.Born.Account,
		Cookie: cookie, Persistent: p.Stay, Methods: p.Methods, UserAgent: agent, IP: ip, LastIP: ip, Idle: b.policy.SessionIdle,
	}
	if p.Stay {
		s.Idle = b.policy.StayIdle
	}
	return s
}

// stamp gives the session its times and asks whether it may be born.
//
// R: born under what was checked. The epochs are those of the proof, never newer ones. Whoever owes a second factor is asked here, where
// every session begins, so that no way in can forget it.
func (b *Browser) stamp(tx idp.Tx, s *idp.Session, p Proof) error {
	if p.Born.Account.IsZero() {
		return idp.ErrLocked
	}
	if err := tx.LockAccount(p.Account, idp.Share); err != nil {
		return err
	}
	now, err := tx.Mint()
	if err != nil {
		return err
	}
	absolute := b.policy.SessionAbsolute
	if p.Stay {
		absolute = b.policy.StayAbsolute
	}
	s.CreatedAt, s.AuthTime, s.LastSeen = now, now, now
	s.ExpiresAt = now.Add(absolute)
	if p.AuthTime > 0 {
		s.AuthTime = min(p.AuthTime, now)
	}
	if err := arrive(tx, p.From); err != nil {
		return err
	}
	if err := idp.Live(tx, p.Born.Names()...); err != nil || p.Strong {
		return err
	}
	all, err := tx.Credentials(p.Account)
	if err == nil && idp.OwesSecond(all) {
		err = idp.ErrSecond
	}
	return err
}

// SetSession gives the browser a session's cookie, made by SignIn or by a re-root.
func (b *Browser) SetSession(w http.ResponseWriter, cookie string, s *idp.Session) {
	life := b.policy.StayAbsolute
	if !s.Persistent {
		life = 0
	}
	b.set(w, b.names.Session, cookie, life, false)
}
