package demo

import (
	"context"
	"html/template"
	"io"
	"net/http"
	"time"

	"exeunt.dev/internal/idp"
)

// callAPI asks Orders with a token and returns status and body as text.
func callAPI(ctx context.Context, api, token string) string {
	status, body := ask(ctx, api, token)
	return status + "\n" + body
}

func ask(ctx context.Context, api, token string) (status, body string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", api, nil)
	if err != nil {
		return err.Error(), ""
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err.Error(), ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
	return res.Status, res.Header.Get("WWW-Authenticate") + string(text)
}

func alive(ctx context.Context, api, token string) bool {
	status, _ := ask(ctx, api, token)
	return status == "200 OK"
}

type layers struct {
	Facts
	Apps  []appLayer
	SSO   []ssoLayer
	Acts  []actLine
	Links []link
}

type link struct{ Name, At string }

type appLayer struct {
	App, Cookie, API string
}

type ssoLayer struct {
	Who, Agent string
	Since      time.Time
}

type actLine struct {
	When  time.Time
	Cause idp.CauseKind
	Ended int
	Owed  bool
}

// startPage shows the layers side by side: each app's own cookies, Exeunt's sessions, and what the API says to each app's token.
func (d *Demo) startPage() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := layers{Facts: d.Facts}
		for _, s := range []*website{d.books, d.news} {
			l.Links = append(l.Links, link{s.name, s.at})
			s.mu.Lock()
			held := make([]*local, 0, len(s.sessions))
			for _, x := range s.sessions {
				held = append(held, x)
			}
			s.mu.Unlock()
			for _, x := range held {
				a := appLayer{s.name, "signed in", "accepts its token"}
				if !alive(r.Context(), d.API, x.Access) {
					a.Cookie, a.API = "signed in: not told yet", "refuses its token"
				}
				l.Apps = append(l.Apps, a)
			}
		}
		err := d.server.Store.View(r.Context(), func(v idp.View) error {
			for _, name := range []string{d.Username, d.SecondUsername} {
				a, err := v.AccountByUsername(name)
				if err != nil {
					return err
				}
				e, err := v.Epochs(a.ID, "")
				if err != nil {
					return err
				}
				rows, err := v.Sessions(a.ID, e.Realm, e.Account, idp.Page{Limit: 20})
				if err != nil {
					return err
				}
				for _, s := range rows {
					l.SSO = append(l.SSO, ssoLayer{name, s.UserAgent, s.CreatedAt.Time()})
				}
			}
			receipts, err := v.Receipts("", 20)
			if err != nil {
				return err
			}
			for _, x := range receipts {
				endings, err := v.EndingsOf(x.ID)
				if err != nil {
					return err
				}
				l.Acts = append(l.Acts, actLine{x.At.Time(), x.Cause, len(endings), x.ToldAt == 0})
			}
			return nil
		})
		if err != nil {
			http.Error(w, "Exeunt's database cannot be read.", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		startTemplate().Execute(w, l)
	})
}

func startTemplate() *template.Template {
	return template.Must(template.New("start").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Exeunt demo</title>` + demoStyle + `<main><h1>Who is signed in where</h1>
<p>Account: <code>{{.Username}}</code> / <code>{{.Password}}</code>. Another: <code>{{.SecondUsername}}</code> / <code>{{.SecondPassword}}</code>.</p>
<p>{{range .Links}}<a class="b" href="{{.At}}">{{.Name}}</a> {{end}}<a class="b" href="{{.Issuer}}/account">Your account at Exeunt</a> <a class="b" href="/">Look again</a></p>
<h2>Apps, and what Orders (the API) says to them</h2>
<table><tr><th>App</th><th>Its own cookie</th><th>Orders</th></tr>{{range .Apps}}<tr><td>{{.App}}</td><td>{{.Cookie}}</td><td>{{.API}}</td></tr>{{else}}<tr><td colspan="3">Nobody is signed in to an app: open Books and sign in.</td></tr>{{end}}</table>
<h2>Exeunt</h2>
<table><tr><th>Who</th><th>Browser</th><th>Since</th></tr>{{range .SSO}}<tr><td>{{.Who}}</td><td>{{.Agent}}</td><td>{{.Since.Format "15:04:05"}}</td></tr>{{else}}<tr><td colspan="3">Nobody is signed in to Exeunt.</td></tr>{{end}}</table>
<h2>What each sign-out did</h2>
<table><tr><th>When</th><th>Why</th><th>Names ended</th><th>Apps</th></tr>{{range .Acts}}<tr><td>{{.When.Format "15:04:05.000"}}</td><td>{{.Cause}}</td><td>{{.Ended}}</td><td>{{if .Owed}}not told yet{{else}}told{{end}}</td></tr>{{else}}<tr><td colspan="4">Nothing has ended yet.</td></tr>{{end}}</table></main>`))
}
