package verbs

import (
	"errors"
	"strings"

	"exeunt.dev/internal/idp"
)

const (
	grantColumns = `name, account, client, session, here, realm, account_epoch, client_epoch, consent_epoch, created_at, redeemed_at`

	sqlGrant           = `SELECT ` + grantColumns + ` FROM grant_ WHERE name = ?`
	sqlGrantsOfSession = `SELECT ` + grantColumns + ` FROM grant_ WHERE session = ? ORDER BY created_at, name`
	sqlOfflineFrom     = `SELECT ` + grantColumns + ` FROM grant_ WHERE here = ? ORDER BY created_at, name`
	sqlOfflineFromOf   = `SELECT ` + grantColumns + ` FROM grant_ WHERE here = ? AND client = ? ORDER BY created_at, name`
	sqlInsertGrant     = `INSERT INTO grant_ (` + grantColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlRedeemGrant     = `UPDATE grant_ SET redeemed_at = ? WHERE name = ?`

	codeColumns   = `hash, grant_, offline, family, client, redirect_uri, challenge, nonce, scopes, resources, issued_at, expires_at, used_at, jkt, net`
	sqlCode       = `SELECT ` + codeColumns + ` FROM code WHERE hash = ?`
	sqlInsertCode = `INSERT INTO code (` + codeColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlUseCode    = `UPDATE code SET used_at = ? WHERE hash = ? AND used_at = 0`
	sqlHasCode    = `SELECT 1 FROM code WHERE hash = ?`

	familyColumns = `name, grant_, sid, client, handle, generation, cur, prev, prev2, rotated_at, succ, scopes, audience, created_at, expires_at, idle, jkt, net`

	sqlInsertFamily = `INSERT INTO family (` + familyColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlRotateFamily = `UPDATE family SET generation = ?, cur = ?, prev = ?, prev2 = ?, rotated_at = ?, succ = ? WHERE name = ? AND cur = ?`
)

// A family with its grant and, if that is bound to one, its session: read at every refresh, so in one statement.
var (
	sqlChain         = `SELECT ` + ChainColumns + ChainTables + `WHERE f.name = ?`
	sqlChainByHandle = `SELECT ` + ChainColumns + ChainTables + `WHERE f.handle = ?`

	// ChainColumns are what ReadChain reads.
	ChainColumns = of("f", familyColumns) + `, ` + of("g", grantColumns) + `, s.name IS NOT NULL, ` + sessionColumns
)

// ChainTables are where ChainColumns are from: family f, grant g, and session s with n, when it was last seen.
const ChainTables = `
	FROM family f JOIN grant_ g ON g.name = f.grant_ LEFT JOIN session s ON s.name = g.session LEFT JOIN session_seen n ON n.session = s.name `

// A family with whose it is, and whether any of its names has ended. One question for each name: an IN list would be sorted first.
var sqlHeld = `SELECT f.name, f.client, g.account, g.session, (` + over("s.realm", "s.epoch", "s.name", "g.realm", "g.account_epoch", "g.client_epoch", "g.consent_epoch", "g.name", "f.name") + `) AS o
	FROM family f JOIN grant_ g ON g.name = f.grant_ LEFT JOIN session s ON s.name = g.session WHERE f.handle = ? AND (g.session IS NULL OR s.name IS NOT NULL)`

// over is whether one of the columns holds a name that has ended. For an IN of columns SQLite makes a table each time.
func over(columns ...string) string {
	for i, c := range columns {
		columns[i] = `EXISTS (SELECT 1 FROM ending e WHERE e.name = ` + c + `)`
	}
	return strings.Join(columns, " OR ")
}

// A grant with the apps of its session, and of each what tells the kept copy of its row from any other.
const sqlParting = `SELECT g.account, g.client, g.session, s.client, c.version FROM grant_ g LEFT JOIN slot s ON s.session = g.session LEFT JOIN client c ON c.id = s.client
	WHERE g.name = ?`

// of puts a table's short name before each column.
func of(table, columns string) string {
	return table + "." + strings.ReplaceAll(columns, ", ", ", "+table+".")
}

func readGrant(r Row) idp.Grant {
	return idp.Grant{
		Name: r.Name(), Account: idp.AccountID(r.Text()), Client: idp.ClientID(r.Text()), Session: r.Name(), Here: r.Name(),
		Epochs:    idp.Epochs{Realm: r.Name(), Account: r.Name(), Client: r.Name(), Consent: r.Name()},
		CreatedAt: r.Time(), RedeemedAt: r.Time(),
	}
}

// Grant reads one by its name.
func (v *View) Grant(n idp.Name) (g idp.Grant, err error) {
	err = v.find(sqlGrant, func(r Row) { g = readGrant(r) }, n)
	return g, err
}

func (v *View) grants(sql string, args ...any) (out []idp.Grant, err error) {
	err = v.E.Each(sql, func(r Row) { out = append(out, readGrant(r)) }, args...)
	return out, err
}

// GrantsOfSession lists the session-bound ones.
func (v *View) GrantsOfSession(n idp.Name) ([]idp.Grant, error) {
	return v.grants(sqlGrantsOfSession, n)
}

// OfflineFrom lists offline ones made in a session.
func (v *View) OfflineFrom(session idp.Name, c idp.ClientID) ([]idp.Grant, error) {
	if c == "" {
		return v.grants(sqlOfflineFrom, session)
	}
	return v.grants(sqlOfflineFromOf, session, c)
}

// Code reads an authorization code.
func (v *View) Code(h idp.Hash) (c idp.Code, err error) {
	err = v.find(sqlCode, func(r Row) {
		c = idp.Code{
			Hash: r.Hash(), Grant: r.Name(), Offline: r.Name(), Family: r.Name(), Client: idp.ClientID(r.Text()), RedirectURI: r.Text(),
			Challenge: r.Text(), Nonce: r.Text(), Scopes: r.List(), Resources: r.List(), IssuedAt: r.Time(), ExpiresAt: r.Time(), UsedAt: r.Time(), Bond: readBond(r),
		}
	}, h)
	return c, err
}

func readFamily(r Row) idp.Family {
	return idp.Family{
		Name: r.Name(), Grant: r.Name(), Sid: r.Name(), Client: idp.ClientID(r.Text()), Handle: r.Hash(), Generation: r.Int(),
		Cur: r.Hash(), Prev: r.Hash(), Prev2: r.Hash(), RotatedAt: r.Time(), Succ: r.Bytes(), Scopes: r.List(), Audience: r.List(),
		CreatedAt: r.Time(), ExpiresAt: r.Time(), Idle: r.Duration(), Bond: readBond(r),
	}
}

// ChainOfGrant reads a grant with its session.
func (v *View) ChainOfGrant(n idp.Name) (idp.Grant, *idp.Session, error) {
	g, err := v.Grant(n)
	if err != nil || g.Offline() {
		return g, nil, err
	}
	s, err := v.Session(g.Session)
	if err != nil {
		return idp.Grant{}, nil, err
	}
	return g, &s, nil
}

// Chain reads a family with all that it hangs on.
func (v *View) Chain(n idp.Name) (idp.Chain, error) { return v.chain(sqlChain, n) }

// ChainByHandle reads it by the hash of its refresh token's handle.
func (v *View) ChainByHandle(h idp.Hash) (idp.Chain, error) { return v.chain(sqlChainByHandle, h) }

// HeldByHandle reads a family by the hash of its refresh token's handle, and whether it is over.
func (v *View) HeldByHandle(h idp.Hash) (f idp.Held, err error) {
	err = v.find(sqlHeld, func(r Row) {
		f = idp.Held{Name: r.Name(), Client: idp.ClientID(r.Text()), Account: idp.AccountID(r.Text()), Session: r.Name(), Over: r.Bool()}
	}, h)
	return f, err
}

// Parting reads a grant with whom a browser waits for that signs out of its session.
func (v *View) Parting(n idp.Name) (p idp.Parting, err error) {
	type app struct {
		id      idp.ClientID
		version int64
	}
	var apps []app
	found := false
	if err := v.E.Each(sqlParting, func(r Row) {
		found = true
		p.Account, p.Client, p.Session = idp.AccountID(r.Text()), idp.ClientID(r.Text()), r.Name()
		if a := (app{idp.ClientID(r.TextOrEmpty()), r.IntOr0()}); a.id != "" {
			apps = append(apps, a)
		}
	}, n); err != nil {
		return p, err
	}
	if !found {
		return p, idp.ErrNotFound
	}
	for _, a := range apps {
		awaited, known := v.Cache.awaited(a.id, a.version)
		if !known {
			c, err := v.Client(a.id)
			if err != nil && !errors.Is(err, idp.ErrNotFound) {
				return p, err
			}
			awaited = c.AwaitLogout
		}
		if awaited {
			p.Awaited = append(p.Awaited, a.id)
		}
	}
	return p, nil
}

func (v *View) chain(sql string, key any) (c idp.Chain, err error) {
	whole := false
	err = v.find(sql, func(r Row) { c, whole = ReadChain(r) }, key)
	if err == nil && !whole {
		err = idp.ErrNotFound
	}
	if err != nil {
		return idp.Chain{}, err
	}
	return c, nil
}

// ReadChain reads a row of ChainColumns; false: the grant's session is not there.
func ReadChain(r Row) (c idp.Chain, whole bool) {
	c = idp.Chain{Family: readFamily(r), Grant: readGrant(r)}
	there := r.Bool()
	if there {
		s := readSession(r)
		c.Session = &s
	}
	return c, there || c.Grant.Offline()
}

// InsertGrant writes a new grant.
func (t *Tx) InsertGrant(g idp.Grant) error {
	e := g.Epochs
	return t.add(sqlInsertGrant, g.Name, g.Account, g.Client, g.Session, g.Here, e.Realm, e.Account, e.Client, e.Consent, g.CreatedAt, g.RedeemedAt)
}

// RedeemGrant notes a redemption.
func (t *Tx) RedeemGrant(n idp.Name, at idp.Time) error { return t.must(sqlRedeemGrant, at, n) }

// InsertCode writes a new code.
func (t *Tx) InsertCode(c idp.Code) error {
	return t.add(sqlInsertCode, c.Hash, c.Grant, c.Offline, c.Family, c.Client, c.RedirectURI, c.Challenge, c.Nonce, c.Scopes, c.Resources,
		c.IssuedAt, c.ExpiresAt, c.UsedAt, c.Bond.Key, network(c.Bond.Net))
}

// UseCode marks a code as used; false: it was used before.
func (t *Tx) UseCode(h idp.Hash, at idp.Time) (bool, error) {
	used, err := t.swap(sqlUseCode, at, h)
	if err == nil && !used {
		err = t.find(sqlHasCode, func(Row) {}, h)
	}
	return used, err
}

// InsertFamily writes a new family.
func (t *Tx) InsertFamily(f idp.Family) error {
	return t.add(sqlInsertFamily, f.Name, f.Grant, f.Sid, f.Client, f.Handle, f.Generation, f.Cur, f.Prev, f.Prev2, f.RotatedAt, f.Succ,
		f.Scopes, f.Audience, f.CreatedAt, f.ExpiresAt, f.Idle, f.Bond.Key, network(f.Bond.Net))
}

// RotateFamily rotates by compare on the current secret.
func (t *Tx) RotateFamily(f idp.Family, was idp.Hash) (bool, error) {
	return t.swap(sqlRotateFamily, f.Generation, f.Cur, f.Prev, f.Prev2, f.RotatedAt, f.Succ, f.Name, was)
}

// RotateHeld is RotateFamily for a family that was read, with was as its current secret, under an exclusive lock of this
// transaction: nobody else can have rotated it since, so the answer is known.
func (t *Tx) RotateHeld(f idp.Family, was idp.Hash) error {
	return t.must(sqlRotateFamily, f.Generation, f.Cur, f.Prev, f.Prev2, f.RotatedAt, f.Succ, f.Name, was)
}
