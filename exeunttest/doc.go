// Package exeunttest is a small issuer and ledger for the tests of APIs that use package guard: it signs access tokens
// with any claims, ends names, and can be made to fail. Its clock is turned by hand.
//
//	iss := exeunttest.New(t)
//	g, err := guard.New(iss.URL, guard.Audience(iss.Audience), guard.Credentials(iss.ID, iss.Secret))
//	...
//	session := ledger.NewName()
//	raw := iss.Token(exeunttest.Subject("alice"), exeunttest.Scope("orders:read"), exeunttest.HangsOn(session))
//	iss.End(session) // the guard refuses raw within milliseconds
//
// What bound tokens need:
//
//	key := iss.NewKey()
//	raw := iss.Token(exeunttest.BoundTo(key))
//	key.Sign(request, raw) // with a proof; the guard has guard.ExternalURL(server.URL)
//
// It rests on packages ledger and jws and not on the server. It has no sign-in, no clients and no database, and must
// not be used for anything but tests: whoever reaches it can read what it tells a guard.
package exeunttest
