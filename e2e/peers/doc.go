// Package peers proves sign-in and sign-out with clients that are not ours: websites made with coreos/go-oidc, and with
// openid-client and express-openid-connect (both major versions) of npm, each on an address of its own, in real browsers,
// against the real program in a process that can be killed.
//
// The websites are in websites_test.go and sites/; npm's packages are installed there by the test, from the committed lock
// file, which names no place to get them from. Node 18 does, but for express-openid-connect 3, which wants 20.19.
//
// It refuses to help the libraries along: nothing of a library is replaced, with one exception that is named where it is made,
// and that TestExpressByItself shows the need of.
package peers
