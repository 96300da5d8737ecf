package factor

import (
	"encoding/json"
	"net/netip"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"exeunt.dev/internal/idp"
)

// The one file that knows the library of WebAuthn. It checks origin and top origin, the relying party, the challenge, user presence and
// verification, the signature and the user handle; what it leaves to its caller (one use of a challenge, the counter, whose a credential
// is) is in passkey.go.
//
// Absent on purpose: attestation (nobody here trusts one model more than another, and it tells people's devices apart), credentials that
// need a username, and origins other than the issuer's.

// authority is the relying party.
type authority struct{ lib *webauthn.WebAuthn }

// newAuthority is nil where browsers give no passkeys: at an address that is a number, and without https but on localhost (WebAuthn
// Level 3 section 5.1.3, step 8: the effective domain must be a valid domain).
func newAuthority(site, issuer string) *authority {
	u, err := url.Parse(issuer)
	if err != nil || (u.Scheme != "https" && !(u.Scheme == "http" && idp.LoopbackHost(u.Hostname()))) {
		return nil
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil
	}
	resident := true
	lib, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: site, RPOrigins: []string{idp.OriginOf(issuer)}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: &resident, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil
	}
	return &authority{lib}
}

// credential is a passkey as the library sees it.
type credential = webauthn.Credential

// keyholder is a person as the library sees one.
type keyholder struct {
	handle []byte
	name   string
	keys   []credential
}

func (k *keyholder) WebAuthnID() []byte                { return k.handle }
func (k *keyholder) WebAuthnName() string              { return k.name }
func (k *keyholder) WebAuthnDisplayName() string       { return k.name }
func (k *keyholder) WebAuthnCredentials() []credential { return k.keys }

// challenge asks for any passkey of this site: the same question for everybody, so that it says nothing of anybody.
func (a *authority) challenge() (options, ceremony []byte, err error) {
	ask, session, err := a.lib.BeginDiscoverableLogin()
	return asJSON(ask, session, err)
}

// enrol asks for a new passkey, on a device that has none of these.
func (a *authority) enrol(k *keyholder) (options, ceremony []byte, err error) {
	ask, session, err := a.lib.BeginRegistration(k, webauthn.WithExclusions(webauthn.Credentials(k.keys).CredentialDescriptors()))
	return asJSON(ask, session, err)
}

func asJSON(ask any, session *webauthn.SessionData, err error) (options, ceremony []byte, _ error) {
	if err != nil {
		return nil, nil, err
	}
	if options, err = json.Marshal(ask); err != nil {
		return nil, nil, err
	}
	ceremony, err = json.Marshal(session)
	return options, ceremony, err
}

// passkey is what is kept of one, as JSON, beside its counter.
type passkey struct {
	Credential credential `json:"credential"`
}

// Synced says that it is kept in more places than the device it was made on, now.
func (p *passkey) Synced() bool { return p.Credential.Flags.BackupState }

func handleOf(rawID []byte) idp.Hash { return idp.HashOf("passkey " + string(rawID)) }

func readPasskey(c *idp.Credential) (p passkey, err error) {
	err = json.Unmarshal(c.Public, &p)
	p.Credential.Authenticator.SignCount = uint32(c.Counter)
	return p, err
}

// made checks the answer of a new passkey. idp.ErrWrong.
func (a *authority) made(k *keyholder, ceremony, answer []byte) (p passkey, err error) {
	var session webauthn.SessionData
	if err := json.Unmarshal(ceremony, &session); err != nil {
		return p, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return p, idp.ErrWrong
	}
	c, err := a.lib.CreateCredential(k, session, parsed)
	if err != nil {
		return p, idp.ErrWrong
	}
	c.Attestation = webauthn.CredentialAttestation{}
	return passkey{*c}, nil
}

// asserted is an answer to a challenge, not checked yet.
type asserted struct {
	parsed *protocol.ParsedCredentialAssertionData
}

func readAnswer(answer []byte) (asserted, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return asserted{}, idp.ErrWrong
	}
	return asserted{parsed}, nil
}

func (a asserted) handle() idp.Hash { return handleOf(a.parsed.RawID) }

// check checks the answer against the one passkey that it names, and returns that as it is now. idp.ErrWrong; cloned says that its counter
// went back: there is a copy of it, or it is broken.
func (a *authority) check(k *keyholder, ceremony []byte, answer asserted) (p passkey, cloned bool, err error) {
	var session webauthn.SessionData
	if err := json.Unmarshal(ceremony, &session); err != nil {
		return p, false, err
	}
	find := func(_, _ []byte) (webauthn.User, error) { return k, nil }
	_, c, err := a.lib.ValidatePasskeyLogin(find, session, answer.parsed)
	if err != nil {
		return p, false, idp.ErrWrong
	}
	return passkey{*c}, c.Authenticator.CloneWarning, nil
}
