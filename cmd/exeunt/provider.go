package main

import (
	"cmp"
	"slices"
	"strings"

	"exeunt.dev/provider"
)

type providerCmd struct {
	List providerListCmd `cmd:"" help:"What each kind of provider can do: sign people in, take a consent back, sign people out."`
	Show providerShowCmd `cmd:"" help:"The providers of the configuration, with the addresses to register there."`
	Owed providerOwedCmd `cmd:"" help:"Consents that are still to be taken back, and those that providers refused."`

	Resend providerResendCmd `cmd:"" help:"Ask a provider now to forget a consent, and not when the next attempt is due."`
	GiveUp providerGiveUpCmd `cmd:"" help:"Do not ask a provider any more."`
}

type providerListCmd struct{}

// kind is one row of the table, for programs.
type kind struct {
	Kind    string   `json:"kind"`
	Title   string   `json:"title"`
	SignIn  string   `json:"sign_in"`
	Takes   []string `json:"takes,omitempty"`
	Scopes  []string `json:"scopes"`
	Revoke  string   `json:"revoke"`
	SignOut string   `json:"sign_out"`
	ByHand  []string `json:"by_hand,omitempty"`
	Sources []string `json:"sources,omitempty"`
}

func (providerListCmd) Run(w *world) error {
	out := w.list("KIND", "SIGN-IN", "SCOPES", "TAKES A CONSENT BACK", "SIGNS OUT THERE", "BY HAND", "SOURCE")
	for _, e := range provider.Known() {
		k := kindOf(e)
		if err := out.add(k, k.Kind, k.SignIn, cmp.Or(strings.Join(k.Scopes, " "), "as written"), k.Revoke, k.SignOut, strings.Join(k.ByHand, " "), strings.Join(k.Sources, " ")); err != nil {
			return err
		}
	}
	return out.print("no kind of provider is known")
}

func kindOf(e provider.Entry) kind {
	p := e.Provider
	k := kind{Kind: e.Kind, Title: p.Title, Takes: e.Takes, Scopes: p.Scopes, SignIn: "OAuth 2.0", Revoke: "no", SignOut: "no"}
	if p.OIDC() {
		k.SignIn = "OpenID Connect"
	}
	if p.Revocation.Offered() {
		at := "discovered"
		if p.Endpoints.Revoke != "" {
			_, at, _ = strings.Cut(p.Endpoints.Revoke, "://")
		}
		k.Revoke = p.Revocation.Method + " " + at
	}
	switch {
	case p.SignOut.Offered && p.Endpoints.EndSession != "":
		_, k.SignOut, _ = strings.Cut(p.Endpoints.EndSession, "://")
	case p.SignOut.Offered:
		k.SignOut = "if discovered"
	}
	if e.Kind == "oauth" { // as its endpoints are written
		k.Revoke, k.SignOut = "if endpoints.revoke", "if endpoints.end_session"
	}
	for _, at := range []string{p.Revocation.ByHand, p.SignOut.ByHand} {
		if at != "" && !slices.Contains(k.ByHand, at) {
			k.ByHand = append(k.ByHand, at)
		}
	}
	for _, at := range []string{p.Source, p.Revocation.Source, p.SignOut.Source} {
		if at != "" && !slices.Contains(k.Sources, at) {
			k.Sources = append(k.Sources, at)
		}
	}
	return k
}
