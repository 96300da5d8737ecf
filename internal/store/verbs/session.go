package verbs

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"exeunt.dev/internal/idp"
)

const (
	sessionColumns = `s.name, s.ref, s.account, s.realm, s.epoch, s.cookie, s.persistent, s.created_at, s.auth_time, s.expires_at, s.idle,
		s.methods, s.user_agent, s.ip, n.last_seen, n.ip`
	sessionTables = ` FROM session s LEFT JOIN session_seen n ON n.session = s.name `

	sqlSession         = `SELECT ` + sessionColumns + sessionTables + `WHERE s.name = ?`
	sqlHoldSession     = `SELECT EXISTS (SELECT 1 FROM ending e WHERE e.name = s.name) AS o FROM session s WHERE s.name = ?`
	sqlSessionByCookie = `SELECT ` + sessionColumns + sessionTables + `WHERE s.cookie = ?`
	sqlSessionByRef    = `SELECT ` + sessionColumns + sessionTables + `WHERE s.account = ? AND s.ref = ?`
	// What the list hangs on is asked with it, once.
	sqlSessions = `SELECT ` + sessionColumns + sessionTables + `
		WHERE s.account = ?1 AND s.epoch = ?2 AND s.realm = ?3 AND (s.created_at, s.ref) < (?4, ?5)
		AND NOT EXISTS (SELECT 1 FROM ending o WHERE o.name IN (?2, ?3))
		AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name = s.name)
		ORDER BY s.created_at DESC, s.ref DESC LIMIT CAST(?6 AS BIGINT)`

	sqlSessionsEndedWith = `SELECT ` + sessionColumns + sessionTables + `
		WHERE s.account = ?1 AND s.epoch = ?2 AND (s.created_at, s.ref) < (?3, ?4)
		AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name = s.name AND e.number < (SELECT o.number FROM ending o WHERE o.name = ?2))
		ORDER BY s.created_at DESC, s.ref DESC LIMIT CAST(?5 AS BIGINT)`

	// CROSS JOIN keeps SQLite's order: the index of deadlines leads.
	sqlExpiredSessions = `SELECT ` + sessionColumns + ` FROM session_seen n CROSS JOIN session s
		WHERE s.name = n.session AND n.deadline <= ?
		AND EXISTS (SELECT 1 FROM account a WHERE a.id = s.account)
		AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name IN (s.name, s.epoch, s.realm))
		ORDER BY n.deadline LIMIT CAST(? AS BIGINT)`

	sqlInsertSession = `INSERT INTO session (name, ref, account, realm, epoch, cookie, persistent, created_at, auth_time, expires_at, idle, methods, user_agent, ip)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlInsertSeen    = `INSERT INTO session_seen (session, last_seen, ip, deadline) VALUES (?, ?, ?, ?)`
	sqlReRootSession = `UPDATE session SET realm = ?, epoch = ?, cookie = coalesce(?, cookie), auth_time = coalesce(nullif(CAST(? AS BIGINT), 0), auth_time) WHERE name = ?`
	sqlRenewSession  = `UPDATE session SET cookie = ?, persistent = ?, auth_time = ?, expires_at = ?, idle = ?, methods = ?, user_agent = ?, ip = ? WHERE name = ?`
	// A deadline that the sweep has taken away stays away: the session is over.
	sqlSeeSession = `UPDATE session_seen SET last_seen = ` + seen + `, ip = ?3,
		deadline = (SELECT CASE WHEN deadline IS NULL THEN NULL WHEN s.idle = 0 OR s.expires_at < ` + seen + ` + s.idle THEN s.expires_at
			ELSE ` + seen + ` + s.idle END FROM session s WHERE s.name = ?1)
		WHERE session = ?1`
	seen = `(CASE WHEN last_seen > ?2 THEN last_seen ELSE ?2 END)`

	sqlSlot  = `SELECT session, client, grant_, must_ask FROM slot WHERE session = ? AND client = ?`
	sqlSlots = `SELECT session, client, grant_, must_ask FROM slot WHERE session = ? ORDER BY client`
	// The client's row is JSON as encoding/json writes it: within a text its quotes would be escaped.
	sqlAwaited = `SELECT c.id FROM slot s JOIN client c ON c.id = s.client WHERE s.session = ? AND c.data LIKE '%"await_logout":true%'`
	sqlPutSlot = `INSERT INTO slot (session, client, grant_, must_ask) VALUES (?, ?, ?, ?)
		ON CONFLICT (session, client) DO UPDATE SET grant_ = excluded.grant_, must_ask = excluded.must_ask`
)

// sessionsAtOnce is how many sessions one question is about.
const sessionsAtOnce = 64

// givenBack is whether there was a family, and none is alive: the app has given back all that it had (RFC 7009).
const givenBack = `count(*) > 0 AND count(*) = count(e.name) FROM family f LEFT JOIN ending e ON e.name = f.name`

// Sessions are named one by one, and the rest is looked up for each: a planner that may join plans for the whole tables, and takes ten
// times as long.
var sqlAppsIn = `SELECT t.session, t.client, (SELECT c.data FROM client c WHERE c.id = t.client) FROM slot t
	WHERE t.session IN (?` + strings.Repeat(", ?", sessionsAtOnce-1) + `)
	AND t.grant_ IS NOT NULL AND (SELECT count(*) FROM grant_ g JOIN ending e ON e.name IN (g.name, g.client_epoch, g.consent_epoch) WHERE g.name = t.grant_) = 0
	AND NOT (SELECT ` + givenBack + ` WHERE f.grant_ = t.grant_)
	ORDER BY t.client`

// sqlLiveSessionByCookie is a session before whose columns stands whether one of its names has ended.
var sqlLiveSessionByCookie = `SELECT (` + over("s.name", "s.epoch", "s.realm") + `) AS over_, ` + sessionColumns + sessionTables + `WHERE s.cookie = ?`

// SessionsBy reads the sessions whose name is what follows it: " = ANY(?)", " IN (?, ?)". ReadSession reads its rows.
const SessionsBy = `SELECT ` + sessionColumns + sessionTables + `WHERE s.name`

// ReadSession reads a row of SessionsBy.
func ReadSession(r Row) idp.Session { return readSession(r) }

func readSession(r Row) idp.Session {
	s := idp.Session{
		Name: r.Name(), Ref: r.Text(), Account: idp.AccountID(r.Text()), Realm: r.Name(), Epoch: r.Name(), Cookie: r.Hash(), Persistent: r.Bool(),
		CreatedAt: r.Time(), AuthTime: r.Time(), ExpiresAt: r.Time(), Idle: r.Duration(), Methods: r.List(), UserAgent: r.Text(), IP: r.Text(),
	}
	s.LastSeen, s.LastIP = idp.Time(r.IntOr0()), r.TextOrEmpty()
	return s
}

func (v *View) session(sql string, args ...any) (s idp.Session, err error) {
	err = v.find(sql, func(r Row) { s = readSession(r) }, args...)
	return s, err
}

// Session reads one by its name.
func (v *View) Session(n idp.Name) (idp.Session, error) { return v.session(sqlSession, n) }

// SessionByCookie reads one by its cookie's hash. In a read-only transaction, or a Look, it learns in the same statement, and so on the
// same snapshot, whether it lives: who finds a session by its cookie asks that next. Which of its names has ended is not told, and is asked
// for as ever.
func (v *View) SessionByCookie(h idp.Hash) (s idp.Session, err error) {
	if v.Buffer != nil {
		return v.session(sqlSessionByCookie, h)
	}
	s, over, err := v.LiveSessionByCookie(h)
	if err == nil && !over {
		v.live = s.Names()
	}
	return s, err
}

// LiveSessionByCookie reads one, and in the same statement whether one of its names is in the table of endings.
func (v *View) LiveSessionByCookie(h idp.Hash) (s idp.Session, over bool, err error) {
	err = v.find(sqlLiveSessionByCookie, func(r Row) { over, s = r.Bool(), readSession(r) }, h)
	return s, over, err
}

// SessionByRef reads one of an account by what pages call it.
func (v *View) SessionByRef(a idp.AccountID, ref string) (idp.Session, error) {
	if !storable(ref) {
		return idp.Session{}, idp.ErrNotFound
	}
	return v.session(sqlSessionByRef, a, ref)
}

// Sessions lists the live ones of an account, newest first; After is the last one's PageKey.
func (v *View) Sessions(a idp.AccountID, realm, epoch idp.Name, p idp.Page) (out []idp.Session, err error) {
	if b := v.Buffer; b != nil && (b.has(realm) || b.has(epoch)) {
		return nil, nil // ended by this commit
	}
	created, ref, err := behind(p)
	if err != nil {
		return nil, err
	}
	err = v.E.Each(sqlSessions, func(r Row) { out = append(out, readSession(r)) }, a, epoch, realm, created, ref, limitOf(p))
	return out, err
}

// AppsIn lists the apps of sessions, of many in one question. An app that has given back all that it had (RFC 7009) is in none.
func (v *View) AppsIn(page []idp.Session) (map[idp.Name][]idp.AppName, error) {
	out, names := map[idp.Name][]idp.AppName{}, map[idp.ClientID]string{}
	read := func(r Row) {
		s, id, data := r.Name(), idp.ClientID(r.Text()), r.TextOrEmpty()
		if _, known := names[id]; !known {
			var c struct{ Name string }
			if data != "" && json.Unmarshal([]byte(data), &c) != nil {
				r.Bad()
			}
			names[id] = cmp.Or(c.Name, string(id))
		}
		out[s] = append(out[s], idp.AppName{ID: id, Name: names[id]})
	}
	return out, v.eachOf(sqlAppsIn, read, page)
}

// eachOf asks about sessions, many at once.
func (v *View) eachOf(question string, read func(Row), page []idp.Session) error {
	for len(page) > 0 {
		n := min(len(page), sessionsAtOnce)
		var ask [sessionsAtOnce]any // NULL is nobody's name
		for i := range n {
			ask[i] = page[i].Name
		}
		if err := v.E.Each(question, read, ask[:]...); err != nil {
			return err
		}
		page = page[n:]
	}
	return nil
}

// behind reads the key of the page of sessions that ended there.
func behind(p idp.Page) (created int64, ref string, err error) {
	if p.After == "" {
		return int64(1) << 62, "", nil
	}
	at, ref, _ := strings.Cut(p.After, ".")
	if created, err = strconv.ParseInt(at, 10, 64); err != nil || !storable(ref) {
		return 0, "", idp.Invalid("after", "That page does not exist.")
	}
	return created, ref, nil
}

// SessionsEndedWith lists those that an account's epoch took with it.
func (v *View) SessionsEndedWith(a idp.AccountID, epoch idp.Name, p idp.Page) (out []idp.Session, err error) {
	over, err := v.Ended(epoch)
	if err != nil || len(over) == 0 {
		return nil, err
	}
	created, ref, err := behind(p)
	if err != nil {
		return nil, err
	}
	err = v.E.Each(sqlSessionsEndedWith, func(r Row) { out = append(out, readSession(r)) }, a, epoch, created, ref, limitOf(p))
	return out, err
}

// ExpiredSessions lists what the sweep has to end.
func (v *View) ExpiredSessions(now idp.Time, limit int) (out []idp.Session, err error) {
	err = v.E.Each(sqlExpiredSessions, func(r Row) { out = append(out, readSession(r)) }, now, limit)
	return out, err
}

func readSlot(r Row) idp.Slot {
	return idp.Slot{Session: r.Name(), Client: idp.ClientID(r.Text()), Grant: r.Name(), MustAsk: r.Bool()}
}

// Slot reads what an app has in a session.
func (v *View) Slot(session idp.Name, c idp.ClientID) (s idp.Slot, err error) {
	err = v.find(sqlSlot, func(r Row) { s = readSlot(r) }, session, c)
	return s, err
}

// Slots lists the apps of a session.
func (v *View) Slots(session idp.Name) (out []idp.Slot, err error) {
	err = v.E.Each(sqlSlots, func(r Row) { out = append(out, readSlot(r)) }, session)
	return out, err
}

// Awaited lists the apps of a session that a browser waits for.
func (v *View) Awaited(session idp.Name) (out []idp.ClientID, err error) {
	err = v.E.Each(sqlAwaited, func(r Row) { out = append(out, idp.ClientID(r.Text())) }, session)
	return out, err
}

// deadline is when a session expires if nobody uses it again.
func deadline(s *idp.Session) idp.Time {
	if s.Idle <= 0 {
		return s.ExpiresAt
	}
	return min(s.ExpiresAt, s.LastSeen.Add(s.Idle))
}

// InsertSession writes a new session, seen at its birth if nothing else is said.
func (t *Tx) InsertSession(s idp.Session) error {
	s.LastSeen, s.LastIP = cmp.Or(s.LastSeen, s.CreatedAt), cmp.Or(s.LastIP, s.IP)
	if err := t.add(sqlInsertSession, s.Name, s.Ref, s.Account, s.Realm, s.Epoch, s.Cookie, s.Persistent, s.CreatedAt, s.AuthTime, s.ExpiresAt,
		s.Idle, s.Methods, s.UserAgent, s.IP); err != nil {
		return err
	}
	return t.add(sqlInsertSeen, s.Name, s.LastSeen, s.LastIP, deadline(&s))
}

// ReRootSession writes the epochs that the acting session of "others" lives under from now on.
func (t *Tx) ReRootSession(name, realm, epoch idp.Name, r idp.ReRoot) error {
	return t.must(sqlReRootSession, realm, epoch, r.Cookie, r.AuthTime, name)
}

// RenewSession writes what a new sign-in of the same person changes, and counts as a use.
func (t *Tx) RenewSession(s idp.Session) error {
	if err := t.must(sqlRenewSession, s.Cookie, s.Persistent, s.AuthTime, s.ExpiresAt, s.Idle, s.Methods, s.UserAgent, s.IP, s.Name); err != nil {
		return err
	}
	return t.SeeSession(s.Name, max(s.LastSeen, s.AuthTime), cmp.Or(s.LastIP, s.IP))
}

// SeeSession writes when and from where a session was last used; it never goes back.
func (t *Tx) SeeSession(name idp.Name, at idp.Time, ip string) error {
	return t.must(sqlSeeSession, name, at, ip)
}

// PutSlot writes a slot.
func (t *Tx) PutSlot(s idp.Slot) error {
	return t.add(sqlPutSlot, s.Session, s.Client, s.Grant, s.MustAsk)
}
