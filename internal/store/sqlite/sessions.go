package sqlite

import (
	"encoding/hex"
	"fmt"
	"strings"

	"exeunt.dev/internal/idp"
)

const sessionColumns = `SELECT s.name, s.ref, s.account, s.realm, s.epoch, s.cookie, s.persistent, s.created_at, s.auth_time, s.expires_at, s.idle,
	s.methods, s.user_agent, s.ip, n.last_seen, n.ip FROM session s JOIN session_seen n ON n.name = s.name `

func scanSession(scan func(...any) error) (idp.Session, error) {
	var s idp.Session
	var idle int64
	var methods string
	err := scan(into(s.Name[:]), &s.Ref, &s.Account, into(s.Realm[:]), into(s.Epoch[:]), into(s.Cookie[:]), &s.Persistent,
		&s.CreatedAt, &s.AuthTime, &s.ExpiresAt, &idle, &methods, &s.UserAgent, &s.IP, &s.LastSeen, &s.LastIP)
	s.Idle, s.Methods = duration(idle), fields(methods)
	return s, err
}

func (v *view) session(query string, args ...any) (idp.Session, error) {
	return scanSession(func(to ...any) error { return v.conn.row(sessionColumns+query, args, to...) })
}

func (v *view) sessions(query string, args ...any) ([]idp.Session, error) {
	var out []idp.Session
	err := v.conn.rows(sessionColumns+query, args, func(scan func(...any) error) error {
		s, err := scanSession(scan)
		out = append(out, s)
		return err
	})
	return out, err
}

func (v *view) Session(n idp.Name) (idp.Session, error) { return v.session(`WHERE s.name = ?`, n[:]) }

func (v *view) SessionByCookie(h idp.Hash) (idp.Session, error) {
	return v.session(`WHERE s.cookie = ?`, h[:])
}

func (v *view) SessionByRef(a idp.AccountID, ref string) (idp.Session, error) {
	return v.session(`WHERE s.ref = ? AND s.account = ?`, ref, string(a))
}

// SessionAfter is the key of a page that continues behind a session.
func sessionAfter(after string) (created int64, name []byte) {
	at, rest, _ := strings.Cut(after, ".")
	if _, err := fmt.Sscan(at, &created); err != nil {
		return 1 << 62, nil
	}
	name, err := hex.DecodeString(rest)
	if err != nil {
		return 1 << 62, nil
	}
	return created, name
}

// SessionKey gives the Page.After that continues behind a session.
func SessionKey(s *idp.Session) string { return fmt.Sprintf("%d.%x", s.CreatedAt, s.Name[:]) }

const notEnded = `NOT EXISTS (SELECT 1 FROM ending e WHERE e.name IN (s.name, s.epoch, s.realm))`

func (v *view) Sessions(a idp.AccountID, realm, epoch idp.Name, p idp.Page) ([]idp.Session, error) {
	created, name := sessionAfter(p.After)
	return v.sessions(`WHERE s.account = ? AND s.realm = ? AND s.epoch = ? AND (s.created_at, s.name) < (?, ?) AND `+notEnded+
		` ORDER BY s.created_at DESC, s.name DESC LIMIT ?`, string(a), realm[:], epoch[:], created, name, p.Limit)
}

func (v *view) ExpiredSessions(now idp.Time, limit int) ([]idp.Session, error) {
	out, err := v.sessions(`WHERE s.expires_at <= ? AND `+notEnded+` LIMIT ?`, int64(now), limit)
	if err != nil || len(out) >= limit {
		return out, err
	}
	idle, err := v.sessions(`WHERE n.idle_at <= ? AND s.expires_at > ? AND `+notEnded+` LIMIT ?`, int64(now), int64(now), limit-len(out))
	return append(out, idle...), err
}

func (t *tx) InsertSession(s idp.Session) error {
	_, err := t.write(`INSERT INTO session (name, ref, account, realm, epoch, cookie, persistent, created_at, auth_time, expires_at, idle, methods, user_agent, ip)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, s.Name[:], s.Ref, string(s.Account), s.Realm[:], s.Epoch[:], null(s.Cookie), s.Persistent,
		int64(s.CreatedAt), int64(s.AuthTime), int64(s.ExpiresAt), ms(s.Idle), words(s.Methods), s.UserAgent, s.IP)
	if err != nil {
		return err
	}
	return t.see(s.Name, s.LastSeen, s.LastIP, ms(s.Idle))
}

func (t *tx) see(n idp.Name, at idp.Time, ip string, idle int64) error {
	idleAt := int64(at) + idle
	if idle == 0 {
		idleAt = 1 << 62
	}
	_, err := t.write(`INSERT INTO session_seen (name, last_seen, ip, idle_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET last_seen = max(last_seen, excluded.last_seen), ip = excluded.ip, idle_at = max(idle_at, excluded.idle_at)`,
		n[:], int64(at), ip, idleAt)
	return err
}

func (t *tx) SeeSession(n idp.Name, at idp.Time, ip string) error {
	var idle int64
	if err := t.conn.row(`SELECT idle FROM session WHERE name = ?`, []any{n[:]}, &idle); err != nil {
		return err
	}
	return t.see(n, at, ip, idle)
}

func (t *tx) ReRootSession(name, realm, epoch idp.Name, r idp.ReRoot) error {
	return t.one(t.write(`UPDATE session SET realm = ?, epoch = ?, cookie = coalesce(?, cookie), auth_time = max(auth_time, ?) WHERE name = ?`,
		realm[:], epoch[:], null(r.Cookie), int64(r.AuthTime), name[:]))
}

func (t *tx) RenewSession(s idp.Session) error {
	err := t.one(t.write(`UPDATE session SET cookie = ?, persistent = ?, auth_time = ?, expires_at = ?, idle = ?, methods = ?, user_agent = ?, ip = ? WHERE name = ?`,
		null(s.Cookie), s.Persistent, int64(s.AuthTime), int64(s.ExpiresAt), ms(s.Idle), words(s.Methods), s.UserAgent, s.IP, s.Name[:]))
	if err != nil {
		return err
	}
	return t.see(s.Name, s.LastSeen, s.LastIP, ms(s.Idle))
}

func (v *view) Slot(session idp.Name, client idp.ClientID) (idp.Slot, error) {
	out := idp.Slot{Session: session, Client: client}
	err := v.conn.row(`SELECT newest, must_ask FROM slot WHERE session = ? AND client = ?`, []any{session[:], string(client)},
		into(out.Grant[:]), &out.MustAsk)
	return out, err
}

func (v *view) Slots(session idp.Name) ([]idp.Slot, error) {
	var out []idp.Slot
	err := v.conn.rows(`SELECT client, newest, must_ask FROM slot WHERE session = ? ORDER BY client`, []any{session[:]},
		func(scan func(...any) error) error {
			s := idp.Slot{Session: session}
			err := scan(&s.Client, into(s.Grant[:]), &s.MustAsk)
			out = append(out, s)
			return err
		})
	return out, err
}

func (t *tx) PutSlot(s idp.Slot) error {
	_, err := t.write(`INSERT INTO slot (session, client, newest, must_ask) VALUES (?, ?, ?, ?)
		ON CONFLICT (session, client) DO UPDATE SET newest = excluded.newest, must_ask = excluded.must_ask`,
		s.Session[:], string(s.Client), null(s.Grant), s.MustAsk)
	return err
}
