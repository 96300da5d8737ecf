package jws

import (
	"crypto/ed25519"
	"testing"
)

// The published examples: RFC 7515 appendices A.2 and A.3, RFC 8037 appendices A.3 and A.4, RFC 7638 section 3.1.

func onlyKey(t *testing.T, set string) Key {
	t.Helper()
	s, err := ParseSet([]byte(set))
	if err != nil {
		t.Fatal(err)
	}
	k, ok := s.Only()
	if !ok {
		t.Fatalf("no usable key in %s", set)
	}
	return k
}

const joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

const joePayload = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"

func TestPublishedExamples(t *testing.T) {
	for name, c := range map[string]struct{ set, token, alg, payload string }{
		"RFC 7515 A.2, RS256": {
			set: `{"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPM` +
				`EzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs` +
				`LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGN` +
				`j8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]}`,
			token: "eyJhbGciOiJSUzI1NiJ9." + joe + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_" +
				"lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07" +
				"Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98" +
				"rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
			alg: RS256, payload: joePayload,
		},
		"RFC 7515 A.3, ES256": {
			set: `{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",` +
				`"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`,
			token: "eyJhbGciOiJFUzI1NiJ9." + joe +
				".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
			alg: ES256, payload: joePayload,
		},
		"RFC 8037 A.4, EdDSA": {
			set:   `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
			token: ed25519Example,
			alg:   EdDSA, payload: "Example of Ed25519 signing",
		},
	} {
		k := onlyKey(t, c.set)
		m, err := Parse(c.token)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if k.Alg != c.alg || m.Alg != c.alg || string(m.Payload) != c.payload {
			t.Errorf("%s: key for %s, header %s, payload %q", name, k.Alg, m.Alg, m.Payload)
		}
		if err := m.Verify(k); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		m.signature[10] ^= 1
		if err := m.Verify(k); err != ErrSignature {
			t.Errorf("%s, one bit changed: %v", name, err)
		}
	}
}

const ed25519Example = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc." +
	"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

// Ed25519 is deterministic, so the published signature must come out to the octet.
func TestEd25519SignsAsPublished(t *testing.T) {
	seed, err := b64.DecodeString("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSigner("k", EdDSA, ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(ed25519Example)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := s.sign([]byte(m.input))
	if err != nil || string(signature) != string(m.signature) {
		t.Errorf("signed % x, %v", signature, err)
	}
}

func TestPublishedThumbprints(t *testing.T) {
	for want, set := range map[string]string{
		"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs": `{"keys":[{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM` +
			`78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0` +
			`h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6W` +
			`eZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}]}`,
		"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k": `{"keys":[{"kty":"OKP","crv":"Ed25519",` +
			`"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
	} {
		if got, err := Thumbprint(onlyKey(t, set).Public); got != want {
			t.Errorf("thumbprint %s, %v; want %s", got, err, want)
		}
	}
	if got, err := Thumbprint("no key"); err == nil {
		t.Errorf("thumbprint of a string: %s", got)
	}
}
