package rooms_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/upstream"
)

// came makes sessions that are there ones that were signed in through the provider: the person is hub-NAME there, and the sessions are
// hub-NAME-0, hub-NAME-1, ...
func (s *scene) came(who string, browsers ...*person) {
	s.t.Helper()
	key := idp.IdentityKey{Provider: "hub", Issuer: s.op.URL, Subject: "hub-" + who}
	sealed := func(what string, v any) []byte {
		plain, err := json.Marshal(v)
		if err != nil {
			s.t.Fatal(err)
		}
		return s.server.Vault.Seal(plain, what+" hub "+key.Issuer+" "+key.Subject)
	}
	err := s.server.Store.Update(s.t.Context(), func(tx idp.Tx) error {
		a, err := tx.AccountByUsername(who)
		if err != nil {
			return err
		}
		tokens := sealed("tokens", upstream.Tokens{Access: "of-" + who, Revoke: s.op.URL + "/revoke"})
		if err := tx.InsertIdentity(idp.Identity{IdentityKey: key, Account: a.ID, Tokens: tokens, AddedAt: 1, UsedAt: 1}); err != nil {
			return err
		}
		for i, p := range browsers {
			session, err := tx.SessionByCookie(idp.HashOf(p.cookie("exeunt")))
			if err != nil {
				return err
			}
			o := idp.Origin{IdentityKey: key, SID: key.Subject + "-" + strconv.Itoa(i), Session: session.Name, Kept: sealed("kept", map[string]string{"IDToken": "a.b.c", "EndSession": s.op.URL + "/end"})}
			if err := tx.PutOrigin(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// upstreamSays is the provider's word about alice's sessions, here and perhaps there.
func upstreamSays(change map[string]any, browsers int) func(*scene) named {
	return func(s *scene) named {
		v := url.Values{"logout_token": {s.op.LogoutToken(change)}}
		s.fine(s.person().do("POST", "/login/hub/logout", v.Encode(), map[string]string{"Content-Type": formType}))
		return named{browser: s.here, origin: []*person{s.here, s.there}[:browsers]}
	}
}

// atProvider tries the column of the provider: what the receipt offers, and what the provider has been told.
func (s *scene) atProvider(r idp.Reach, receipt idp.Receipt) {
	s.t.Helper()
	page := s.here.get(s.server.ReceiptAddress(receipt.ID))
	if page.status != http.StatusOK {
		s.t.Fatalf("the receipt: %d", page.status)
	}
	if offered := strings.Contains(page.body, "You may still be signed in at Hub"); offered != (r == idp.AtProvider) {
		s.t.Errorf("the receipt speaks of the provider: %t (the cell says %q)", offered, r)
	}
	told := func() []string {
		s.op.Mu.Lock()
		defer s.op.Mu.Unlock()
		return slices.Clone(s.op.Revoked)
	}
	if r == idp.TakenBack {
		until(s.t, "the provider has been told", func() bool { return len(told()) > 0 })
		if got := told(); !slices.Equal(got, []string{"of-alice"}) {
			s.t.Errorf("taken back: %v", got)
		}
		return
	}
	s.view(func(v idp.View) error {
		owed, err := v.Revocations(idp.RevocationFilter{}, idp.Page{Limit: 10})
		if len(owed) > 0 || len(told()) > 0 {
			err = errors.Join(err, errors.New("a consent is taken back"))
		}
		return err
	})
}
