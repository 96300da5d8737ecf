package chromium_test

import (
	"exeunt.dev/internal/idp"
	"github.com/chromedp/chromedp"
)

// owes makes such a duty.
func (d *desk) owes(id idp.Name) {
	d.update(func(tx idp.Tx) error {
		a, err := tx.AccountByUsername(d.people[0].name)
		if err != nil {
			return err
		}
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		return tx.InsertRevocation(idp.Revocation{ID: id, IdentityKey: idp.IdentityKey{Provider: "hub", Issuer: "https://hub.example", Subject: "1"}, Account: a.ID, State: idp.Owed, Tokens: []byte{1}, CreatedAt: now, Due: now})
	})
}

// revocations: what a provider was not asked for in vain is asked for again, and given up.
func (d *desk) revocations(s *seat) {
	at := "/admin/revocations/" + d.duty.String()
	s.goes("/admin")
	s.says("Revocations owed to providers")
	s.shot("overview, a provider owes")
	s.until("/admin/revocations?state=owed", "the provider is not configured any more")
	s.says("person1", "hub")
	s.look("revocations")
	s.follows("tbody td a[href='" + at + "']")
	s.look("revocation")
	s.acts(at+"/resend", "it is back")
	s.says("Due now: the provider is asked at once.")
	s.acts(at+"/give-up", "it is gone for good")
	s.says("Given up. The provider keeps the consent.", "given up")
	s.shot("revocation given up")
	s.does("choose", chromedp.Navigate(s.at+"/admin/revocations"), chromedp.WaitVisible(css("#filter-state")), chromedp.SetValue(css("#filter-state"), "given-up"))
	s.leaves("filter", chromedp.Click(css(".filter button")))
	s.says("given up", "person1")
}
