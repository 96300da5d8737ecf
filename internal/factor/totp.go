package factor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"net/http"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"exeunt.dev/internal/idp"
)

// What authenticator apps agree on: RFC 6238 with its default values, six digits.
const (
	period = 30 // seconds
	digits = otp.DigitsSix
	skew   = 1 // steps before and after, for clocks that differ and people who type slowly (section 5.2)
)

func about(id idp.CredentialID) string { return "totp " + string(id) }

// step finds the time step whose code this is, behind the last one that was taken: a code is good once (RFC 6238 section 5.2).
func step(secret, code string, now idp.Time, last int64) (int64, bool) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	current := int64(now) / 1000 / period
	for s := current - skew; s <= current+skew; s++ {
		ok, err := hotp.ValidateCustom(code, uint64(s), secret, hotp.ValidateOpts{Digits: digits, Algorithm: otp.AlgorithmSHA1})
		if err == nil && ok && s > last {
			return s, true
		}
	}
	return last, false
}

// Offer is an authenticator app's secret that waits for its first code: until then it counts for nothing.
type Offer struct {
	ID     string // names what waits
	Secret string // base32, for who cannot scan
	URL    string // otpauth:, for who can
}

// QR is the address as a picture, in PNG.
func (o *Offer) QR() ([]byte, error) {
	key, err := otp.NewKeyFromURL(o.URL)
	if err != nil {
		return nil, err
	}
	const pixels = 240
	picture, err := key.Image(pixels, pixels)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = png.Encode(&b, picture)
	return b.Bytes(), err
}

type offered struct {
	Secret []byte `json:"secret"` // sealed
	Tries  int    `json:"tries,omitempty"`
}

// tries is how many wrong codes one half-finished thing bears.
const tries = 5

func aboutOffer(id string) string { return "totp offer " + id }

// Offer makes a new secret for the session's person, bound to the browser. *idp.LimitedError, and the store's.
func (f *Factors) Offer(ctx context.Context, s *idp.Session, browser idp.Hash, username string) (Offer, error) {
	if err := f.mayBegin(s.Account); err != nil {
		return Offer{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: strings.ReplaceAll(f.site, ":", ""), AccountName: strings.ReplaceAll(username, ":", ""), Period: period, Digits: digits})
	if err != nil {
		return Offer{}, err
	}
	o := Offer{ID: idp.NewSecret(16), Secret: key.Secret(), URL: key.URL()}
	data, err := json.Marshal(offered{Secret: f.vault.Seal([]byte(key.URL()), aboutOffer(o.ID))})
	if err != nil {
		return Offer{}, err
	}
	return o, f.store.Update(ctx, func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		return tx.InsertPending(idp.Pending{ID: idp.HashOf(o.ID), Kind: idp.PendingTOTP, Browser: browser, Session: s.Name, Data: data,
			Born: idp.Epochs{Realm: s.Realm, Account: s.Epoch}, CreatedAt: now, ExpiresAt: now.Add(f.life)})
	})
}

// read opens what waits for its first code. idp.ErrEnded: it is over, or another browser's or session's.
func (f *Factors) read(v idp.View, s *idp.Session, browser idp.Hash, id string, now idp.Time) (row idp.Pending, data offered, key *otp.Key, err error) {
	row, err = v.Pending(idp.HashOf(id))
	if errors.Is(err, idp.ErrNotFound) {
		return row, data, nil, idp.ErrEnded
	}
	if err != nil {
		return row, data, nil, err
	}
	if row.Kind != idp.PendingTOTP || row.Browser != browser || row.Session != s.Name || now >= row.ExpiresAt {
		return row, data, nil, idp.ErrEnded
	}
	if err := idp.Live(v, row.Born.Names()...); err != nil {
		return row, data, nil, err
	}
	if err := json.Unmarshal(row.Data, &data); err != nil {
		return row, data, nil, err
	}
	url, err := f.vault.Open(data.Secret, aboutOffer(id))
	if err == nil {
		key, err = otp.NewKeyFromURL(string(url))
	}
	return row, data, key, err
}

// Offered shows an offer again.
func (f *Factors) Offered(ctx context.Context, s *idp.Session, browser idp.Hash, id string) (o Offer, err error) {
	now, _ := f.store.Now()
	err = f.store.View(ctx, func(v idp.View) error {
		_, _, key, err := f.read(v, s, browser, id, now)
		if err == nil {
			o = Offer{ID: id, Secret: key.Secret(), URL: key.URL()}
		}
		return err
	})
	return o, err
}

// Confirm makes an offer count, by its first code, and returns the recovery codes that belong to it. It ends what the person has
// elsewhere. idp.ErrWrong, idp.ErrEnded (also after too many wrong codes), idp.ErrConflict: there is one already.
func (f *Factors) Confirm(ctx context.Context, r *http.Request, s *idp.Session, browser, cookie idp.Hash, id, code string) (codes []string, receipt idp.Receipt, err error) {
	wrong := false
	fresh := newCodes()
	err = f.store.Update(ctx, func(tx idp.Tx) error {
		wrong = false
		if err := tx.LockAccount(s.Account, idp.Exclusive); err != nil {
			return err
		}
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		row, data, key, err := f.read(tx, s, browser, id, now)
		if err != nil {
			return err
		}
		last, ok := step(key.Secret(), code, now, 0)
		if !ok {
			wrong = true
			return fail(tx, row, &data, &data.Tries)
		}
		if _, err := tx.TakePending(row.ID); err != nil {
			return err
		}
		all, err := tx.Credentials(s.Account)
		if err != nil {
			return err
		}
		if idp.OwesSecond(all) {
			return idp.ErrConflict
		}
		if receipt, err = changed(tx, s, cookie); err != nil {
			return err
		}
		c := added(s, r, idp.CredentialTOTP, now)
		c.Secret, c.Counter = f.vault.Seal([]byte(key.Secret()), about(c.ID)), last
		if err := tx.InsertCredential(c); err != nil {
			return err
		}
		if err := f.record(tx, r, s, idp.EventFactorAdded, &c, now); err != nil {
			return err
		}
		return replaceCodes(tx, r, s, fresh, now)
	})
	if err == nil && wrong {
		err = idp.ErrWrong
	}
	if err != nil {
		return nil, idp.Receipt{}, err
	}
	return fresh, receipt, nil
}

// fail counts a wrong code against what waits, and ends its waiting when there were too many.
func fail(tx idp.Tx, row idp.Pending, data any, count *int) (err error) {
	if *count++; *count >= tries {
		_, err = tx.TakePending(row.ID)
		return err
	}
	if row.Data, err = json.Marshal(data); err != nil {
		return err
	}
	return tx.UpdatePending(row)
}
