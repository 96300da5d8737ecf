package jws

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// compact makes a token with any header at all.
func compact(header, payload string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc([]byte(payload)) + "." + enc(make([]byte, es256Size))
}

func TestHeaders(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n - 1 {
			fmt.Fprintf(&b, `"x%d":%d,`, i, i)
		}
		return `{` + b.String() + `"alg":"ES256"}`
	}
	for header, want := range map[string]error{
		`{"alg":"ES256"}`: nil,
		" {\r\n\t\"alg\" : \"ES256\" , \"kid\":\"k\"} ": nil,
		`{"\u0061lg":"ES\u003256","kid":"\u006b"}`:      nil,
		`{"alg":"ES256","typ":"at\/jwt"}`:               nil,
		`{"a":[{"alg":"none"},"]}",{}],"b":-1.5e3,"c":null,"alg":"ES256","d":{"alg":"none","}":"\"}"},"e":true}`: nil,
		`{"ALG":"none","Crit":[],"alg":"ES256"}`:       nil, // other names, therefore unknown
		`{"jwk":{"kty":"oct","k":"AA"},"alg":"ES256"}`: nil, // ignored
		`{"alg":"ES256","kid":""}`:                     nil,
		many(maxMembers):                               nil,
		many(maxMembers + 1):                           ErrMalformed,
		`{"alg":"none"}`:                               ErrAlgorithm,
		`{"alg":"None"}`:                               ErrAlgorithm,
		`{"alg":"es256"}`:                              ErrAlgorithm,
		`{"alg":"HS256"}`:                              ErrAlgorithm,
		`{"alg":"ES384"}`:                              ErrAlgorithm,
		`{"alg":"ES256\u0000"}`:                        ErrAlgorithm,
		`{"alg":""}`:                                   ErrAlgorithm,
		`{}`:                                           ErrAlgorithm,
		`{"typ":"JWT"}`:                                ErrAlgorithm,
		`{"ALG":"ES256"}`:                              ErrAlgorithm,
		`{"alg":"ES256","crit":["b64"],"b64":false}`:   ErrCritical,
		`{"alg":"ES256","crit":[]}`:                    ErrCritical,
		`{"alg":"ES256","crit":null}`:                  ErrCritical,
		`{"alg":"ES256","cr\u0069t":["x"]}`:            ErrCritical,
		`{"alg":"ES256","alg":"ES256"}`:                ErrMalformed,
		`{"alg":"none","alg":"ES256"}`:                 ErrMalformed,
		`{"alg":"ES256","\u0061lg":"none"}`:            ErrMalformed,
		`{"alg":"ES256","kid":"a","kid":"b"}`:          ErrMalformed,
		`{"alg":"ES256","typ":"a","typ":"b"}`:          ErrMalformed,
		`{"alg":"ES256","x":1,"x":2}`:                  ErrMalformed,
		`{"alg":["ES256"]}`:                            ErrMalformed,
		`{"alg":null}`:                                 ErrMalformed,
		`{"alg":1}`:                                    ErrMalformed,
		`{"alg":"ES256","kid":1}`:                      ErrMalformed,
		`{"alg":"ES256","kid":null}`:                   ErrMalformed,
		`{"alg":"ES256","typ":{}}`:                     ErrMalformed,
		`{"alg":"ES256"}{}`:                            ErrMalformed,
		`{"alg":"ES256"},`:                             ErrMalformed,
		`{"alg":"ES256",}`:                             ErrMalformed,
		`{'alg':'ES256'}`:                              ErrMalformed,
		`{"alg":"ES256"`:                               ErrMalformed,
		`{"alg":"ES256","x":NaN}`:                      ErrMalformed,
		`{"alg":"ES256"/**/}`:                          ErrMalformed,
		"{\"alg\":\"ES256\",\"kid\":\"\xff\"}":         ErrMalformed,
		"{\"alg\":\"ES256\",\"kid\":\"a\nb\"}":         ErrMalformed,
		"\xef\xbb\xbf{\"alg\":\"ES256\"}":              ErrMalformed,
		`["alg","ES256"]`:                              ErrMalformed,
		`"ES256"`:                                      ErrMalformed,
		`null`:                                         ErrMalformed,
		` `:                                            ErrMalformed,
		strings.Repeat("[", 9000):                      ErrMalformed,
		`{"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `,"alg":"ES256"}`: nil,
	} {
		m, err := Parse(compact(header, "{}"))
		if err != want {
			t.Errorf("%.80q: %v, want %v", header, err, want)
		}
		if err == nil && m.Alg != ES256 {
			t.Errorf("%.80q: alg %q", header, m.Alg)
		}
	}
}

func TestHeaderValuesAreDecoded(t *testing.T) {
	m, err := Parse(compact(`{"typ":"application\/at+jwt","kid":"\u006b\"\ud83d\ude00","alg":"EdDSA"}`, "{}"))
	if err != nil || m.Alg != EdDSA || m.KeyID != "k\"😀" || m.Type != "application/at+jwt" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestCompactForm(t *testing.T) {
	good := compact(`{"alg":"ES256"}`, "{}")
	parts := strings.Split(good, ".")
	head, body, sig := parts[0], parts[1], parts[2]
	if _, err := Parse(good); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token string
		want  error
	}{
		"empty":                {"", ErrMalformed},
		"two dots":             {"..", ErrMalformed},
		"one part":             {head, ErrMalformed},
		"two parts":            {head + "." + body, ErrMalformed},
		"four parts":           {good + "." + sig, ErrMalformed},
		"five parts, JWE":      {head + "." + body + "." + body + "." + body + "." + sig, ErrMalformed},
		"dot at the end":       {good + ".", ErrMalformed},
		"dot at the front":     {"." + good, ErrMalformed},
		"no header":            {"." + body + "." + sig, ErrMalformed},
		"no payload, detached": {head + ".." + sig, ErrMalformed},
		"no signature":         {head + "." + body + ".", ErrMalformed},
		"padded header":        {head + "=." + body + "." + sig, ErrMalformed},
		"padded payload":       {head + "." + body + "=." + sig, ErrMalformed},
		"padded signature":     {good + "==", ErrMalformed},
		"space before":         {" " + good, ErrMalformed},
		"space after":          {good + " ", ErrMalformed},
		"line feed after":      {good + "\n", ErrMalformed},
		"line feed inside":     {good[:5] + "\n" + good[5:], ErrMalformed},
		"CR in the signature":  {good[:len(good)-3] + "\r" + good[len(good)-3:], ErrMalformed},
		"standard alphabet":    {head + "." + body + "." + "+/" + sig[2:], ErrMalformed},
		"NUL":                  {good[:5] + "\x00" + good[6:], ErrMalformed},
		"one letter left over": {good + "AAA", ErrMalformed},
		"trailing bits":        {good[:len(good)-1] + "B", ErrMalformed},
		"JSON serialization":   {`{"payload":"e30","signatures":[]}`, ErrMalformed},
		"too large":            {head + "." + strings.Repeat("A", MaxSize) + "." + sig, ErrTooLarge},
		"too large, no JWS":    {strings.Repeat("A", MaxSize+1), ErrTooLarge},
	} {
		if m, err := Parse(c.token); err != c.want {
			t.Errorf("%s: %+v, %v, want %v", name, m, err, c.want)
		}
	}
	if _, err := Parse(head + "." + strings.Repeat("A", (MaxSize-len(head)-len(sig)-2)/4*4) + "." + sig); err != nil {
		t.Errorf("just within the limit: %v", err)
	}
}

func TestErrorsCarryNothingOfTheToken(t *testing.T) {
	for _, raw := range []string{
		"secret.secret.secret", compact(`{"alg":"secret"}`, "{}"), compact(`{"alg":"ES256","crit":["secret"]}`, "{}"),
	} {
		_, err := Parse(raw)
		if err == nil || strings.Contains(err.Error(), "secret") || errors.Unwrap(err) != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestHasType(t *testing.T) {
	for have, want := range map[string]bool{
		"at+jwt": true, "AT+JWT": true, "application/at+jwt": true, "Application/At+Jwt": true,
		"": false, "jwt": false, "application/": false, "application/application/at+jwt": false, "logout+jwt": false,
		"at+jwt ": false, "xapplication/at+jwt": false,
	} {
		if got := (Unverified{Type: have}).HasType("at+jwt"); got != want {
			t.Errorf("%q: %v", have, got)
		}
	}
	if (Unverified{Type: "application/"}).HasType("") {
		t.Error("a bare prefix counts as no type")
	}
}

// What Parse returns as payload cannot be grown into what it returns as signature.
func TestPayloadDoesNotReachTheSignature(t *testing.T) {
	s := newSigner(t, "k", ES256)
	m, err := Parse(mustSign(t, s, "JWT", []byte("{}")))
	if err != nil {
		t.Fatal(err)
	}
	_ = append(m.Payload, 1, 2, 3, 4)
	if err := m.Verify(s.Public()); err != nil {
		t.Error(err)
	}
}
