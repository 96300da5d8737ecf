package idp

// Reach says which things of one kind an end reaches: the cell of the table of what ends what. Its text is what people read,
// [Reach.Means] says exactly what is meant, and the table's test (e2e/rooms, TestWhatEndsWhat) turns each into a question.
type Reach string

// Reaches. "That session" is the one that the act names: as a rule the one it is done in.
const (
	None      Reach = "–"
	Stays     Reach = "stays"
	MustAsk   Reach = "stays; that app must ask a human again"
	ReRooted  Reach = "stays, with a new cookie"
	Ends      Reach = "ends"
	Offered   Reach = "stays; the receipt offers to end it"
	OfApp     Reach = "that app, from that session"
	OfSession Reach = "that session"
	OfOthers  Reach = "all others"
	OfPerson  Reach = "all"
	Renewed   Reach = "all; a refresh in that session gives new ones"
	OfFamily  Reach = "that family"
	OfToken   Reach = "that token"
	OfConsent Reach = "that app, from everywhere"
	OfClient  Reach = "that client, of everybody"
	OfKey     Reach = "all signed by it"
	OfBrowser Reach = "that browser"
	OfRealm   Reach = "all of everybody"

	OfOrigin     Reach = "what came from there"
	OfOriginAway Reach = "what came from there, offline access included"
	AtProvider   Reach = "offered on the receipt"
	TakenBack    Reach = "the consents are taken back"
)

// Means says what a reach means; "" for one that is not known.
func (r Reach) Means() string {
	switch r {
	case None:
		return "Nothing of this kind ends; nobody is told."
	case Stays:
		return "Goes on as if nothing had happened."
	case MustAsk:
		return "Goes on. That app alone gets nothing more out of it, not by `prompt=none` either, until the person has said yes on a page of Exeunt's."
	case ReRooted:
		return "Goes on, with its apps, under the account's next epoch. The browser that it is done in gets a new cookie, and a copy of the old one is worth nothing; done by a bearer token, the cookie stays."
	case Ends:
		return "Is over, with every copy of its cookie."
	case Offered:
		return "Offline access outlives the session that it was given in; that is what it is for. The receipt lists it, with a way to end it too."
	case OfApp:
		return "What that app has in that session, and what it was given there to keep offline."
	case OfSession:
		return "What hangs on that session. Offline access does not."
	case OfOthers:
		return "The person's other sessions, and what hangs on them."
	case OfPerson:
		return "All of the person's."
	case Renewed:
		return "All of the person's, those of that session included; its apps refresh and go on. Offline access does not."
	case OfFamily:
		return "What came of one code: one sign-in of an app with all its refreshes."
	case OfToken:
		return "That one alone; the next refresh gives another."
	case OfConsent:
		return "What that person has allowed that app, in all sessions and offline."
	case OfClient:
		return "All that this client has, of everybody, machine tokens included."
	case OfKey:
		return "All that this key has signed, machine tokens included. Refreshing goes on, with the next key."
	case OfBrowser:
		return "Pages that were open in that browser are void."
	case OfRealm:
		return "All there is, machine tokens included."
	case OfOrigin:
		return "What hangs on the sessions that were signed in through that provider, as far as its message names them: one session there, or all of that person's."
	case OfOriginAway:
		return "The same, and what was given in such sessions to be kept offline."
	case AtProvider:
		return "Nothing is done there by itself. The receipt names the provider, with the way to its sign-out and to take the consent back; the next trip there asks who it is."
	case TakenBack:
		return "The provider is told to forget each consent, again and again until it has confirmed or refused, or a week is over; the receipt says how far that is."
	}
	return ""
}
