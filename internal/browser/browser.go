package browser

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

// Names of the cookies. On an https issuer the first two carry the prefix __Host-, unless the operator chose a name.
type Names struct {
	Session string // default exeunt
	Browser string // default exeunt-browser
	CSRF    string // the script-readable cookie of the accounts API, default csrftoken
	Header  string // in which a script sends it back, default X-CSRFToken
}

// Browser ties browsers to sessions.
type Browser struct {
	store  idp.Store
	door   *door.Door
	policy idp.Policy
	issuer string
	origin string // of the issuer
	secure bool
	names  Names
	known  string // the cookie that marks who has signed in here before
	left   string // the cookie of a browser that has just signed out
	gone   string // the cookie of a browser that has signed out since the last sign-in
	asked  string // the cookie that says which apps were asked in this browser then
	state  string // the cookie that scripts may read to see that something has changed
	key    []byte // of the CSRF token's HMAC

	// ShowsState lets scripts of this server see when somebody signs in or out here (OpenID Connect Session Management 1.0).
	ShowsState bool
	// Arrived is told of each new session in its transaction; known: the account has signed in before in this browser. It says whether
	// that is worth a second look of the person's. nil: nobody asks.
	Arrived func(tx idp.Tx, s *idp.Session, r *http.Request, known bool) (look bool, err error)
}

// New returns the tie. issuer is the issuer's URL, csrfKey 32 secret bytes.
func New(store idp.Store, d *door.Door, p idp.Policy, issuer string, n Names, csrfKey []byte) *Browser {
	b := &Browser{store: store, door: d, policy: p, issuer: issuer, origin: idp.OriginOf(issuer), secure: strings.HasPrefix(issuer, "https:"), names: n, key: csrfKey}
	b.names.Session = b.named(n.Session, "exeunt")
	b.names.Browser = b.named(n.Browser, "exeunt-browser")
	b.known = b.named("", "exeunt-known")
	b.left = b.named("", "exeunt-left")
	b.gone = b.named("", "exeunt-gone")
	b.asked = b.named("", "exeunt-asked")
	b.state = b.named("", "exeunt-state")
	if b.names.CSRF == "" {
		b.names.CSRF = "csrftoken"
	}
	if b.names.Header == "" {
		b.names.Header = "X-CSRFToken"
	}
	return b
}

func (b *Browser) named(chosen, standard string) string {
	switch {
	case chosen != "":
		return chosen
	case b.secure:
		return "__Host-" + standard // 6265bis 4.1.3.2: Secure, Path=/, no Domain
	}
	return standard
}

// ReceiptAddress is the address of a receipt for a program: whoever has it reads the receipt for [ReceiptLife], in any browser.
func (b *Browser) ReceiptAddress(id idp.ReceiptID) string {
	return b.issuer + "/signout/" + string(id) + "?key=" + b.receiptKey(id)
}

func (b *Browser) receiptKey(id idp.ReceiptID) string { return b.sum("receipt\x00" + string(id)) }

// Keyed says that a request for a receipt bears what [Browser.ReceiptAddress] puts into its address.
func (b *Browser) Keyed(r *http.Request, id idp.ReceiptID) bool {
	return subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("key")), []byte(b.receiptKey(id))) == 1
}

// Policy is how long things live.
func (b *Browser) Policy() idp.Policy { return b.policy }

func (b *Browser) set(w http.ResponseWriter, name, value string, life time.Duration, script bool) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: b.secure, HttpOnly: !script, SameSite: http.SameSiteLaxMode}
	if life > 0 {
		c.MaxAge = int(life.Seconds())
	} else if life < 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func value(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil || len(c.Value) < 22 || len(c.Value) > 64 {
		return ""
	}
	return c.Value
}

// ID returns the hash by which this browser is known before anybody signs in, giving it a cookie if it has none.
func (b *Browser) ID(w http.ResponseWriter, r *http.Request) idp.Hash { return idp.HashOf(b.id(w, r)) }

func (b *Browser) id(w http.ResponseWriter, r *http.Request) string {
	if v := value(r, b.names.Browser); v != "" {
		return v
	}
	v := idp.NewSecret(16)
	b.set(w, b.names.Browser, v, 0, false)
	r.AddCookie(&http.Cookie{Name: b.names.Browser, Value: v}) // so that the rest of this request sees the same one
	return v
}

// Brought says that the request has brought cookies of ours. A POST from another site brings none of them.
func (b *Browser) Brought(r *http.Request) bool {
	return value(r, b.names.Browser) != "" || value(r, b.names.Session) != ""
}

// CSRF returns the token that this browser's forms must carry: an HMAC over its browser id, which no other site and no
// other browser can have.
func (b *Browser) CSRF(w http.ResponseWriter, r *http.Request) string { return b.mac(b.id(w, r)) }

// SetCSRF puts the token into the cookie that scripts may read (accounts API) and returns it.
func (b *Browser) SetCSRF(w http.ResponseWriter, r *http.Request) string {
	token := b.CSRF(w, r)
	b.set(w, b.names.CSRF, token, 0, true)
	return token
}

func (b *Browser) mac(id string) string { return b.sum("csrf\x00" + id) }

func (b *Browser) sum(text string) string {
	m := hmac.New(sha256.New, b.key)
	m.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// ErrForged says that a request that acts did not come from one of our pages in this browser.
var ErrForged = errors.New("this request did not come from a page of ours in this browser")

// Genuine checks that a request that acts comes from one of our pages in this browser: same origin by Fetch Metadata or
// Origin, and the CSRF token, given in the form field or in the header.
func (b *Browser) Genuine(r *http.Request, formToken string) error {
	if edge.SameOrigin(r, b.origin) != nil {
		return ErrForged
	}
	given := formToken
	if given == "" {
		given = r.Header.Get(b.names.Header)
	}
	id := value(r, b.names.Browser)
	if id == "" || given == "" || subtle.ConstantTimeCompare([]byte(b.mac(id)), []byte(given)) != 1 {
		return ErrForged
	}
	return nil
}

// Session returns the live session of the request's cookie, read from the primary. idp.ErrNotFound: there is none, or
// it has ended or expired. Any other error means that nobody knows, and the caller must not go on as if nobody were
// signed in.
func (b *Browser) Session(r *http.Request) (*idp.Session, error) {
	s, err := b.Peek(r)
	if err == nil {
		b.See(r, s)
	}
	return s, err
}

// Peek is Session for what a page asks by itself: it does not count as a use.
func (b *Browser) Peek(r *http.Request) (s *idp.Session, err error) {
	if value(r, b.names.Session) == "" {
		return nil, idp.ErrNotFound
	}
	err = b.store.Look(r.Context(), func(v idp.View) (err error) { s, err = b.PeekIn(v, r); return err })
	return s, err
}

// PeekIn is Peek in a View or Look that was opened after the request arrived, for who reads more in it.
func (b *Browser) PeekIn(v idp.View, r *http.Request) (*idp.Session, error) {
	cookie := value(r, b.names.Session)
	if cookie == "" {
		return nil, idp.ErrNotFound
	}
	s, err := v.SessionByCookie(idp.HashOf(cookie))
	if err == nil {
		err = idp.Live(v, s.Names()...)
	}
	if errors.Is(err, idp.ErrEnded) {
		return nil, idp.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	now, _ := b.store.Now()
	if s.Expired(now) {
		return nil, idp.ErrNotFound
	}
	return &s, nil
}

// Who is the username of who is signed in, for a page that is nobody's own; "": nobody is, or it is not known.
func (b *Browser) Who(r *http.Request) (name string) {
	if value(r, b.names.Session) == "" {
		return ""
	}
	err := b.store.View(r.Context(), func(v idp.View) error {
		s, err := b.PeekIn(v, r)
		if err != nil {
			return err
		}
		a, err := v.Account(s.Account)
		name = a.Username
		return err
	})
	if err != nil {
		return ""
	}
	return name
}

// Receipt finds the receipt by which the person ended the session of the request's cookie a moment ago, so that a button pressed twice
// leads to one receipt. It gives a dead cookie nothing else.
func (b *Browser) Receipt(r *http.Request) (id idp.ReceiptID, ok bool) {
	cookie := value(r, b.names.Session)
	if cookie == "" {
		return "", false
	}
	now, _ := b.store.Now()
	err := b.store.View(r.Context(), func(v idp.View) error {
		s, err := v.SessionByCookie(idp.HashOf(cookie))
		if err != nil {
			return err
		}
		over, err := v.Ended(s.Names()...)
		if err != nil {
			return err
		}
		for _, n := range over {
			receipt, err := v.ReceiptOfEnding(n)
			if err != nil {
				return err
			}
			if receipt.Actor == idp.ActorAccount(s.Account) && now-receipt.At < justNow {
				id, ok = receipt.ID, true
			}
		}
		return nil
	})
	return id, ok && err == nil
}

// ReceiptLife is how long a receipt may be read by the browser that signed out, which may act on it too, or by the program that did;
// later it needs the session of the person.
const ReceiptLife = 15 * time.Minute

// Left says that this browser got the receipt when it signed out, not long ago.
func (b *Browser) Left(r *http.Request, id idp.ReceiptID) bool {
	return subtle.ConstantTimeCompare([]byte(value(r, b.left)), []byte(b.sum("left\x00"+string(id)))) == 1
}

// justNow is how long a second press of a button may come after the first.
const justNow = idp.Time(60_000)

// seeEvery is how coarse "last seen" is.
const seeEvery = idp.Time(60_000)

// See notes that the session was used. It may fail without harm.
func (b *Browser) See(r *http.Request, s *idp.Session) {
	now, _ := b.store.Now()
	if now-s.LastSeen < seeEvery {
		return
	}
	ip := edge.Client(r).IP.String()
	_ = b.store.Update(r.Context(), func(tx idp.Tx) error { return tx.SeeSession(s.Name, now, ip) })
}

// Recent says whether the person proved who they are recently enough for a dangerous act.
func (b *Browser) Recent(s *idp.Session) bool {
	now, err := b.store.Now()
	return err == nil && !s.Silent() && now <= s.AuthTime.Add(b.policy.RecentSignIn)
}

// Leave expires the session's cookie in this browser and gives it a new browser id: forms that were open are void, and a
// changed HttpOnly cookie keeps the back button from showing pages out of the browser's memory. For a while the browser is known as the
// one that has this receipt.
func (b *Browser) Leave(w http.ResponseWriter, r *http.Request, id idp.ReceiptID) {
	b.set(w, b.names.Session, "", -1, false)
	b.set(w, b.names.Browser, idp.NewSecret(16), 0, false)
	b.set(w, b.names.CSRF, "", -1, true)
	b.set(w, b.left, b.sum("left\x00"+string(id)), ReceiptLife, false)
	b.set(w, b.gone, idp.NewSecret(16), goneLife, false)
	if b.ShowsState {
		b.setState(w, idp.NewSecret(16), b.policy.StayAbsolute) // true until the next sign-in, also after the browser was closed
	}
	w.Header().Set("Set-Login", "logged-out")
	if b.secure {
		w.Header().Set("Clear-Site-Data", `"storage"`) // never "cookies": that would reach every app on the same domain
	}
}
