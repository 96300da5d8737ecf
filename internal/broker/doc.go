// Package broker lets people sign in through providers and signs them out of each layer truthfully: here, at the provider, and out
// of the consent they gave there.
//
// It rests on internal/upstream for every word with a provider, on the sign-in pages' dispatcher for what a proof leads to (second
// factor, the app that waits), and on the door for every end. What it remembers of a round trip is a Pending, sealed, bound to the
// browser, and redeemed once; what it owes to providers are rows, written with what causes them.
//
// It refuses to link by mail address; to begin a trip by GET, so that no other site sends people to a provider; to make a session
// that the provider has ended meanwhile, or whose account has ended everything since the trip began; to take away the last way in;
// and to end anything by a message that the provider did not sign, but for the front channel that an operator has switched on.
package broker
