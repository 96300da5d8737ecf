// Package web makes pages: HTML from the server, one stylesheet, no script, under a strict content security policy.
//
// Each page is a struct; its fields are all that the template sees. Sentences that pages choose between are in the catalogue.
// It refuses to know a session or a store, and to become a grab-bag: a page that acts is a form, and what the form does is
// its room's business.
package web
