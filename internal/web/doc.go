// Package web makes pages: HTML from the server, one stylesheet, under a strict content security policy. There is no script but two: the
// page that asks apps by frames goes on without one, too, only later, and the page that apps frame is a script and nothing else. Both
// are behind a setting, and the policy allows them by their hash.
//
// Each page is a struct; its fields are all that the template sees. Sentences that pages choose between are in the catalogue.
// It refuses to know a session or a store, and to become a grab-bag: a page that acts is a form, and what the form does is
// its room's business.
package web
