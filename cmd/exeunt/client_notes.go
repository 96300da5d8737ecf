package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/outbound"
	"exeunt.dev/internal/server"
)

// notes say what is odd about an app that was added or changed; of its scopes and of the life of its tokens only if that was written just now.
func (w *world) notes(b *server.Base, row *idp.Client, written operate.Fields) error {
	w.warn(b, row)
	if row.Kind == idp.KindAPI {
		return nil
	}
	if len(row.Audiences) > 0 || written.Has("scopes") {
		if err := strangers(w, b, row, written); err != nil {
			return err
		}
	}
	if written.Has("access_token_life") {
		return cutShort(w, b, row)
	}
	return nil
}

// strangers says which APIs and scopes of an app nobody knows.
func strangers(w *world, b *server.Base, row *idp.Client, written operate.Fields) error {
	apis := idp.Client{Audiences: b.Config.Resources, Scopes: b.Config.RegistrationScopes} // all of them as one
	err := every(w, b, idp.View.Clients, func(c *idp.Client) string { return string(c.ID) }, func(c *idp.Client) error {
		if c.Kind == idp.KindAPI && !c.Deleted {
			apis.Audiences, apis.Scopes = slices.Concat(apis.Audiences, c.Audiences), slices.Concat(apis.Scopes, c.Scopes)
		}
		return nil
	})
	if err != nil {
		return err
	}
	nobodyIs(w, row, apis.Audiences)
	if written.Has("scopes") {
		nobodyTakes(w, row, apis.Scopes)
	}
	return nil
}

// warn says what will keep an app from being told or asked.
func (w *world) warn(b *server.Base, row *idp.Client) {
	if row.FrontchannelLogoutURI != "" && !b.Config.FrontChannel {
		fmt.Fprintln(w.errOut, "note: no app is asked in browsers yet; front_channel: true under apps: in the configuration turns it on")
	}
	if row.BackchannelLogoutURI != "" {
		if text := operate.Untold(outbound.Objection(w.ctx, b.Config.Outbound, nil, row.BackchannelLogoutURI)); text != "" {
			fmt.Fprintln(w.errOut, "note: "+text)
		}
	}
}

// nobodyIs says which APIs of an app there are not (yet): a slip of the pen would show only when the API refuses the app's tokens.
func nobodyIs(w *world, row *idp.Client, known []string) {
	for _, a := range row.Audiences {
		if !slices.Contains(known, a) {
			fmt.Fprintf(w.errOut, "note: no API is called %s yet; exeunt client add ID --kind api --audience %s adds it\n", a, a)
		}
	}
}

// nobodyTakes says which scopes mean nothing to this server, and to no API as far as its own --scope says.
func nobodyTakes(w *world, row *idp.Client, known []string) {
	ours := []string{"openid", "profile", "email", "offline_access", idp.ScopeSignOut, idp.ScopeGlobalRevocation, idp.ScopeAdmin}
	for _, s := range row.Scopes {
		if !slices.Contains(ours, s) && !slices.Contains(known, s) {
			fmt.Fprintf(w.errOut, "note: no scope is called %s yet: this server's own are %s; an API says by its own --scope what it takes\n", s, strings.Join(ours[:5], ", "))
		}
	}
}

// cutShort says that an app's access tokens live shorter than it was given.
func cutShort(w *world, b *server.Base, row *idp.Client) error {
	most, err := longest(w, b)
	if err == nil && time.Duration(row.AccessLife) > most {
		fmt.Fprintf(w.errOut, "note: access tokens live at most %s on this server, this app's, too: lifetimes.access_token in the configuration makes that longer\n", idp.Life(most))
	}
	return err
}

func longest(w *world, b *server.Base) (most time.Duration, err error) {
	err = b.Store.View(w.ctx, func(v idp.View) error {
		most, err = b.AccessLife(v)
		return err
	})
	return most, err
}

// accessLife says how long an app's access tokens live at most, and which limit that is.
func accessLife(w *world, b *server.Base, row *idp.Client) (string, error) {
	most, err := longest(w, b)
	if err != nil {
		return "", err
	}
	switch own := row.AccessLife; {
	case own == 0:
		return fmt.Sprintf("%s (lifetimes.access_token)", idp.Life(most)), nil
	case time.Duration(own) > most:
		return fmt.Sprintf("%s (lifetimes.access_token, which is shorter than the %s of this app)", idp.Life(most), own), nil
	}
	return row.AccessLife.String(), nil
}
