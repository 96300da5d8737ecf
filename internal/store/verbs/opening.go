package verbs

// Opening says what a program may do to a database by opening it. The zero value is right for a server.
type Opening struct {
	There  bool // make none: idp.ErrNoDatabase
	AsItIs bool // do not bring it up to date: idp.ErrOlder
	Moved  bool // open also one that is another one now, for Export and HandOver
}
