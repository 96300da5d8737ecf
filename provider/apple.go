package provider

import (
	"crypto"
	"encoding/json"
	"time"

	"exeunt.dev/internal/jws"
)

// Apple signs in by OpenID Connect; the callback is POSTed, and the client secret is a token that the website signs with
// the key (P-256) that Apple's developer pages gave it: team and keyID name it, id is the Services ID.
func Apple(team, keyID, id string, key crypto.Signer) (Provider, error) {
	signer, err := jws.NewSigner(keyID, jws.ES256, key)
	if err != nil {
		return Provider{}, err
	}
	p := apple(id)
	p.Secret = func(now time.Time) (string, error) {
		claims, err := json.Marshal(map[string]any{
			"iss": team, "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(), "aud": "https://appleid.apple.com", "sub": id,
		})
		if err != nil {
			return "", err
		}
		return signer.Sign("", claims)
	}
	return p, nil
}

// apple is all but the secret.
func apple(id string) Provider {
	p := OIDC("https://appleid.apple.com", id, "")
	p.Title, p.Ask, p.Secret = "Apple", nil, nil
	p.Source = "https://developer.apple.com/documentation/signinwithapple/incorporating-sign-in-with-apple-into-other-platforms"
	p.Scopes = []string{"openid", "name", "email"}
	p.Authorize = map[string]string{"response_mode": "form_post"} // Apple's condition for asking for a name or address
	p.SecretInBody = true
	p.Revocation.Source = "https://developer.apple.com/documentation/signinwithapplerestapi/revoke-tokens"
	p.Revocation.ByHand = "https://account.apple.com/account/manage"
	p.Endpoints.Revoke = "https://appleid.apple.com/auth/revoke"
	p.SignOut = SignOut{ByHand: "https://account.apple.com/"}
	return p
}
