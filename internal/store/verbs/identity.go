package verbs

import (
	"slices"
	"strings"

	"exeunt.dev/internal/idp"
)

const (
	identityColumns = `provider, issuer, subject, account, name, mail, tokens, added_at, used_at`
	ofIdentity      = ` WHERE provider = ? AND issuer = ? AND subject = ?`

	sqlIdentity       = `SELECT ` + identityColumns + ` FROM identity` + ofIdentity
	sqlIdentities     = `SELECT ` + identityColumns + ` FROM identity WHERE account = ? ORDER BY added_at, provider, issuer, subject`
	sqlInsertIdentity = `INSERT INTO identity (` + identityColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlUpdateIdentity = `UPDATE identity SET name = ?, mail = ?, tokens = ?, used_at = ?` + ofIdentity
	sqlDeleteIdentity = `DELETE FROM identity` + ofIdentity

	originColumns = `o.session, o.provider, o.issuer, o.subject, o.sid, o.issued, o.kept`
	sqlOrigins    = `SELECT ` + originColumns + ` FROM session_origin o WHERE o.session = ? ORDER BY o.provider, o.issuer`
	sqlPutOrigin  = `INSERT INTO session_origin (session, provider, issuer, subject, sid, issued, kept) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (session, provider, issuer) DO UPDATE SET subject = excluded.subject, sid = excluded.sid, issued = excluded.issued, kept = excluded.kept`

	fromProvider = `SELECT o.session FROM session_origin o JOIN session s ON s.name = o.session
		WHERE NOT EXISTS (SELECT 1 FROM ending e WHERE e.name IN (s.name, s.epoch, s.realm)) AND o.provider = ?1 AND o.issuer = ?2 `
	sqlFromSID     = fromProvider + `AND o.sid = ?3 AND o.sid <> ''`
	sqlFromNoSID   = fromProvider + `AND o.subject = ?3 AND o.sid = ''`
	sqlFromSubject = fromProvider + `AND o.subject = ?3`
	sqlOfflineOf   = `SELECT g.name FROM session_origin o JOIN grant_ g ON g.here = o.session WHERE o.provider = ? AND o.issuer = ? AND o.subject = ?`

	sqlSeeLogout = `INSERT INTO logout_seen (provider, jti, until) VALUES (?, ?, ?) ON CONFLICT (provider, jti) DO NOTHING`
	sqlBury      = `INSERT INTO upstream_end (provider, issuer, kind, value, issued, until) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (provider, issuer, kind, value) DO UPDATE SET
		issued = CASE WHEN excluded.issued > upstream_end.issued THEN excluded.issued ELSE upstream_end.issued END,
		until = CASE WHEN excluded.until > upstream_end.until THEN excluded.until ELSE upstream_end.until END`
	sqlOvertaken = `SELECT 1 FROM upstream_end WHERE provider = ? AND issuer = ? AND kind = ? AND value = ? AND issued >= CAST(? AS BIGINT)`
)

func readIdentity(r Row) idp.Identity {
	return idp.Identity{
		IdentityKey: idp.IdentityKey{Provider: r.Text(), Issuer: r.Text(), Subject: r.Text()},
		Account:     idp.AccountID(r.Text()), Name: r.Text(), Mail: r.Text(), Tokens: r.Bytes(), AddedAt: r.Time(), UsedAt: r.Time(),
	}
}

// Identity reads one.
func (v *View) Identity(k idp.IdentityKey) (i idp.Identity, err error) {
	if !storable(k.Provider) || !storable(k.Issuer) || !storable(k.Subject) {
		return i, idp.ErrNotFound
	}
	err = v.find(sqlIdentity, func(r Row) { i = readIdentity(r) }, k.Provider, k.Issuer, k.Subject)
	return i, err
}

// Identities lists a person's.
func (v *View) Identities(a idp.AccountID) (out []idp.Identity, err error) {
	err = v.E.Each(sqlIdentities, func(r Row) { out = append(out, readIdentity(r)) }, a)
	return out, err
}

var sqlThrough = `SELECT o.session, o.provider FROM session_origin o WHERE o.session IN (?` + strings.Repeat(", ?", sessionsAtOnce-1) + `) ORDER BY o.provider`

// Through names the providers through which sessions were signed in, of many in one question.
func (v *View) Through(page []idp.Session) (map[idp.Name][]string, error) {
	out := map[idp.Name][]string{}
	err := v.eachOf(sqlThrough, func(r Row) { s := r.Name(); out[s] = append(out[s], r.Text()) }, slices.DeleteFunc(slices.Clone(page), func(s idp.Session) bool { return !slices.Contains(s.Methods, "fed") }))
	return out, err
}

// Origins lists through whom a session was signed in.
func (v *View) Origins(session idp.Name) (out []idp.Origin, err error) {
	err = v.E.Each(sqlOrigins, func(r Row) {
		out = append(out, idp.Origin{Session: r.Name(), IdentityKey: idp.IdentityKey{Provider: r.Text(), Issuer: r.Text(), Subject: r.Text()}, SID: r.Text(), Issued: r.Time(), Kept: r.Bytes()})
	}, session)
	return out, err
}

// SessionsFrom lists the live sessions that a provider's word is about.
func (v *View) SessionsFrom(e idp.UpstreamEnd) (out []idp.Name, err error) {
	if !storable(e.SID) || !storable(e.Subject) {
		return nil, nil
	}
	ask := func(sql, value string) error {
		return v.E.Each(sql, func(r Row) { out = append(out, r.Name()) }, e.Provider, e.Issuer, value)
	}
	if e.SID == "" {
		if e.Subject == "" {
			return nil, nil
		}
		return out, ask(sqlFromSubject, e.Subject)
	}
	if err := ask(sqlFromSID, e.SID); err != nil || e.Subject == "" {
		return out, err
	}
	return out, ask(sqlFromNoSID, e.Subject)
}

// OfflineOf lists the offline grants that were made in sessions of an identity.
func (v *View) OfflineOf(k idp.IdentityKey) (out []idp.Name, err error) {
	err = v.E.Each(sqlOfflineOf, func(r Row) { out = append(out, r.Name()) }, k.Provider, k.Issuer, k.Subject)
	return out, err
}

// InsertIdentity links one.
func (t *Tx) InsertIdentity(i idp.Identity) error {
	return t.add(sqlInsertIdentity, i.Provider, i.Issuer, i.Subject, i.Account, i.Name, i.Mail, blob(i.Tokens), i.AddedAt, i.UsedAt)
}

// UpdateIdentity writes what a sign-in or a revocation changes.
func (t *Tx) UpdateIdentity(i idp.Identity) error {
	return t.must(sqlUpdateIdentity, i.Name, i.Mail, blob(i.Tokens), i.UsedAt, i.Provider, i.Issuer, i.Subject)
}

// DeleteIdentity unlinks one.
func (t *Tx) DeleteIdentity(k idp.IdentityKey) error {
	return t.must(sqlDeleteIdentity, k.Provider, k.Issuer, k.Subject)
}

// PutOrigin writes through whom a session was signed in.
func (t *Tx) PutOrigin(o idp.Origin) error {
	return t.add(sqlPutOrigin, o.Session, o.Provider, o.Issuer, o.Subject, o.SID, o.Issued, blob(o.Kept))
}

func blob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// Overtaken says that the provider has ended what a sign-in rests on.
func (t *Tx) Overtaken(o idp.Origin) (bool, error) {
	over := false
	for _, e := range []struct {
		kind, value string
		least       idp.Time
	}{{"sid", o.SID, o.Issued - idp.SIDLeeway}, {"sub", o.Subject, o.Issued}, {"nosid", o.Subject, o.Issued}} {
		if e.value == "" || e.kind == "nosid" && o.SID != "" {
			continue
		}
		found, err := t.E.One(sqlOvertaken, func(Row) {}, o.Provider, o.Issuer, e.kind, e.value, e.least)
		if err != nil {
			return false, err
		}
		over = over || found
	}
	return over, nil
}

// Bury notes a provider's word.
func (t *Tx) Bury(e idp.UpstreamEnd) (bool, error) {
	if e.JTI != "" {
		if fresh, err := t.swap(sqlSeeLogout, e.Provider, e.JTI, e.Until); err != nil || !fresh {
			return false, err
		}
	}
	if e.Issued == 0 {
		return true, nil
	}
	put := func(kind, value string) error {
		return t.add(sqlBury, e.Provider, e.Issuer, kind, value, e.Issued, e.Until)
	}
	switch {
	case e.SID == "":
		return true, put("sub", e.Subject)
	case e.Subject == "":
		return true, put("sid", e.SID)
	}
	if err := put("sid", e.SID); err != nil {
		return false, err
	}
	return true, put("nosid", e.Subject)
}
