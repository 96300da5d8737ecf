package rescue

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/frontchannel"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/mail"
	"exeunt.dev/internal/person"
	"exeunt.dev/internal/web"
)

// Passwords makes passwords.
type Passwords interface {
	Hash(ctx context.Context, password string, about ...string) (string, error)
}

// Rescue is the room.
type Rescue struct {
	*person.Host
	Store     idp.Store
	Door      *door.Door
	Passwords Passwords
	Front     *frontchannel.FrontChannel
	Post      *mail.Post // nil: no letters, and what needs them says so
	Issuer    string
	Log       *slog.Logger
	Limit     *edge.Limiter          // of who asks for letters, by where from
	Provider  func(id string) string // what people read for a provider's id
	Asked     chan string            // who has forgotten the password, to be looked up by Run
}

// How long links are good.
const (
	resetFor = 30 * time.Minute
	mailFor  = time.Hour
	lockFor  = 7 * 24 * time.Hour
)

// waiting is how many who have forgotten their password are looked up later; more are told the same, and ask again.
const waiting = 256

// Queue makes Asked.
func Queue() chan string { return make(chan string, waiting) }

// Mount adds the room's paths.
func (x *Rescue) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /login/forgot", x.forgotPage)
	mux.HandleFunc("POST /login/forgot", x.Sent(x.forgot))
	mux.HandleFunc("GET /login/reset", x.resetPage)
	mux.HandleFunc("POST /login/reset", x.Sent(x.reset))
	mux.HandleFunc("GET /login/reset/done", x.resetDone)
	mux.HandleFunc("GET /login/lock", x.linkPage)
	mux.HandleFunc("POST /login/lock", x.Sent(x.link))
	mux.HandleFunc("GET /login/locked", x.locked)
	mux.HandleFunc("GET /account/lock", x.Page(x.lockPage))
	mux.HandleFunc("POST /account/lock", x.Form(x.lock))
	mux.HandleFunc("GET /account/mail", x.Page(x.mailPage))
	mux.HandleFunc("POST /account/mail", x.Form(x.changeMail))
	mux.HandleFunc("GET /account/mail/confirm", x.Page(x.confirmPage))
	mux.HandleFunc("POST /account/mail/confirm", x.Form(x.confirm))
	mux.HandleFunc("GET /account/review", x.Page(x.reviewPage))
	mux.HandleFunc("POST /account/review", x.Form(x.review))
}

func (x *Rescue) show(w http.ResponseWriter, r *http.Request, status int, p web.Page) {
	x.Pages.Render(w, r, status, p)
}

func (x *Rescue) say(w http.ResponseWriter, r *http.Request, status int, m web.Message) {
	x.show(w, r, status, m)
}

// fail says what went wrong in an act on a link.
func (x *Rescue) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, idp.ErrEnded) || errors.Is(err, idp.ErrNotFound) {
		x.over(w, r)
		return
	}
	x.Pages.Fail(w, r, err)
}

func (x *Rescue) over(w http.ResponseWriter, r *http.Request) {
	x.say(w, r, http.StatusGone, web.Message{Title: "This link is over", Text: "It was used, it is too old, or something has happened to the account since it was sent: everything that is signed out makes such links void. Nothing was changed. You can ask for another one.",
		Link: "/login/forgot", LinkText: "Send me a link"})
}

func (x *Rescue) who(ctx context.Context, id idp.AccountID) (a idp.Account, err error) {
	err = x.Store.View(ctx, func(v idp.View) (err error) { a, err = v.Account(id); return err })
	return a, err
}

// opened is a link that was found, and what it is about.
type opened struct {
	idp.Pending
	idp.Link
	who idp.Account
}

// find reads a link without using it up. idp.ErrNotFound: there is none such, or its time is over.
func find(v idp.View, token string, kind idp.PendingKind, now idp.Time) (o opened, err error) {
	if len(token) > 100 {
		return o, idp.ErrNotFound
	}
	if o.Pending, err = v.Pending(idp.HashOf(token)); err != nil {
		return o, err
	}
	if o.Kind != kind || now >= o.ExpiresAt {
		return o, idp.ErrNotFound
	}
	if err := json.Unmarshal(o.Data, &o.Link); err != nil {
		return o, err
	}
	o.who, err = v.Account(o.Account)
	if err == nil && o.who.State == idp.AccountDeleted {
		err = idp.ErrNotFound
	}
	return o, err
}

// newLink makes a link: its row, and its address on the issuer, with the secret.
func (x *Rescue) newLink(kind idp.PendingKind, path string, born idp.Epochs, l idp.Link, now idp.Time, life time.Duration) (idp.Pending, string, error) {
	data, err := json.Marshal(l)
	token := idp.NewSecret(32)
	return idp.Pending{ID: idp.HashOf(token), Kind: kind, Born: born, Data: data, CreatedAt: now, ExpiresAt: now.Add(life)}, x.Issuer + path + "?token=" + token, err
}

// write writes a letter in its person's language.
func (x *Rescue) write(tx idp.Tx, now, until idp.Time, l mail.Letter) (bool, error) {
	var err error
	if l.Lang, err = tx.Language(l.Account); err != nil {
		return false, err
	}
	care, err := tx.Care(l.Account)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return false, err
	}
	l.Lang = cmp.Or(l.Lang, care.Lang)
	return x.Post.Write(tx, now, until, l)
}

// send writes a letter with a link, if its address may get one more.
func (x *Rescue) send(tx idp.Tx, row idp.Pending, l mail.Letter) error {
	sent, err := x.write(tx, row.CreatedAt, row.ExpiresAt, l)
	if err != nil || !sent {
		return err
	}
	if err := tx.InsertPending(row); err != nil {
		return err
	}
	e := idp.Event{Kind: idp.EventMailSent, Account: l.Account, Actor: idp.ActorRule("mail"), Data: map[string]string{"mail": l.Kind}}
	if l.Stranger {
		e.Data["asked"] = "yes"
	}
	return tx.Record(e)
}

func event(kind idp.EventKind, id idp.AccountID, r *http.Request, data ...string) idp.Event {
	e := idp.Event{Kind: kind, Account: id}
	if r != nil {
		e.IP, e.Device = edge.Client(r).IP.String(), r.UserAgent()
	}
	for i := 0; i+1 < len(data); i += 2 {
		if e.Data == nil {
			e.Data = map[string]string{}
		}
		e.Data[data[i]] = data[i+1]
	}
	return e
}
