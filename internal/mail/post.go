package mail

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/ledger"
)

// How many letters an address gets in an hour, from all nodes together: those of one kind that anybody can have sent, and those that tell
// of what has happened to the account.
const (
	strangersAnHour = 5
	oursAnHour      = 30
)

// keptFor is how long a letter is tried that says no other time.
const keptFor = 24 * time.Hour

// Post takes letters, and sends them while Run runs. A nil Post takes none.
type Post struct {
	store   idp.Store
	vault   *keys.Vault
	server  Server
	printer *printer
	log     *slog.Logger
	wake    chan struct{}

	// Observe is told what came of each attempt: sent, delayed, or given-up; nil: nobody is.
	Observe func(state string)
}

// New makes a post. say translates; nil: English.
func New(store idp.Store, vault *keys.Vault, server Server, site, issuer string, say Say, log *slog.Logger) (*Post, error) {
	if say == nil {
		say = English
	}
	p, err := newPrinter(site, issuer, say)
	if err != nil {
		return nil, err
	}
	return &Post{store: store, vault: vault, server: server, printer: p, log: log, wake: make(chan struct{}, 1)}, nil
}

// On says that letters can be sent at all.
func (p *Post) On() bool { return p != nil }

func about(id idp.Name) string { return "mail " + id.String() }

// Write puts a letter into the outbox of the transaction that causes it. until is when it is of no use any more; 0: a day. sent is
// false if nothing was written: there is no mail server, the account has no address, or the address has got enough in this hour.
// After commit, call Wake.
func (p *Post) Write(tx idp.Tx, now, until idp.Time, l Letter) (sent bool, err error) {
	if p == nil || l.To == "" {
		return false, nil
	}
	if err := ValidAddress(l.To); err != nil {
		return false, nil // nobody can be written to there
	}
	if over, err := p.enough(tx, now, &l); over || err != nil {
		return false, err
	}
	plain, err := json.Marshal(l)
	if err != nil {
		return false, err
	}
	if until == 0 {
		until = now.Add(keptFor)
	}
	id := ledger.NewName()
	return true, tx.InsertMail(idp.Mail{ID: id, Account: l.Account, Kind: l.Kind, Sealed: p.vault.Seal(plain, about(id)), CreatedAt: now, Until: until, Due: now})
}

// enough counts the letter, and says whether its address has got too many of its kind. The two are counted apart: else a stranger who asks
// for links keeps away the word that he has signed in, and a thief who changes much keeps away the link by which the account is recovered.
// What strangers ask for is counted by its kind: else who gives out the address as his own keeps away that link.
func (p *Post) enough(tx idp.Tx, now idp.Time, l *Letter) (bool, error) {
	which, most := "ours", int64(oursAnHour)
	if l.Stranger {
		which, most = "strangers "+l.Kind, strangersAnHour
	}
	n, err := tx.Tally(mailbox(which, l.To), now)
	return n > most, err
}

// mailbox is the key of an address. A letter to a+b@example.com usually comes to a@example.com.
func mailbox(which, address string) idp.Hash {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	local, _, _ = strings.Cut(local, "+")
	return sha256.Sum256([]byte("mail " + which + "\x00" + local + "@" + domain))
}

// Wake says that a letter was committed. It never blocks.
func (p *Post) Wake() {
	if p == nil {
		return
	}
	select {
	case p.wake <- struct{}{}:
	default: // it is awake already
	}
}

func (p *Post) came(state string) {
	if p.Observe != nil {
		p.Observe(state)
	}
}

func (p *Post) open(m *idp.Mail) (l Letter, err error) {
	plain, err := p.vault.Open(m.Sealed, about(m.ID))
	if err == nil {
		err = json.Unmarshal(plain, &l)
	}
	return l, err
}

var errLetter = errors.New("the letter cannot be read")

func (p *Post) prepare(m *idp.Mail) (l Letter, out printed, err error) {
	if l, err = p.open(m); err == nil {
		out, err = p.printer.print(&l)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", errLetter, err)
	}
	return l, out, err
}
