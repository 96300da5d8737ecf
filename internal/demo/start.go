package demo

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

func decode(r io.Reader, into any) error {
	return json.NewDecoder(io.LimitReader(r, 1<<16)).Decode(into)
}

type layer struct{ Who, What, State string }

type told struct {
	At          string
	Cause       idp.CauseKind
	Who         string
	Ended       int
	Apps        string
	ReceiptPage string
}

type startData struct {
	Info
	Exeunt, Sites, API []layer
	SignOuts           []told
}

// startPage shows the layers side by side. It reads the database, as no website could.
func (d *Demo) startPage(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	data := startData{Info: d.Info}
	now, _ := d.base.Store.Now()
	err := d.base.Store.View(r.Context(), func(v idp.View) error {
		people, err := v.Accounts(idp.Page{Limit: 100})
		if err != nil {
			return err
		}
		names := map[idp.AccountID]string{}
		for _, a := range people {
			names[a.ID] = a.Username
			e, err := v.Epochs(a.ID, "")
			if err != nil {
				return err
			}
			sessions, err := v.Sessions(a.ID, e.Realm, e.Account, idp.Page{Limit: 50})
			if err != nil {
				return err
			}
			for _, s := range sessions {
				if !s.Expired(now) {
					data.Exeunt = append(data.Exeunt, layer{a.Username, web.Device(s.UserAgent), "signed in"})
				}
			}
		}
		receipts, err := v.Receipts("", 0, 20)
		for _, x := range receipts {
			endings, err := v.EndingsOf(x.ID)
			if err != nil {
				return err
			}
			apps, err := tellApps(v, &x)
			if err != nil {
				return err
			}
			data.SignOuts = append(data.SignOuts, told{x.At.Time().Format(time.TimeOnly), x.Cause, names[x.Account], len(endings), apps, d.Info.Issuer + "/signout/" + string(x.ID)})
		}
		return err
	})
	if err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	for _, s := range d.sites {
		for _, v := range s.visits() {
			site, api := "signed in", "admitted"
			if _, err := d.orders.guard.Check(v.Token.AccessToken); err != nil {
				site, api = "its own cookie still works", "refused: "+strings.TrimPrefix(err.Error(), "guard: ")
			}
			data.Sites = append(data.Sites, layer{v.Username, s.name, site})
			data.API = append(data.API, layer{v.Username, "token of " + s.name, api})
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	startTemplate.Execute(w, data)
}

// tellApps says in words what became of telling the apps.
func tellApps(v idp.View, r *idp.Receipt) (string, error) {
	all, err := v.ToldOf(r.Number)
	var words []string
	for _, t := range all {
		word := fmt.Sprintf("%s %s", t.Client, t.State)
		if t.State == idp.Confirmed {
			word = fmt.Sprintf("%s has confirmed after %d ms", t.Client, t.Last-r.At)
		}
		words = append(words, word)
	}
	if len(words) == 0 {
		words = []string{"none to be told"}
	}
	return strings.Join(words, ", "), err
}

var startTemplate = template.Must(template.New("start").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width"><title>Exeunt demo</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui;max-width:70rem;margin:2rem auto;padding:0 1rem}.layers{display:grid;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr));gap:1rem}
section{border:1px solid #bbb;border-radius:.5rem;padding:0 1rem 1rem}body{overflow-wrap:break-word;background:Canvas;color:CanvasText}table{border-collapse:collapse}td,th{text-align:left;padding:.1rem .8rem .1rem 0}
@media(max-width:40rem){tr{display:block;padding:.3rem 0}td{display:inline;padding-right:.4rem}th{display:none}}</style>
<h1>Who is signed in where</h1>
<p>Sign in to <a href="{{.Apps.books}}" target="_blank">Books</a> and <a href="{{.Apps.news}}" target="_blank">News</a> as <b>{{.Username}}</b> with password <code>{{.Password}}</code>, or as <b>{{.SecondUsername}}</b> with <code>{{.SecondPassword}}</code>.
Then sign out: in an app, or on your <a href="{{.Issuer}}/account" target="_blank">account page</a>. This page follows.</p>
<div class="layers">
<section><h2>Apps</h2>{{range .Sites}}<p><b>{{.What}}</b>: {{.Who}}<br>{{.State}}</p>{{else}}<p>Nobody.</p>{{end}}</section>
<section><h2>Exeunt</h2>{{range .Exeunt}}<p><b>{{.Who}}</b>: {{.What}}</p>{{else}}<p>Nobody.</p>{{end}}</section>
<section><h2>Orders (API)</h2>{{range .API}}<p><b>{{.What}}</b>: {{.Who}}<br>{{.State}}</p>{{else}}<p>No tokens.</p>{{end}}</section>
</div>
<h2>What each sign-out did</h2>
<table><tr><th>at<th>why<th>who<th>in the ledger<th>apps told<th></tr>{{range .SignOuts}}<tr><td>{{.At}}<td>{{.Cause}}<td>{{.Who}}<td>{{.Ended}} {{if eq .Ended 1}}row{{else}}rows{{end}}<td>{{.Apps}}<td><a href="{{.ReceiptPage}}" target="_blank">receipt</a></tr>{{else}}<tr><td colspan="6">None yet.</tr>{{end}}</table></html>`))
