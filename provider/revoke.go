package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Auth is how a revocation authenticates the website.
type Auth int

// Ways of authentication.
const (
	AuthNone   Auth = iota // the token alone
	AuthClient             // as at the token endpoint: Basic, or in the form
	AuthBasic              // HTTP Basic with client id and secret
	AuthApp                // Authorization: Bearer client_id|secret
	AuthToken              // Authorization: Bearer token
	AuthID                 // the client id in the form, no secret
)

// Body is what a revocation carries.
type Body int

// Forms of body.
const (
	BodyNone  Body = iota
	BodyForm       // token and token_type_hint (RFC 7009 section 2.1)
	BodyToken      // token alone, where the provider documents no hint
	BodyJSON       // {"access_token": token}
)

// Revocation is a provider's own call for taking a consent back. The zero value: there is none.
type Revocation struct {
	Method  string
	Auth    Auth
	Body    Body
	Access  bool   // wants the access token; else the refresh token if there is one
	Whole   bool   // one call takes back the whole consent
	Accept  string // header
	Success string // a member of the JSON answer that must be true
	Gone    []Gone // answers that say that there is nothing left to revoke

	ByHand string // where the person does it
	Source string // where the provider documents it
}

// Gone is an answer that means "already gone".
type Gone struct {
	Status  int
	Error   string // member error
	Message string // member message
	Code    int    // member error.code
	Subcode int    // member error.error_subcode
}

// Token is what is to be revoked.
type Token struct {
	Access, Refresh string
	User            string // the person at the provider
}

// Offered reports whether there is a call and, for this token, something to call it with.
func (r Revocation) Offered() bool { return r.Method != "" }

// ErrNothing says that there is no token of the kind that the call needs.
var ErrNothing = errors.New("provider: no token to revoke")

// Request makes the call. at is the revocation endpoint, which may be discovered. now is for secrets that change.
func (p Provider) Request(ctx context.Context, at string, t Token, now time.Time) (*http.Request, error) {
	r := p.Revocation
	token, hint := t.Refresh, "refresh_token"
	if r.Access || token == "" {
		token, hint = t.Access, "access_token"
	}
	if (r.Body != BodyNone || r.Auth == AuthToken) && token == "" || strings.Contains(at, "{user}") && t.User == "" {
		return nil, ErrNothing
	}
	at = strings.NewReplacer("{client_id}", url.PathEscape(p.ClientID), "{user}", url.PathEscape(t.User)).Replace(at)
	secret := ""
	if p.Secret != nil && (r.Auth == AuthClient || r.Auth == AuthBasic || r.Auth == AuthApp) {
		s, err := p.Secret(now)
		if err != nil {
			return nil, errors.New("provider: the client secret cannot be made")
		}
		secret = s
	}
	inBody := r.Auth == AuthID || r.Auth == AuthClient && (p.SecretInBody || secret == "")
	var body io.Reader
	kind := ""
	switch r.Body {
	case BodyForm, BodyToken:
		form := url.Values{"token": {token}}
		if r.Body == BodyForm {
			form.Set("token_type_hint", hint)
		}
		if inBody {
			form.Set("client_id", p.ClientID)
			if secret != "" {
				form.Set("client_secret", secret)
			}
		}
		body, kind = strings.NewReader(form.Encode()), "application/x-www-form-urlencoded"
	case BodyJSON:
		b, err := json.Marshal(map[string]string{"access_token": token})
		if err != nil {
			return nil, err
		}
		body, kind = bytes.NewReader(b), "application/json"
	}
	q, err := http.NewRequestWithContext(ctx, r.Method, at, body)
	if err != nil {
		return nil, errors.New("provider: not a URL to revoke at")
	}
	if kind != "" {
		q.Header.Set("Content-Type", kind)
	}
	q.Header.Set("Accept", "application/json")
	if r.Accept != "" {
		q.Header.Set("Accept", r.Accept)
	}
	switch {
	case r.Auth == AuthClient && !inBody:
		// RFC 6749 section 2.3.1: form-encoded before Basic.
		q.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(secret))
	case r.Auth == AuthBasic:
		q.SetBasicAuth(p.ClientID, secret)
	case r.Auth == AuthApp:
		q.Header.Set("Authorization", "Bearer "+p.ClientID+"|"+secret)
	case r.Auth == AuthToken:
		q.Header.Set("Authorization", "Bearer "+token)
	}
	return q, nil
}

// Verdict is what an answer means for the duty.
type Verdict struct {
	Done  bool
	Again bool          // worth another attempt; neither: refused for good
	After time.Duration // not before, if the provider said so
	Why   string        // for operators; made of the status and a registered error code only, never of the answer's words
}

// Judge reads an answer. Bodies longer than 64 KiB are not read on.
func (p Provider) Judge(res *http.Response, now time.Time) Verdict {
	r := p.Revocation
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	v := Verdict{Why: "status " + strconv.Itoa(res.StatusCode)}
	// Facebook nests its error; OAuth has a string there. Both in one reading.
	var answer struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	var nested struct {
		Code    int `json:"code"`
		Subcode int `json:"error_subcode"`
	}
	text := ""
	if json.Unmarshal(body, &answer) == nil && json.Unmarshal(answer.Error, &text) != nil {
		_ = json.Unmarshal(answer.Error, &nested) // zero matches no entry
	}
	gone := slices.ContainsFunc(r.Gone, func(g Gone) bool {
		return g.Status == res.StatusCode && (g.Error == "" || g.Error == text) && (g.Message == "" || g.Message == answer.Message) && (g.Code == 0 || g.Code == nested.Code && g.Subcode == nested.Subcode)
	})
	switch s := res.StatusCode; {
	// A page, whatever its status: none of these calls is answered by one. It is somebody's in between.
	case bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
		v.Again, v.After, v.Why = true, retryAfter(res.Header.Get("Retry-After"), now), v.Why+" HTML"
	case gone:
		v.Done = true
	case s == 200, s == 204: // what is documented; 202 would say that it is yet to be done
		v.Done = r.Success == "" || truth(body, r.Success)
		v.Again = !v.Done
	// 401 and 403 speak of the website's own credentials, which their owner can put right. 3xx is somebody in between.
	case s == 401, s == 403, s == 408, s == 425, s == 429, s >= 500, s < 400:
		v.Again, v.After = true, retryAfter(res.Header.Get("Retry-After"), now)
	}
	if known := []string{"invalid_token", "invalid_client", "invalid_request", "invalid_grant", "unauthorized_client", "unsupported_token_type"}; slices.Contains(known, text) {
		v.Why += " " + text
	}
	return v
}

func truth(body []byte, member string) bool {
	var whole bool
	if json.Unmarshal(body, &whole) == nil {
		return whole
	}
	var m map[string]any
	return json.Unmarshal(body, &m) == nil && m[member] == true
}

// retryAfter reads both forms of RFC 9110 section 10.2.3, at most a day.
func retryAfter(h string, now time.Time) time.Duration {
	d := time.Duration(0)
	if n, err := strconv.Atoi(h); err == nil && n > 0 {
		d = time.Duration(min(n, 86400)) * time.Second
	} else if t, err := http.ParseTime(h); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), 24*time.Hour)
}
