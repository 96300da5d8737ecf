package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
)

// waits says that something of the person's was ended without an answer, which may still come to be.
func (p *person) waits() bool {
	for _, s := range p.all(nil) {
		if *s == unsure {
			return true
		}
	}
	return false
}

// leave signs out of one app in one browser: a link on a page of that app.
func (p *person) leave(s *session, a *app) error {
	q := url.Values{"client_id": {a.name}, "logout_uri": {"https://" + a.name + ".test/left"}}
	var reach []*state
	for _, x := range s.apps {
		if x.name == a.name {
			x.left = true
			reach = append(reach, &x.family, &x.token)
		}
	}
	return p.end(reach, http.StatusSeeOther, s.http, "GET", "/logout?"+q.Encode(), "", map[string]string{
		"Referer": "https://" + a.name + ".test/", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
}

// ref is what the account page calls a session.
func (p *person) ref(s *session) (string, error) {
	status, text, err := p.do(s.http, "GET", "/account/sessions", "", nil)
	if err != nil {
		return "", err
	}
	var out struct {
		Sessions []struct {
			ID      string
			Current bool
		}
	}
	if err := json.Unmarshal(text, &out); err != nil || status != 200 {
		return "", fmt.Errorf("/account/sessions: %d %s", status, text)
	}
	for _, l := range out.Sessions {
		if l.Current {
			return l.ID, nil
		}
	}
	return "", fmt.Errorf("a live session is not on its own list: %s", text)
}

// endNamed ends one session, with a token of this or another one.
func (p *person) endNamed(by *app, s *session) error {
	if by.token != alive {
		return nil
	}
	ref, err := p.ref(s)
	if err != nil {
		return unlost(err)
	}
	return p.end(s.all(), http.StatusOK, http.DefaultClient, "DELETE", "/account/sessions/"+ref, "", map[string]string{"Authorization": "Bearer " + by.access})
}

// reuse presents the first refresh token of a family long after: theft, which ends the family.
func (p *person) reuse(a *app) error {
	if a.turns < 3 || a.family != alive {
		return nil
	}
	v := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.first}}
	return p.end([]*state{&a.family, &a.token}, http.StatusBadRequest, http.DefaultClient, "POST", "/oauth2/token", v.Encode(), p.c.basic(a.name))
}

func (p *person) living() (out []*session) {
	for _, s := range p.sessions {
		if s.cookie == alive {
			out = append(out, s)
		}
	}
	return out
}

// endByOperator ends one session by the command beside the server.
func (p *person) endByOperator(pick *rand.Rand) error {
	living := p.living()
	if len(living) == 0 {
		return nil
	}
	s := living[pick.IntN(len(living))]
	ref, err := p.ref(s)
	if err != nil {
		return err
	}
	p.note("exeunt session end")
	p.c.command(nil, "session", "end", p.name, ref)
	for _, x := range s.all() {
		*x = over
	}
	return nil
}

// changePassword ends the others and what the acting session's tokens hang on; its apps refresh.
func (p *person) changePassword(pick *rand.Rand) error {
	living := p.living()
	if len(living) == 0 {
		return nil
	}
	s := living[pick.IntN(len(living))]
	reach := p.all(s)
	for _, mine := range s.apps {
		reach = append(reach, &mine.token)
	}
	pw := fmt.Sprintf("new password %d", pick.Uint32())
	v := url.Values{"csrf": {s.value("csrftoken")}, "old": {p.pw}, "new": {pw}}
	err := p.end(reach, http.StatusSeeOther, s.http, "POST", "/account/password", v.Encode(), map[string]string{"Origin": p.c.front.URL(), "Sec-Fetch-Site": "same-origin"})
	if err == nil {
		p.pw = pw
	}
	return err
}
