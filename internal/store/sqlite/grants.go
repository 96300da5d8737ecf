package sqlite

import (
	"encoding/json"
	"strings"

	"exeunt.dev/internal/idp"
)

const grantColumns = `g.name, g.account, g.client, g.session, g.here, g.realm, g.account_epoch, g.client_epoch, g.consent_epoch, g.created_at, g.redeemed_at`

func grantInto(g *idp.Grant) []any {
	return []any{into(g.Name[:]), &g.Account, &g.Client, into(g.Session[:]), into(g.Here[:]), into(g.Epochs.Realm[:]),
		into(g.Epochs.Account[:]), into(g.Epochs.Client[:]), into(g.Epochs.Consent[:]), &g.CreatedAt, &g.RedeemedAt}
}

func (v *view) Grant(n idp.Name) (idp.Grant, error) {
	var g idp.Grant
	err := v.conn.row(`SELECT `+grantColumns+` FROM grant_ g WHERE g.name = ?`, []any{n[:]}, grantInto(&g)...)
	return g, err
}

func (v *view) grants(where string, args ...any) ([]idp.Grant, error) {
	var out []idp.Grant
	err := v.conn.rows(`SELECT `+grantColumns+` FROM grant_ g WHERE `+where+` ORDER BY g.created_at, g.name`, args, func(scan func(...any) error) error {
		var g idp.Grant
		err := scan(grantInto(&g)...)
		out = append(out, g)
		return err
	})
	return out, err
}

func (v *view) GrantsOfSession(n idp.Name) ([]idp.Grant, error) {
	return v.grants(`g.session = ?`, n[:])
}

func (v *view) OfflineFrom(session idp.Name, client idp.ClientID) ([]idp.Grant, error) {
	if client == "" {
		return v.grants(`g.here = ?`, session[:])
	}
	return v.grants(`g.here = ? AND g.client = ?`, session[:], string(client))
}

func (v *view) ChainOfGrant(n idp.Name) (idp.Grant, *idp.Session, error) {
	g, err := v.Grant(n)
	if err != nil || g.Offline() {
		return g, nil, err
	}
	s, err := v.Session(g.Session)
	return g, &s, err
}

func (t *tx) InsertGrant(g idp.Grant) error {
	e := g.Epochs
	_, err := t.write(`INSERT INTO grant_ (name, account, client, session, here, realm, account_epoch, client_epoch, consent_epoch, created_at, redeemed_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, g.Name[:], string(g.Account), string(g.Client), null(g.Session), null(g.Here),
		null(e.Realm), null(e.Account), null(e.Client), null(e.Consent), int64(g.CreatedAt), int64(g.RedeemedAt))
	return err
}

func (t *tx) RedeemGrant(n idp.Name, at idp.Time) error {
	_, err := t.write(`UPDATE grant_ SET redeemed_at = ? WHERE name = ? AND redeemed_at = 0`, int64(at), n[:])
	return err
}

func (v *view) Code(h idp.Hash) (idp.Code, error) {
	c := idp.Code{Hash: h}
	var scopes, resources string
	err := v.conn.row(`SELECT grant_, offline, family, client, redirect_uri, challenge, nonce, scopes, resources, issued_at, expires_at, used_at FROM code WHERE hash = ?`,
		[]any{h[:]}, into(c.Grant[:]), into(c.Offline[:]), into(c.Family[:]), &c.Client, &c.RedirectURI, &c.Challenge, &c.Nonce,
		&scopes, &resources, &c.IssuedAt, &c.ExpiresAt, &c.UsedAt)
	c.Scopes, c.Resources = fields(scopes), fields(resources)
	return c, err
}

func (t *tx) InsertCode(c idp.Code) error {
	_, err := t.write(`INSERT INTO code (hash, grant_, offline, family, client, redirect_uri, challenge, nonce, scopes, resources, issued_at, expires_at, used_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, c.Hash[:], c.Grant[:], null(c.Offline), c.Family[:], string(c.Client), c.RedirectURI, c.Challenge,
		c.Nonce, words(c.Scopes), words(c.Resources), int64(c.IssuedAt), int64(c.ExpiresAt), int64(c.UsedAt))
	return err
}

func (t *tx) UseCode(h idp.Hash, at idp.Time) (bool, error) {
	n, err := t.write(`UPDATE code SET used_at = ? WHERE hash = ? AND used_at = 0`, int64(at), h[:])
	return n == 1, err
}

const familyColumns = `f.name, f.grant_, f.sid, f.client, f.handle, f.generation, f.cur, f.prev, f.prev2, f.rotated_at, f.succ, f.scopes, f.audience, f.created_at, f.expires_at, f.idle`

// chain reads a family, its grant and its session in one question.
func (v *view) chain(where string, arg []byte) (idp.Chain, error) {
	var c idp.Chain
	var s idp.Session
	var scopes, audience, methods string
	var idle int64
	var sIdle, sCreated, sAuth, sExpires, seen *int64
	var persistent *bool
	var ref, account, sMethods, agent, ip *string
	f := &c.Family
	to := []any{into(f.Name[:]), into(f.Grant[:]), into(f.Sid[:]), &f.Client, into(f.Handle[:]), &f.Generation, into(f.Cur[:]), into(f.Prev[:]),
		into(f.Prev2[:]), &f.RotatedAt, &f.Succ, &scopes, &audience, &f.CreatedAt, &f.ExpiresAt, &idle}
	to = append(to, grantInto(&c.Grant)...)
	to = append(to, into(s.Name[:]), &ref, &account, into(s.Realm[:]), into(s.Epoch[:]), into(s.Cookie[:]), &persistent, &sCreated, &sAuth, &sExpires, &sIdle,
		&sMethods, &agent, &ip, &seen)
	err := v.conn.row(`SELECT `+familyColumns+`, `+grantColumns+`, s.name, s.ref, s.account, s.realm, s.epoch, s.cookie, s.persistent, s.created_at, s.auth_time,
		s.expires_at, s.idle, s.methods, s.user_agent, s.ip, n.last_seen
		FROM family f JOIN grant_ g ON g.name = f.grant_ LEFT JOIN session s ON s.name = g.session LEFT JOIN session_seen n ON n.name = s.name WHERE `+where,
		[]any{arg}, to...)
	if err != nil {
		return c, err
	}
	f.Scopes, f.Audience, f.Idle = fields(scopes), fields(audience), duration(idle)
	if s.Name.IsZero() {
		if !c.Grant.Offline() {
			return c, idp.ErrNotFound // its session has been swept: over
		}
		return c, nil
	}
	methods = *sMethods
	s.Ref, s.Account, s.Persistent, s.UserAgent, s.IP = *ref, idp.AccountID(*account), *persistent, *agent, *ip
	s.CreatedAt, s.AuthTime, s.ExpiresAt, s.Idle = idp.Time(*sCreated), idp.Time(*sAuth), idp.Time(*sExpires), duration(*sIdle)
	s.LastSeen, s.Methods = idp.Time(*seen), fields(methods)
	c.Session = &s
	return c, nil
}

func (v *view) Chain(n idp.Name) (idp.Chain, error) { return v.chain(`f.name = ?`, n[:]) }

func (v *view) ChainByHandle(h idp.Hash) (idp.Chain, error) { return v.chain(`f.handle = ?`, h[:]) }

func (t *tx) InsertFamily(f idp.Family) error {
	_, err := t.write(`INSERT INTO family (name, grant_, sid, client, handle, generation, cur, prev, prev2, rotated_at, succ, scopes, audience, created_at, expires_at, idle)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, f.Name[:], f.Grant[:], f.Sid[:], string(f.Client), null(f.Handle), f.Generation,
		null(f.Cur), null(f.Prev), null(f.Prev2), int64(f.RotatedAt), f.Succ, words(f.Scopes), words(f.Audience), int64(f.CreatedAt), int64(f.ExpiresAt), ms(f.Idle))
	return err
}

func (t *tx) RotateFamily(f idp.Family, was idp.Hash) (bool, error) {
	n, err := t.write(`UPDATE family SET generation = ?, cur = ?, prev = ?, prev2 = ?, rotated_at = ?, succ = ? WHERE name = ? AND cur = ?`,
		f.Generation, null(f.Cur), null(f.Prev), null(f.Prev2), int64(f.RotatedAt), f.Succ, f.Name[:], was[:])
	return n == 1, err
}

func (v *view) Pending(id idp.Hash) (idp.Pending, error) {
	p := idp.Pending{ID: id}
	var born string
	err := v.conn.row(`SELECT kind, browser, client, born, session, acted_at, data, created_at, expires_at FROM pending WHERE id = ?`, []any{id[:]},
		&p.Kind, into(p.Browser[:]), &p.Client, &born, into(p.Session[:]), &p.ActedAt, &p.Data, &p.CreatedAt, &p.ExpiresAt)
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(born), &p.Born)
}

func (t *tx) InsertPending(p idp.Pending) error {
	born, err := json.Marshal(p.Born)
	if err != nil {
		return err
	}
	_, err = t.write(`INSERT INTO pending (id, kind, browser, client, born, session, acted_at, data, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID[:], string(p.Kind), null(p.Browser), string(p.Client), string(born), null(p.Session), int64(p.ActedAt), p.Data, int64(p.CreatedAt), int64(p.ExpiresAt))
	return err
}

func (t *tx) UpdatePending(p idp.Pending) error {
	return t.one(t.write(`UPDATE pending SET session = ?, acted_at = ?, data = ? WHERE id = ?`, null(p.Session), int64(p.ActedAt), p.Data, p.ID[:]))
}

func (t *tx) TakePending(id idp.Hash) (idp.Pending, error) {
	p, err := t.Pending(id)
	if err != nil {
		return p, err
	}
	return p, t.one(t.write(`DELETE FROM pending WHERE id = ?`, id[:]))
}

func (v *view) Keys() ([]idp.Key, error) {
	var out []idp.Key
	err := v.conn.rows(`SELECT kid, use, alg, state, private, public, created_at, retired_at FROM signing_key ORDER BY created_at, kid`, nil,
		func(scan func(...any) error) error {
			var k idp.Key
			err := scan(into(k.Kid[:]), &k.Use, &k.Alg, &k.State, &k.Private, &k.Public, &k.CreatedAt, &k.RetiredAt)
			out = append(out, k)
			return err
		})
	return out, err
}

func (t *tx) InsertKey(k idp.Key) error {
	_, err := t.write(`INSERT INTO signing_key (kid, use, alg, state, private, public, created_at, retired_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		k.Kid[:], string(k.Use), k.Alg, string(k.State), k.Private, k.Public, int64(k.CreatedAt), int64(k.RetiredAt))
	return err
}

func (t *tx) SetKeyState(kid idp.Name, s idp.KeyState, retired idp.Time) error {
	return t.one(t.write(`UPDATE signing_key SET state = ?, retired_at = ? WHERE kid = ?`, string(s), int64(retired), kid[:]))
}

// fields splits what words joined; nil for none.
func fields(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, " ")
}
