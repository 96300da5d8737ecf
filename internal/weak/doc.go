// Package weak says which passwords are too easy: those made of few pieces that everybody tries (well-known words, rows of keys, years,
// repeats, a person's or the site's own name), and those in a file of stolen ones that the operator has.
//
// The words are our own list, and the rest is rules; no list of others is in this tree. It rests on the standard library and asks no
// service: a new password leaves this machine in no form.
package weak
