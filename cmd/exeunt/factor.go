package main

import (
	"errors"
	"fmt"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
)

type factorCmd struct {
	List   factorListCmd   `cmd:"" help:"List what a person signs in with besides the password."`
	Remove factorRemoveCmd `cmd:"" help:"Take one away and sign the person out everywhere: for who has lost it."`
}

func factorsOf(w *world, b *server.Base, id idp.AccountID) (all []idp.Credential, err error) {
	err = b.Store.View(w.ctx, func(v idp.View) error {
		all, err = v.Credentials(id)
		return err
	})
	return all, err
}

type factorListCmd struct{ person }

func (c *factorListCmd) Run(w *world) error {
	return c.with(w, func(b *server.Base, a idp.Account) error {
		all, err := factorsOf(w, b, a.ID)
		if err != nil {
			return err
		}
		out := w.list("ID", "KIND", "NAME", "ADDED", "LAST USED")
		for _, f := range all {
			if f.Kind == idp.CredentialRecovery {
				continue
			}
			used := ""
			if f.UsedAt != 0 {
				used = stamp(f.UsedAt)
			}
			line := map[string]any{"id": f.ID, "kind": f.Kind, "name": f.Name, "added_at": stamp(f.AddedAt), "used_at": used, "added_ip": f.IP}
			if f.Kind == idp.CredentialTOTP {
				line["recovery_codes"] = idp.Has(all, idp.CredentialRecovery)
			}
			if err := out.add(line, string(f.ID), string(f.Kind), f.Name, stamp(f.AddedAt), used); err != nil {
				return err
			}
		}
		return out.print(a.Username + " has neither a passkey nor an authenticator app")
	})
}

type factorRemoveCmd struct {
	person
	reason
	ID string `arg:"" help:"Its id, as factor list shows it."`
}

func (c *factorRemoveCmd) Run(w *world) error {
	data := map[string]string{}
	err := c.ends(w, &c.reason, idp.EventFactorRemoved, data, "removed "+c.ID, nil, func(tx idp.Tx, id idp.AccountID, by operate.By) (idp.Receipt, error) {
		r, f, err := operate.RemoveFactor(tx, id, idp.CredentialID(c.ID), by)
		data["factor"], data["name"] = string(f.Kind), f.Name
		return r, err
	})
	if errors.Is(err, idp.ErrNotFound) {
		err = idp.Advise(fmt.Errorf("%s has no factor %q", c.Username, c.ID), "exeunt account factor list "+c.Username+" shows which there are")
	}
	return err
}
