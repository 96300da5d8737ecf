// Command website is a complete website: people sign in through an OpenID Provider, and sign out of each layer.
package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"html/template"
	"log"
	"net/http"
	"os"

	"exeunt.dev/provider"
	"exeunt.dev/rp"
	"exeunt.dev/rp/sqlstore"
	_ "modernc.org/sqlite"
)

var home = template.Must(template.New("home").Parse(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Website</title>
{{if .User}}<p>Signed in as <b>{{or .Name .User}}</b>. <a href="/private/">The private page</a></p>
<form method="post" action="/auth/signout"><input type="hidden" name="csrf" value="{{.CSRF}}">
<p><label><input type="checkbox" name="everywhere"> on all my devices</label>
<p><label><input type="checkbox" name="revoke"> and end this website's access at the provider</label>
<p><label><input type="checkbox" name="provider"> and sign out at the provider</label>
<p><button>Sign out</button></form>{{else}}<p><a href="/auth/">Sign in</a></p>{{end}}</html>`))

func main() {
	key, err := hex.DecodeString(os.Getenv("KEY")) // openssl rand -hex 32
	if err != nil || len(key) != 32 {
		log.Fatal("KEY must be 64 hexadecimal digits")
	}
	db, err := sql.Open("sqlite", "file:website.db?_pragma=journal_mode(wal)")
	if err != nil {
		log.Fatal(err)
	}
	store, err := sqlstore.Open(context.Background(), db, sqlstore.SQLite)
	if err != nil {
		log.Fatal(err)
	}
	site, err := rp.New(store, rp.Origin(os.Getenv("ORIGIN")), rp.Key(key),
		rp.Provider("exeunt", provider.OIDC(os.Getenv("ISSUER"), os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"))),
		rp.OnError(func(_ context.Context, err error) { log.Print(err, ": ", errors.Unwrap(err)) }))
	if err != nil {
		log.Fatal(err)
	}
	go site.Run(context.Background()) // retries what is owed to providers
	http.Handle("/auth/", site)
	http.Handle("/private/", site.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, _ := rp.FromContext(r.Context())
		w.Write([]byte("Only you see this, " + v.Name))
	})))
	http.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		v, _ := site.Visitor(r) // nobody: the zero visitor
		w.Header().Set("Cache-Control", "no-store")
		home.Execute(w, v)
	})
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}
