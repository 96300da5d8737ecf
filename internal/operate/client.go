package operate

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Client is an app as operators see it.
type Client struct {
	*idp.Client
	State     string     `json:"state"` // active, disabled or deleted
	Created   time.Time  `json:"created_at"`
	TwoUntil  *time.Time `json:"old_secret_until,omitempty"` // until when the secret before the last is good, too
	Registers bool       `json:"self_registered,omitempty"`
}

// States of an app.
const (
	Active   = "active"
	Disabled = "disabled"
	Deleted  = "deleted"
)

// ClientState says what state an app is in.
func ClientState(c *idp.Client) string {
	switch {
	case c.Deleted:
		return Deleted
	case c.Disabled:
		return Disabled
	}
	return Active
}

// ShowClient makes the operators' view of an app.
func ShowClient(c *idp.Client, now idp.Time) Client {
	out := Client{Client: c, State: ClientState(c), Created: c.CreatedAt.Time(), Registers: !c.Registration.IsZero()}
	if !c.OldSecret.IsZero() && now < c.OldSecretUntil {
		out.TwoUntil = idp.At(c.OldSecretUntil)
	}
	return out
}

// Register adds an app and returns its secret, if it has one. idp.ErrConflict: the id is taken.
func Register(tx idp.Tx, c *idp.Client) (secret string, err error) {
	if c.Confidential() {
		secret = idp.NewSecret(32)
		c.Secret = idp.HashOf(secret)
	}
	if c.CreatedAt, err = tx.Mint(); err != nil {
		return "", err
	}
	return secret, tx.InsertClient(*c, ledger.NewName())
}

// find locks an app and reads it. A deleted one is ErrDeleted.
func find(tx idp.Tx, id idp.ClientID) (c idp.Client, err error) {
	if err := tx.LockClient(id, idp.Exclusive); err != nil {
		return c, err
	}
	if c, err = tx.Client(id); err == nil && c.Deleted {
		err = ErrDeleted
	}
	return c, err
}

// Change writes what an operator has changed about an app, and says which settings are others now; its sign-ins go on.
func Change(tx idp.Tx, id idp.ClientID, f Fields, algs []string) (c idp.Client, changed []string, err error) {
	if c, err = find(tx, id); err != nil {
		return c, nil, err
	}
	before := settings(&c)
	if err := f.apply(&c, algs); err != nil {
		return c, nil, err
	}
	after := settings(&c)
	for name := range after {
		if !bytes.Equal(before[name], after[name]) {
			changed = append(changed, name)
		}
		delete(before, name)
	}
	changed = append(changed, slices.Collect(maps.Keys(before))...) // what is empty now
	slices.Sort(changed)
	return c, changed, tx.UpdateClient(c)
}

// settings are what an app's row says, by the names that programs know.
func settings(c *idp.Client) (out map[string]json.RawMessage) {
	text, _ := json.Marshal(c) // texts, lists and numbers always marshal
	json.Unmarshal(text, &out)
	return out
}

// LongestOverlap is how long two secrets of an app may be good.
const LongestOverlap = 90 * 24 * time.Hour

// Overlap reads how long the old secret stays good: days, or a length such as 36h; "" is a day, 0 not at all.
func Overlap(text string) (time.Duration, error) {
	if text == "" {
		return 24 * time.Hour, nil
	}
	d, err := config.Duration(text)
	if err != nil || d < 0 || d > LongestOverlap {
		return 0, idp.Invalid("overlap", "An overlap is a length of time such as 0, 12h or 7d, at most 90d.")
	}
	return d, nil
}

// Rotate gives an app a new secret. The one before stays good for the overlap; nothing ends. A StateError: the app has no secret, or
// two are good already.
func Rotate(tx idp.Tx, id idp.ClientID, overlap time.Duration) (secret string, c idp.Client, err error) {
	if c, err = find(tx, id); err != nil {
		return "", c, err
	}
	if !c.Confidential() {
		return "", c, not("This app has no secret: it could not keep one.")
	}
	now, err := tx.Mint()
	if err != nil {
		return "", c, err
	}
	if !c.OldSecret.IsZero() && now < c.OldSecretUntil {
		return "", c, not("Two secrets of this app are good already. End the old one first.")
	}
	secret = idp.NewSecret(32)
	c.OldSecret, c.OldSecretUntil = idp.Hash{}, 0
	if overlap > 0 {
		c.OldSecret, c.OldSecretUntil = c.Secret, now.Add(overlap)
	}
	c.Secret = idp.HashOf(secret)
	return secret, c, tx.UpdateClient(c)
}

// EndOldSecret ends an overlap now. A StateError: there is none.
func EndOldSecret(tx idp.Tx, id idp.ClientID) (idp.Client, error) {
	c, err := find(tx, id)
	if err != nil {
		return c, err
	}
	now, err := tx.Mint()
	if err != nil {
		return c, err
	}
	if c.OldSecret.IsZero() || now >= c.OldSecretUntil {
		return c, not("This app has one secret only.")
	}
	c.OldSecret, c.OldSecretUntil = idp.Hash{}, 0
	return c, tx.UpdateClient(c)
}

// EndClient ends all that an app has, of everybody, once; people may sign in to it again. A StateError: it is disabled, so nothing is there.
func EndClient(tx idp.Tx, id idp.ClientID, by By) (r idp.Receipt, err error) {
	c, err := find(tx, id)
	if err == nil && c.Disabled {
		err = not("This app is disabled: nothing of it is alive.")
	}
	if err != nil {
		return r, err
	}
	return door.EndIn(tx, idp.EndClient(id, false), by.cause(idp.CauseClientEnded))
}

// DisableClient ends all that an app has, and lets nobody sign in to it until EnableClient.
func DisableClient(tx idp.Tx, id idp.ClientID, by By) (r idp.Receipt, err error) {
	if _, err := find(tx, id); err != nil {
		return r, err
	}
	return door.EndIn(tx, idp.EndClient(id, true), by.cause(idp.CauseClientEnded))
}

// EnableClient lets people sign in to a disabled app again; nothing that ended comes back.
func EnableClient(tx idp.Tx, id idp.ClientID) error {
	if _, err := find(tx, id); err != nil {
		return err
	}
	err := door.ReviveClient(tx, id)
	if errors.Is(err, idp.ErrConflict) {
		err = not("This app is not disabled.")
	}
	return err
}

// DeleteClient ends all that an app has, for good. Its row stays, so that it can be told, and so that nobody else ever gets its id.
func DeleteClient(tx idp.Tx, id idp.ClientID, by By) (r idp.Receipt, err error) {
	c, err := find(tx, id)
	if err != nil {
		return r, err
	}
	if r, err = door.EndIn(tx, idp.EndClient(id, true), by.cause(idp.CauseClientEnded)); err != nil {
		return r, err
	}
	c.Deleted = true
	c.Secret, c.OldSecret, c.OldSecretUntil, c.Registration = idp.Hash{}, idp.Hash{}, 0, idp.Hash{}
	c.RedirectURIs, c.PostLogoutURIs, c.LogoutURIs, c.FrontchannelLogoutURI = nil, nil, nil, ""
	return r, tx.UpdateClient(c)
}

// Untold turns why an app would not be called into what an operator can do; "" stays "".
func Untold(objection string) string {
	if objection == "" {
		return ""
	}
	return "This app will not be told of sign-outs: " + objection + ". If it is in a network of yours, name that network in allow_networks under apps: in the configuration."
}
