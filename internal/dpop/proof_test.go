package dpop_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/dpop"
	"exeunt.dev/internal/jws"
)

// RFC 9449: figures 2 and 12 with the values that the text gives for them.
const (
	rfcTokenProof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	rfcCallProof  = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
	rfcToken      = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
	rfcThumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
)

var window = dpop.Window{Past: time.Minute, Future: 10 * time.Second}

func TestExamplesOfRFC9449(t *testing.T) {
	w := dpop.Want{Method: "POST", URLs: []string{"https://server.example.com/token"}, Now: time.Unix(1562262620, 0), Window: window}
	p, until, err := w.Check([]string{rfcTokenProof})
	if err != nil || p.Key != rfcThumbprint || p.ID != "-BwC3ESc6acc2lTc" || until.Unix() != 1562262616+61 {
		t.Errorf("figure 2: %+v until %d, %v", p, until.Unix(), err)
	}
	w = dpop.Want{Method: "GET", URLs: []string{"https://resource.example.org/protectedresource"}, Now: w.Now, Window: window, Token: rfcToken}
	if p, _, err = w.Check([]string{rfcCallProof}); err != nil || p.Key != rfcThumbprint || p.Token != "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo" {
		t.Errorf("figure 12: %+v, %v", p, err)
	}
}

func signer(t testing.TB, alg string) *jws.Signer {
	t.Helper()
	s, err := jws.Generate("k", alg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const now = 1_800_000_000

func claims(change ...any) map[string]any {
	c := map[string]any{"jti": "1", "htm": "POST", "htu": "https://api.test/orders", "iat": now, "ath": dpop.TokenHash("token")}
	for i := 0; i < len(change); i += 2 {
		if c[change[i].(string)] = change[i+1]; change[i+1] == nil {
			delete(c, change[i].(string))
		}
	}
	return c
}

func proof(t testing.TB, s *jws.Signer, change ...any) string {
	t.Helper()
	payload, err := json.Marshal(claims(change...))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.SignOwn("dpop+jwt", payload)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// header gives a proof another header; its signature then holds only if the test signs again.
func header(raw, text string) string {
	_, rest, _ := strings.Cut(raw, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + rest
}

func headerOf(t *testing.T, raw string) (h map[string]any) {
	t.Helper()
	first, _, _ := strings.Cut(raw, ".")
	b, err := base64.RawURLEncoding.DecodeString(first)
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestEveryAlgorithm(t *testing.T) {
	for _, alg := range []string{"ES256", "EdDSA", "RS256", "PS256"} {
		s := signer(t, alg)
		p, err := dpop.Parse(proof(t, s))
		want, err2 := jws.Thumbprint(s.Public().Public)
		if err != nil || err2 != nil || p.Key != want {
			t.Errorf("%s: %+v, %v", alg, p, err)
		}
	}
}

// RFC 9864 names EdDSA with Ed25519 anew; clients write it, and nothing but proofs may have it.
func TestNewNameOfEdDSA(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	payload, _ := json.Marshal(claims())
	input := b64([]byte(`{"alg":"Ed25519","typ":"dpop+jwt","jwk":{"kty":"OKP","crv":"Ed25519","x":"`+b64(public)+`"}}`)) + "." + b64(payload)
	raw := input + "." + b64(ed25519.Sign(private, []byte(input)))
	if p, err := dpop.Parse(raw); err != nil || p.ID != "1" {
		t.Error(p, err)
	}
	m, err := jws.Parse(raw)
	if err != nil || m.Verify(jws.Key{Alg: jws.EdDSA, Public: public}) == nil {
		t.Error("a key for EdDSA took it:", err)
	}
}

// What an attacker may try with a proof, or instead of one.
func TestAttacks(t *testing.T) {
	s, other := signer(t, jws.ES256), signer(t, jws.ES256)
	good := proof(t, s)
	nonces, err := dpop.NewNonces(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(now, 0)
	want := dpop.Want{Method: "POST", URLs: []string{"https://api.test/orders"}, Now: at, Window: window, Token: "token"}
	withNonce := want
	withNonce.Nonces = nonces
	text := func(h map[string]any) string { b, _ := json.Marshal(h); return string(b) }
	changed := func(f func(h map[string]any)) string { h := headerOf(t, good); f(h); return header(good, text(h)) }
	inside := func(f func(k map[string]any)) string {
		return changed(func(h map[string]any) { f(h["jwk"].(map[string]any)) })
	}
	typed := func(typ string) string {
		payload, _ := json.Marshal(claims())
		raw, err := s.SignOwn(typ, payload)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	for name, c := range map[string]struct {
		want    dpop.Want
		headers []string
		err     error
	}{
		"good":                     {want, []string{good}, nil},
		"no proof":                 {want, nil, dpop.ErrInvalid},
		"two headers":              {want, []string{good, good}, dpop.ErrInvalid},
		"two in one header":        {want, []string{good + ", " + good}, dpop.ErrInvalid},
		"empty":                    {want, []string{""}, dpop.ErrInvalid},
		"too long":                 {want, []string{proof(t, s, "x", strings.Repeat("x", 9000))}, dpop.ErrInvalid},
		"another token's":          {want, []string{proof(t, s, "ath", dpop.TokenHash("other"))}, dpop.ErrInvalid},
		"no token's":               {want, []string{proof(t, s, "ath", nil)}, dpop.ErrInvalid},
		"another address":          {want, []string{proof(t, s, "htu", "https://api.test/others")}, dpop.ErrInvalid},
		"another host":             {want, []string{proof(t, s, "htu", "https://evil.test/orders")}, dpop.ErrInvalid},
		"another scheme":           {want, []string{proof(t, s, "htu", "http://api.test/orders")}, dpop.ErrInvalid},
		"another port":             {want, []string{proof(t, s, "htu", "https://api.test:444/orders")}, dpop.ErrInvalid},
		"another case of the path": {want, []string{proof(t, s, "htu", "https://api.test/Orders")}, dpop.ErrInvalid},
		"a user in the address":    {want, []string{proof(t, s, "htu", "https://a@api.test/orders")}, dpop.ErrInvalid},
		"case, port and query":     {want, []string{proof(t, s, "htu", "HTTPS://API.test:443/x/../%6frders?q=1#f")}, nil},
		"another method":           {want, []string{proof(t, s, "htm", "GET")}, dpop.ErrInvalid},
		"method in small letters":  {want, []string{proof(t, s, "htm", "post")}, dpop.ErrInvalid},
		"old":                      {want, []string{proof(t, s, "iat", now-61)}, dpop.ErrInvalid},
		"just young enough":        {want, []string{proof(t, s, "iat", now-60)}, nil},
		"from the future":          {want, []string{proof(t, s, "iat", now+11)}, dpop.ErrInvalid},
		"a fraction of a second":   {want, []string{proof(t, s, "iat", now+0.5)}, nil},
		"iat as text":              {want, []string{proof(t, s, "iat", "1800000000")}, dpop.ErrInvalid},
		"iat below zero":           {want, []string{proof(t, s, "iat", -1)}, dpop.ErrInvalid},
		"no iat":                   {want, []string{proof(t, s, "iat", nil)}, dpop.ErrInvalid},
		"no jti":                   {want, []string{proof(t, s, "jti", nil)}, dpop.ErrInvalid},
		"empty jti":                {want, []string{proof(t, s, "jti", "")}, dpop.ErrInvalid},
		"jti as number":            {want, []string{proof(t, s, "jti", 1)}, dpop.ErrInvalid},
		"endless jti":              {want, []string{proof(t, s, "jti", strings.Repeat("x", 513))}, dpop.ErrInvalid},
		"no htu":                   {want, []string{proof(t, s, "htu", nil)}, dpop.ErrInvalid},
		"no htm":                   {want, []string{proof(t, s, "htm", nil)}, dpop.ErrInvalid},
		"typ JWT":                  {want, []string{typed("JWT")}, dpop.ErrInvalid},
		"typ at+jwt":               {want, []string{typed("at+jwt")}, dpop.ErrInvalid},
		"typ in full":              {want, []string{typed("application/dpop+jwt")}, nil},
		"no typ":                   {want, []string{typed("")}, dpop.ErrInvalid},
		"alg none":                 {want, []string{changed(func(h map[string]any) { h["alg"] = "none" })}, dpop.ErrInvalid},
		"alg HS256":                {want, []string{changed(func(h map[string]any) { h["alg"] = "HS256" })}, dpop.ErrInvalid},
		"alg RS256 with an EC key": {want, []string{changed(func(h map[string]any) { h["alg"] = "RS256" })}, dpop.ErrInvalid},
		"crit":                     {want, []string{changed(func(h map[string]any) { h["crit"] = []string{"x"} })}, dpop.ErrInvalid},
		"no key":                   {want, []string{changed(func(h map[string]any) { delete(h, "jwk") })}, dpop.ErrInvalid},
		"key by address":           {want, []string{changed(func(h map[string]any) { delete(h, "jwk"); h["jku"] = "https://evil.test/jwks" })}, dpop.ErrInvalid},
		"key as text":              {want, []string{changed(func(h map[string]any) { h["jwk"] = text(h["jwk"].(map[string]any)) })}, dpop.ErrInvalid},
		"somebody else's key":      {want, []string{changed(func(h map[string]any) { h["jwk"] = headerOf(t, proof(t, other))["jwk"] })}, dpop.ErrInvalid},
		"private key inside":       {want, []string{inside(func(k map[string]any) { k["d"] = b64(make([]byte, 32)) })}, dpop.ErrInvalid},
		"symmetric key":            {want, []string{inside(func(k map[string]any) { k["kty"] = "oct"; k["k"] = "AAAA" })}, dpop.ErrInvalid},
		"a point off the curve":    {want, []string{inside(func(k map[string]any) { k["x"] = b64(make([]byte, 32)) })}, dpop.ErrInvalid},
		"a key for encryption":     {want, []string{inside(func(k map[string]any) { k["use"] = "enc" })}, dpop.ErrInvalid},
		"RSA of 1024 bits": {want, []string{changed(func(h map[string]any) {
			h["alg"] = "RS256"
			h["jwk"] = map[string]string{"kty": "RSA", "n": b64(weak.N.Bytes()), "e": "AQAB"}
		})}, dpop.ErrInvalid},
		"RSA without end": {want, []string{changed(func(h map[string]any) {
			h["alg"] = "RS256"
			h["jwk"] = map[string]string{"kty": "RSA", "n": b64(append([]byte{0xff}, append(make([]byte, 639), 1)...)), "e": "AQAB"}
		})}, dpop.ErrInvalid},
		"a member twice":               {want, []string{header(good, `{"alg":"ES256","typ":"dpop+jwt","typ":"dpop+jwt","jwk":{}}`)}, dpop.ErrInvalid},
		"nothing signed":               {want, []string{good[:strings.LastIndex(good, ".")+1]}, dpop.ErrInvalid},
		"without nonce":                {withNonce, []string{good}, dpop.ErrNonce},
		"with nonce":                   {withNonce, []string{proof(t, s, "nonce", nonces.At(at))}, nil},
		"with the last nonce":          {withNonce, []string{proof(t, s, "nonce", nonces.At(at.Add(-time.Minute)))}, nil},
		"with a nonce two minutes old": {withNonce, []string{proof(t, s, "nonce", nonces.At(at.Add(-2*time.Minute)))}, dpop.ErrNonce},
		"a nonce from far ahead":       {withNonce, []string{proof(t, s, "nonce", nonces.At(at.Add(5*time.Minute)))}, dpop.ErrNonce},
		"a nonce made up":              {withNonce, []string{proof(t, s, "nonce", nonces.At(at)[:11]+strings.Repeat("A", 21))}, dpop.ErrNonce},
		"nonce as number":              {withNonce, []string{proof(t, s, "nonce", 7)}, dpop.ErrInvalid},
		"an old proof with a nonce":    {withNonce, []string{proof(t, s, "nonce", nonces.At(at), "iat", now-61)}, dpop.ErrInvalid},
	} {
		if _, _, err := c.want.Check(c.headers); !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
	}
}

// A proof that says the same with another signature is the same use: anybody can make a second signature of ES256 from the first.
func TestUseIsNotTheText(t *testing.T) {
	s := signer(t, jws.ES256)
	a, err1 := dpop.Parse(proof(t, s))
	b, err2 := dpop.Parse(proof(t, s, "iat", now+1))
	c, err3 := dpop.Parse(proof(t, s, "jti", "2"))
	d, err4 := dpop.Parse(proof(t, signer(t, jws.ES256)))
	if errors.Join(err1, err2, err3, err4) != nil || a.Use() != b.Use() || a.Use() == c.Use() || a.Use() == d.Use() {
		t.Error("a use is key, place and jti", err1, err2, err3, err4)
	}
}

func FuzzProof(f *testing.F) {
	f.Add(rfcTokenProof)
	f.Add(rfcCallProof)
	f.Add(proof(f, signer(f, jws.EdDSA)))
	f.Add(header(rfcTokenProof, `{"alg":"ES256","typ":"dpop+jwt","jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"}}`))
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := dpop.Parse(raw)
		if err != nil {
			if p != (dpop.Proof{}) || !errors.Is(err, dpop.ErrInvalid) {
				t.Errorf("%+v with %v", p, err)
			}
			return
		}
		if again, ok := dpop.Normal(p.URL); p.Key == "" || p.ID == "" || !ok || again != p.URL {
			t.Errorf("%+v", p)
		}
	})
}

func FuzzProofAddress(f *testing.F) {
	for _, s := range []string{"https://a/%7e/../b//c/.", "http://[::1]:80", "HTTP://A:80/?x", "https://a/%2F%2e%2e/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		once, ok := dpop.Normal(raw)
		if !ok {
			return
		}
		if twice, ok := dpop.Normal(once); !ok || twice != once {
			t.Errorf("%q is %q, and that is %q %v", raw, once, twice, ok)
		}
	})
}
