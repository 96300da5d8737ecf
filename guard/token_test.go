package guard

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"exeunt.dev/exeunttest"
	"exeunt.dev/internal/jws"
	"exeunt.dev/ledger"
)

func TestTokenDefects(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	g := caughtUp(t, iss)
	set, without := exeunttest.Set, exeunttest.Without
	names := func(n int) (out []ledger.Name) {
		for range n {
			out = append(out, ledger.NewName())
		}
		return out
	}
	for name, c := range map[string]struct {
		claim exeunttest.Claim
		want  error
	}{
		"good":                    {set("x", 1), nil},
		"aud list":                {exeunttest.Audience("https://other", iss.Audience), nil},
		"exp with fraction":       {set("exp", 1_800_000_100.5), nil},
		"16 names":                {exeunttest.HangsOn(names(16)...), nil},
		"no scope, no sid":        {without("scope", "sid"), nil},
		"iss of somebody else":    {set("iss", "https://evil.test"), ErrInvalid},
		"iss with a slash":        {set("iss", iss.URL+"/"), ErrInvalid},
		"iss a list":              {set("iss", []string{iss.URL}), ErrInvalid},
		"no iss":                  {without("iss"), ErrInvalid},
		"iss in capitals beside":  {set("ISS", "x"), nil}, // another claim, not ours
		"aud of somebody else":    {exeunttest.Audience("https://api.test.evil"), ErrInvalid},
		"aud empty list":          {set("aud", []string{}), ErrInvalid},
		"aud with a number":       {set("aud", []any{iss.Audience, 1}), ErrInvalid},
		"aud an object":           {set("aud", map[string]string{iss.Audience: ""}), ErrInvalid},
		"no aud":                  {without("aud"), ErrInvalid},
		"expired":                 {set("exp", 1_800_000_000), ErrExpired},
		"expired long ago":        {set("exp", 1), ErrExpired},
		"no exp":                  {without("exp"), ErrInvalid},
		"exp a string":            {set("exp", "1800000300"), ErrInvalid},
		"exp null":                {set("exp", nil), ErrInvalid},
		"exp negative":            {set("exp", -1), ErrInvalid},
		"exp beyond reason":       {set("exp", 1e300), ErrInvalid},
		"no iat":                  {without("iat"), ErrInvalid},
		"no jti":                  {without("jti"), ErrInvalid},
		"jti not a name":          {set("jti", "1234"), ErrInvalid},
		"jti zero":                {set("jti", "AAAAAAAAAAAAAAAA"), ErrInvalid},
		"no sub":                  {without("sub"), ErrInvalid},
		"sub empty":               {set("sub", ""), ErrInvalid},
		"sub null":                {set("sub", nil), ErrInvalid},
		"no client_id":            {without("client_id"), ErrInvalid},
		"scope a list":            {set("scope", []string{"a"}), ErrInvalid},
		"sid a number":            {set("sid", 1), ErrInvalid},
		"no ends_with":            {without("ends_with"), ErrInvalid},
		"ends_with empty":         {set("ends_with", []string{}), ErrInvalid},
		"ends_with null":          {set("ends_with", nil), ErrInvalid},
		"ends_with a string":      {set("ends_with", ledger.NewName()), ErrInvalid},
		"ends_with an object":     {set("ends_with", map[string]any{"a": ledger.NewName()}), ErrInvalid},
		"17 names":                {exeunttest.HangsOn(names(17)...), ErrInvalid},
		"ends_with: a null in it": {set("ends_with", []any{ledger.NewName(), nil}), ErrInvalid},
		"ends_with: a non-name":   {set("ends_with", []string{"short"}), ErrInvalid},
		"bound":                   {set("cnf", map[string]string{"jkt": "x"}), ErrBound},
		"bound to null":           {set("cnf", nil), ErrBound},
		"nbf":                     {set("nbf", 1), ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // first sight and again
				wantErr(t, g, iss.Token(c.claim), c.want)
			}
		})
	}
}

func TestTokenForms(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	g := caughtUp(t, iss)
	good := iss.Token()
	parts := strings.Split(good, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	header := func(h string) string { return encode([]byte(h)) + "." + parts[1] + "." + parts[2] }
	msg, err := jws.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	other, err := jws.Generate(msg.KeyID, jws.ES256)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := other.Sign("at+jwt", payload)
	if err != nil {
		t.Fatal(err)
	}
	strange, err := jws.Generate("not-a-name", jws.ES256)
	if err != nil {
		t.Fatal(err)
	}
	odd, err := strange.Sign("at+jwt", payload)
	if err != nil {
		t.Fatal(err)
	}
	twice := strings.TrimSuffix(string(payload), "}") + `,"exp":1900000000}`
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"good":                    {good, nil},
		"application/at+jwt":      {iss.Sign("application/at+jwt", payload), nil},
		"AT+JWT":                  {iss.Sign("AT+JWT", payload), nil},
		"ID token":                {iss.Sign("JWT", payload), ErrInvalid},
		"logout token":            {iss.Sign("logout+jwt", payload), ErrInvalid},
		"no typ":                  {iss.Sign("", payload), ErrInvalid},
		"empty":                   {"", ErrInvalid},
		"dots":                    {"..", ErrInvalid},
		"two parts":               {parts[0] + "." + parts[1], ErrInvalid},
		"no signature":            {parts[0] + "." + parts[1] + ".", ErrInvalid},
		"signed by somebody else": {forged, ErrInvalid},
		"kid not a name":          {odd, ErrInvalid},
		"alg none":                {header(`{"alg":"none","typ":"at+jwt","kid":"` + msg.KeyID + `"}`), ErrInvalid},
		"alg HS256":               {header(`{"alg":"HS256","typ":"at+jwt","kid":"` + msg.KeyID + `"}`), ErrInvalid},
		"no kid":                  {header(`{"alg":"ES256","typ":"at+jwt"}`), ErrInvalid},
		"another payload":         {parts[0] + "." + encode([]byte(twice)) + "." + parts[2], ErrInvalid},
		"a claim twice":           {iss.Sign("at+jwt", []byte(twice)), ErrInvalid},
		"not an object":           {iss.Sign("at+jwt", []byte(`["iss"]`)), ErrInvalid},
		"bytes after":             {iss.Sign("at+jwt", append(slices.Clone(payload), '1')), ErrInvalid},
		"not UTF-8":               {iss.Sign("at+jwt", []byte(strings.Replace(string(payload), "alice", "al\xffce", 1))), ErrInvalid},
		"signature changed":       {good[:len(good)-3] + "AAA", ErrInvalid},
		"blank before":            {" " + good, ErrInvalid},
		"too long":                {strings.Repeat("A", maxToken+1), ErrInvalid},
		"good, the same tail":     {"x" + good, ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) { wantErr(t, g, c.raw, c.want) })
	}
}

func TestTokenSaysWhatItGrants(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	g := caughtUp(t, iss)
	raw := iss.Token(exeunttest.Subject("bob"), exeunttest.Client("books"), exeunttest.Scope("a", "b c"),
		exeunttest.Set("sid", "S"), exeunttest.Set("color", "red"))
	tok, err := g.Check(raw)
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Color string }
	if err := tok.Claims(&c); err != nil || c.Color != "red" {
		t.Errorf("Claims: %v, %v", c, err)
	}
	if tok.Subject() != "bob" || tok.ClientID() != "books" || tok.Session() != "S" || !tok.HasScope("c") || tok.HasScope("") ||
		!slices.Equal(tok.Scopes(), []string{"a", "b", "c"}) || !slices.Equal(tok.Audience(), []string{iss.Audience}) ||
		tok.Expires().Sub(tok.IssuedAt()) != 5*time.Minute {
		t.Errorf("%#v", tok)
	}
	tok.Scopes()[0] = "admin"
	if again, _ := g.Check(raw); again.HasScope("admin") {
		t.Error("a caller gave a scope to everybody")
	}
	for _, s := range []string{fmt.Sprint(tok), fmt.Sprintf("%+v", tok), fmt.Sprintf("%#v", tok), fmt.Sprintf("%v", *tok)} {
		if strings.Contains(s, raw[:20]) || strings.Contains(s, "eyJ") {
			t.Errorf("prints the token: %.60s", s)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	ok := []Option{Audience("a"), Credentials("i", "s")}
	for name, c := range map[string]struct {
		issuer string
		opts   []Option
	}{
		"no audience":         {"https://id.test", ok[1:]},
		"empty audience":      {"https://id.test", append(ok, Audience(""))},
		"no credentials":      {"https://id.test", ok[:1]},
		"http":                {"http://id.test", ok},
		"http to a lookalike": {"http://localhost.evil.test", ok},
		"not an address":      {"id.test", ok},
		"user in it":          {"https://u:p@id.test", ok},
		"query":               {"https://id.test?x", ok},
		"feed by http":        {"https://id.test", append(ok, Feeds("http://10.0.0.1"))},
		"no staleness":        {"https://id.test", append(ok, MaxStaleness(0))},
		"no cache":            {"https://id.test", append(ok, CacheBytes(1))},
		"accept forever":      {"https://id.test", append(ok, OnStale(AcceptFor(1000*time.Hour)))},
		"nil client":          {"https://id.test", append(ok, HTTPClient(nil))},
	} {
		if g, err := New(c.issuer, c.opts...); err == nil || g != nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, issuer := range []string{"https://id.test", "https://id.test/realm", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"} {
		g, err := New(issuer, ok...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Check("x"); !errors.Is(err, ErrStale) {
			t.Errorf("before it was started: %v", err)
		}
	}
}
