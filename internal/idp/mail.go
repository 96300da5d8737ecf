package idp

// Mail is a letter in the outbox. It is written with what causes it, and gone once it is sent or its time is over.
type Mail struct {
	ID        Name
	Account   AccountID // whose, for operators; the address is in the letter
	Kind      string
	Sealed    []byte // the letter, encrypted by the vault
	CreatedAt Time
	Until     Time // when it is given up
	Due       Time // of the next attempt, or until when an attempt is leased
	Attempts  int
	Error     string // why the last attempt came to nothing
}

// MailReader reads the outbox.
type MailReader interface {
	// Mails counts what waits in the outbox, and says when the oldest was written; 0: there is none.
	Mails() (waiting int64, oldest Time, err error)
}

// MailWriter works the outbox off.
type MailWriter interface {
	InsertMail(Mail) error
	// LeaseMails takes what is due, oldest first, what others hold left out: it is due again at until, and an attempt more is counted.
	LeaseMails(now, until Time, limit int) ([]Mail, error)
	// DelayMail writes when a leased letter is due again, and why; false: the lease was lost.
	DelayMail(Mail) (bool, error)
	DropMail(Name) error
	// Tally counts one more of the key in the hour that now is in, and says how many there have been in it.
	Tally(key Hash, now Time) (int64, error)
}
