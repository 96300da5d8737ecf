package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"exeunt.dev/guard"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
	"exeunt.dev/ledger"
)

// line is somebody or something in a layer.
type line struct {
	Who, What string
	Tag, Look string // a word or two about its state, and how that looks
}

// Looks of a state.
const (
	good = "good"
	bad  = "bad"  // an operator would want to know
	over = "over" // as it should be, and no more
)

// card is an app.
type card struct {
	Name, URL, Command string
	How                string // how it keeps what it has
	Site               string // a website's id: it can be taken down
	Down               bool
	Here               []line
}

// signOut is something that ended.
type signOut struct {
	At, Title, Receipt string
	Ledger             string
	Reached            []line // the API and the apps
}

type startData struct {
	Info
	Apps     []card
	Exeunt   []line
	Tokens   []line
	Shown    bool // tokens were, at any time
	SignOuts []signOut
	CSRF     string
}

const signOutsShown = 10

// startPage shows the layers side by side. It reads the databases, as no website could.
func (d *Demo) startPage() http.Handler {
	page := template.Must(template.ParseFS(files, "page/start.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		data, err := d.look(r.Context())
		if err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		var b bytes.Buffer
		if err := page.Execute(&b, data); err != nil {
			http.Error(w, "the page cannot be made", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		w.Write(b.Bytes())
	})
	mux.HandleFunc("POST /apps/{site}", d.turn)
	for _, name := range []string{"start.css", "start.js"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "page/"+name) })
	}
	return mux
}

// scene is one look at everything.
type scene struct {
	d     *Demo
	v     idp.View
	now   idp.Time
	names map[string]string // of people, by subject
	apps  map[string]string // names of apps by client id
	in    map[idp.ClientID][]line
}

func (d *Demo) look(ctx context.Context) (data startData, err error) {
	data.Info, data.CSRF = d.Info, d.csrf
	stays := make([][]stay, len(d.sites))
	for i, w := range d.sites {
		if stays[i], err = w.stays(ctx); err != nil {
			return data, err
		}
	}
	var tokens []shown
	tokens, data.Shown = d.orders.tokens()
	err = d.base.Store.View(ctx, func(v idp.View) error {
		s := &scene{d: d, v: v, names: map[string]string{}, apps: map[string]string{}, in: map[idp.ClientID][]line{}}
		s.now, _ = d.base.Store.Now()
		if data.Exeunt, err = s.sessions(); err != nil {
			return err
		}
		for i, w := range d.sites {
			c := card{Name: w.name, URL: w.url, How: "A website. It has a cookie and a database of its own.", Site: w.id, Down: w.down.Load()}
			if c.Here, err = s.stays(stays[i]); err != nil {
				return err
			}
			data.Apps = append(data.Apps, c)
		}
		data.Apps = append(data.Apps,
			card{Name: "Orders in the browser", URL: d.Info.SinglePage, How: "A single-page app. Its tokens are in the memory of its tabs.", Here: s.in[singlePage]},
			card{Name: "Orders on the desk", Command: strings.Replace(d.Info.Native, " ", " \\\n", 3) + " login", How: "A native app. It keeps what it has in the system's keyring, or a file of its own, bound to a key. Type this in the folder of the source; get /orders and logout instead of login do the rest.", Here: s.in[native]})
		for _, t := range tokens {
			_, session, err := s.grant(t.sid)
			if err != nil {
				return err
			}
			x := line{Who: s.person(t.subject), What: "by " + s.app(idp.ClientID(t.client)), Tag: "admitted", Look: good}
			if session != nil {
				x.What += ", " + browser(session)
			}
			if t.refused != nil {
				x.Tag, x.Look = "refused: "+refusal(t.refused), over
			}
			data.Tokens = append(data.Tokens, x)
		}
		data.SignOuts, err = s.signOuts()
		return err
	})
	return data, err
}

func refusal(err error) string {
	if errors.Is(err, guard.ErrEnded) {
		return "revoked"
	}
	return strings.TrimPrefix(err.Error(), "guard: ")
}

// sessions lists who is signed in at Exeunt, and notes in which apps.
func (s *scene) sessions() (out []line, err error) {
	people, err := s.v.Accounts(idp.Page{Limit: 100})
	if err != nil {
		return nil, err
	}
	for _, a := range people {
		s.names[string(a.ID)] = a.Username
		e, err := s.v.Epochs(a.ID, "")
		if err != nil {
			return nil, err
		}
		sessions, err := s.v.Sessions(a.ID, e.Realm, e.Account, idp.Page{Limit: 50})
		if err != nil {
			return nil, err
		}
		apps, err := s.v.AppsIn(sessions)
		if err != nil {
			return nil, err
		}
		for _, x := range sessions {
			if x.Expired(s.now) {
				continue
			}
			device := browser(&x)
			var in []string
			for _, app := range apps[x.Name] {
				in = append(in, app.Name)
				s.in[app.ID] = append(s.in[app.ID], line{a.Username, device, "signed in", good})
			}
			out = append(out, line{a.Username, device, strings.Join(in, ", "), good})
		}
	}
	return out, nil
}

// browser tells two sessions of one person apart, as the account page does.
func browser(x *idp.Session) string {
	return web.Device(x.UserAgent) + " since " + clock(x.CreatedAt.Time())
}

func clock(t time.Time) string { return t.Local().Format(time.TimeOnly) }

// stays says of each session of a website whether Exeunt still stands behind it.
func (s *scene) stays(all []stay) (out []line, err error) {
	for _, x := range all {
		ended, err := s.ended(x.sid)
		if err != nil {
			return nil, err
		}
		_, session, err := s.grant(x.sid)
		if err != nil {
			return nil, err
		}
		l := line{s.person(x.subject), "since " + clock(x.created), "signed in", good}
		if session != nil {
			l.What = browser(session)
		}
		if ended {
			l.Tag, l.Look = "not told yet", bad
		}
		out = append(out, l)
	}
	return out, nil
}

// grant finds the grant that an app knows as sid, and its session; nil if it was swept.
func (s *scene) grant(sid string) (*idp.Grant, *idp.Session, error) {
	name, err := ledger.ParseName(sid)
	if err != nil {
		return nil, nil, nil
	}
	g, session, err := s.v.ChainOfGrant(name)
	if errors.Is(err, idp.ErrNotFound) {
		return nil, nil, nil
	}
	return &g, session, err
}

// ended says whether the grant that an app knows as sid has ended.
func (s *scene) ended(sid string) (bool, error) {
	g, session, err := s.grant(sid)
	if err != nil || g == nil {
		return true, err
	}
	dead, err := s.v.Ended(g.Names(session)...)
	return len(dead) > 0 || session != nil && session.Expired(s.now), err
}

func (s *scene) person(subject string) string {
	if name := s.names[subject]; name != "" {
		return name
	}
	return "somebody"
}

func (s *scene) app(id idp.ClientID) string {
	if s.apps[string(id)] == "" {
		c, err := s.v.Client(id)
		if err != nil || c.Name == "" {
			c.Name = string(id)
		}
		s.apps[string(id)] = c.Name
	}
	return s.apps[string(id)]
}

// signOuts lists what ended last.
func (s *scene) signOuts() (out []signOut, err error) {
	receipts, err := s.v.Receipts("", 0, 3*signOutsShown)
	for _, r := range receipts {
		endings, err := s.v.EndingsOf(r.ID)
		if err != nil {
			return nil, err
		}
		if hung, err := s.hung(&r, endings); err != nil || hung {
			if err != nil {
				return nil, err
			}
			continue
		}
		x := signOut{At: clock(r.At.Time()), Title: s.title(&r), Ledger: "1 row", Receipt: s.d.base.ReceiptAddress(r.ID)}
		if len(endings) != 1 {
			x.Ledger = fmt.Sprintf("%d rows", len(endings))
		}
		if after, ok := s.d.orders.knew(r.Number, r.At.Time()); ok {
			x.Reached = append(x.Reached, line{Who: "Orders", Tag: "knew after " + took(after), Look: good})
		}
		told, err := s.v.ToldOf(r.Number)
		if err != nil {
			return nil, err
		}
		for _, t := range told {
			x.Reached = append(x.Reached, s.told(&r, t))
		}
		if out = append(out, x); len(out) == signOutsShown {
			break
		}
	}
	return out, err
}

// hung says whether a receipt is of a refresh token that an app gave back because what it hung on had ended: no news.
func (s *scene) hung(r *idp.Receipt, endings []idp.Ending) (bool, error) {
	if r.Cause != idp.CauseRevoked || r.Selector != idp.SelectFamily || len(endings) != 1 {
		return false, nil
	}
	c, err := s.v.Chain(endings[0].Name)
	if errors.Is(err, idp.ErrNotFound) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	return s.ended(c.Grant.Name.String())
}

func (s *scene) told(r *idp.Receipt, t idp.Told) line {
	l := line{Who: s.app(t.Client), Look: bad}
	switch t.State {
	case idp.Confirmed:
		l.Tag, l.Look = "told, confirmed after "+took(t.Last.Time().Sub(r.At.Time())), good
	case idp.Owed:
		l.Tag = "not told yet"
		if t.Due > s.now && t.Error != "" {
			l.Tag += ", again at " + clock(t.Due.Time())
		}
	case idp.Unreachable:
		l.Tag, l.Look = "has no back channel", over
	default:
		l.Tag = string(t.State)
	}
	return l
}

func took(d time.Duration) string {
	if d >= 10*time.Second {
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", max(d, 0).Milliseconds())
}

func (s *scene) title(r *idp.Receipt) string {
	what, who := titles()[r.Cause], s.names[string(r.Account)]
	if what == "" {
		what = string(r.Cause)
	}
	if r.Client != "" {
		what += " (" + s.app(r.Client) + ")"
	}
	if who == "" {
		return strings.ToUpper(what[:1]) + what[1:]
	}
	return who + ": " + what
}

func titles() map[idp.CauseKind]string {
	return map[idp.CauseKind]string{
		idp.CauseAppSignOut: "left one app", idp.CauseSignOut: "signed out of this browser", idp.CauseSessionEnded: "ended one session from the list",
		idp.CauseOthers: "ended all other sessions", idp.CauseEverywhere: "signed out everywhere", idp.CauseCredential: "changed what they sign in with",
		idp.CauseReset: "got a new password", idp.CauseLock: "account locked", idp.CauseDisable: "account disabled", idp.CauseDelete: "account deleted",
		idp.CauseExpiry: "a session expired", idp.CauseSomeoneElse: "somebody else signed in there", idp.CauseReuse: "a used-up token came back",
		idp.CauseRevoked: "an app gave a token back", idp.CauseConsentWithdrawn: "took back what an app was allowed", idp.CauseClientEnded: "an app was ended, for everybody",
		idp.CauseKeyKilled: "a signing key was killed", idp.CauseRealmEnded: "everything was ended, for everybody",
	}
}
