package server

import (
	"context"
	"fmt"
	"strings"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

// Change is a setting that Agree has written.
type Change struct{ Key, From, To string } // From is "" where nothing was agreed on

// Agree makes the configuration what all nodes of this database are to have in common. Nodes that run go on with what they began with; of
// those that start, only such with the same go on.
func (b *Base) Agree(ctx context.Context, by idp.Actor, why string) ([]Change, error) {
	return b.put(ctx, true, func(tx idp.Tx, changes []Change) error {
		var said []string
		for _, c := range changes {
			said = append(said, c.Key+" "+c.To)
		}
		return tx.Record(idp.Event{Kind: idp.EventOperator, Actor: by, Why: why, Data: map[string]string{"act": "settings-agreed", "fields": strings.Join(said, ", ")}})
	})
}

// put writes what nobody has said yet, or over what was said, too; then is called if that was anything.
func (b *Base) put(ctx context.Context, over bool, then func(idp.Tx, []Change) error) (changes []Change, err error) {
	err = b.Store.Update(ctx, func(tx idp.Tx) error {
		changes = nil
		if err := tx.LockRealm(idp.Exclusive); err != nil { // another node may be doing the same
			return err
		}
		agreed, err := tx.Settings()
		if err != nil {
			return err
		}
		for _, s := range b.Config.Shared() {
			was := agreed[s.Key]
			if was == s.Value || was != "" && !over {
				continue
			}
			changes = append(changes, Change{s.Key, was, s.Value})
			if err := tx.PutSetting(s.Key, s.Value); err != nil {
				return err
			}
		}
		if changes == nil {
			return nil
		}
		return then(tx, changes)
	})
	return changes, err
}

// join has the nodes agree on what nobody has said yet, on everything at the first start, and refuses a node that differs. The embedded
// database has one server, which may have changed its mind.
func (b *Base) join(ctx context.Context) error {
	alone := b.Config.Postgres.URL == ""
	unsaid, err := differs(ctx, b.Store, &b.Config)
	if err != nil || !unsaid && !alone {
		return err
	}
	if _, err := b.put(ctx, alone, func(idp.Tx, []Change) error { return nil }); err != nil {
		return err
	}
	_, err = differs(ctx, b.Store, &b.Config) // another node may have been first
	return err
}

// differs refuses a configuration that is not what the nodes of a Postgres have agreed on; unsaid says that they have not agreed on all of it.
func differs(ctx context.Context, store idp.Store, c *config.Config) (unsaid bool, err error) {
	if c.Postgres.URL == "" {
		return false, nil
	}
	var agreed map[string]string
	if err := store.View(ctx, func(v idp.View) (err error) { agreed, err = v.Settings(); return err }); err != nil {
		return false, err
	}
	var other []config.Problem
	for _, s := range c.Shared() {
		switch was := agreed[s.Key]; was {
		case s.Value:
		case "":
			unsaid = true
		default:
			here, there := config.Apart(s.Value, was)
			other = append(other, config.Problem{Key: s.Key, Wrong: fmt.Sprintf("it is %s here, and the nodes of this database have agreed on %s", here, there),
				Instead: "write that, or change it for all of them by exeunt config agree"})
		}
	}
	if other != nil {
		return unsaid, c.RefuseAll(other)
	}
	return unsaid, nil
}
