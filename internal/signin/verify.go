package signin

import (
	"context"
	"crypto/subtle"
	"slices"

	"exeunt.dev/internal/idp"
)

const (
	costsAtMost = 4   // that are kept in mind; each is paid for at every sign-in
	sampled     = 100 // accounts
)

// verify does the same work whoever is asked for: once at each cost that passwords are known to be kept with. Else an account whose password is
// still kept with a cost of before would answer sooner, or later, than a name that nobody has.
func (p *Passwords) verify(ctx context.Context, phc, password string) (bool, error) {
	c, salt, want, err := decodePHC(phc)
	if err != nil {
		return false, err
	}
	right := false
	for _, cost := range p.used(ctx, c) {
		with := salt
		if cost != c {
			with = make([]byte, saltSize)
		}
		got, err := p.derive(ctx, cost, with, password)
		if err != nil {
			return false, err
		}
		if cost == c {
			right = subtle.ConstantTimeCompare(got, want) == 1
		}
	}
	return right, nil
}

// used lists the costs, c among them. One that this node has not seen since it began is met once; so that a stranger does not meet it by the name
// of its owner, the first accounts are looked at before anybody is.
func (p *Passwords) used(ctx context.Context, c Cost) []Cost {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := []Cost{c}
	if !p.learned {
		err := p.store.View(ctx, func(v idp.View) error {
			all, err := v.Accounts(idp.Page{Limit: sampled})
			for _, a := range all {
				if kept, _, _, err := decodePHC(a.Password); err == nil {
					seen = append(seen, kept)
				}
			}
			return err
		})
		p.learned = err == nil
	}
	for _, one := range seen {
		if len(p.costs) < costsAtMost && !slices.Contains(p.costs, one) {
			p.costs = append(p.costs, one)
		}
	}
	out := slices.Clone(p.costs)
	if !slices.Contains(out, c) {
		out = append(out, c)
	}
	return out
}
