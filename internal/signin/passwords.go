package signin

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"golang.org/x/crypto/argon2"
)

// Cost of argon2id (RFC 9106 section 4, second recommendation, with less memory and more passes where that is asked for).
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// standardCost takes about 30 ms on one core.
func standardCost() Cost { return Cost{Memory: 19 * 1024, Passes: 2, Threads: 1} }

const saltSize, sumSize = 16, 32

// lineEach is how many strangers may wait for each slot: a second or two. The others are told to come back, for whoever has many addresses
// could else make everybody wait for minutes.
const lineEach = 64

// Passwords checks and makes passwords.
type Passwords struct {
	store   idp.Store
	cost    Cost
	slots   chan struct{} // bounds concurrent argon2
	line    chan struct{} // and how many strangers wait for that
	dummy   string
	mu      sync.Mutex
	costs   []Cost // that passwords are kept with, as far as this node knows; today's first
	learned bool   // from a sample of them
	address *edge.Limiter
	account *edge.Limiter

	// Knows gives a key to a browser in which this account has signed in before; nil: none is known.
	Knows func(*http.Request, idp.AccountID) string
	// Refuse says why a new password may not be chosen; about are names of its owner. nil: only its length counts.
	Refuse func(password string, about ...string) error
	// Failed is told of attempts with a wrong password, or a name that nobody has; nil: nobody is.
	Failed func(idp.Event)
}

// NewPasswords makes a checker. An attacker is slowed by address and by account. Browsers in which the owner has signed in
// before have attempts of their own, and wait in no line, so that nobody else can use them up: a person is never locked out by strangers.
func NewPasswords(store idp.Store) *Passwords {
	at := runtime.GOMAXPROCS(0)
	p := &Passwords{
		store: store, cost: standardCost(), slots: make(chan struct{}, at), line: make(chan struct{}, at*lineEach),
		address: edge.NewLimiter(2*time.Second, 30, 100_000),
		account: edge.NewLimiter(3*time.Second, 15, 100_000),
	}
	p.SetCost(p.cost)
	return p
}

// SetCost says what a new password costs; fields that are 0 keep the default. A password that was kept with less is kept anew when its owner signs in.
func (p *Passwords) SetCost(c Cost) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cost = Cost{cmp.Or(c.Memory, p.cost.Memory), cmp.Or(c.Passes, p.cost.Passes), cmp.Or(c.Threads, p.cost.Threads)}
	p.dummy = encodePHC(p.cost, make([]byte, saltSize), make([]byte, sumSize)) // nobody has this password: its sum is no hash
	p.costs, p.learned = []Cost{p.cost}, false
}

// Check finds out whose username and password these are. Errors: idp.ErrWrong, *idp.LimitedError, *idp.LockedError (told only after
// the right password), and the store's.
//
// R: the account's epochs are read together with its password, before the work begins, and are what a session is born
// under: a password that is being checked while it is changed makes nothing that lives.
func (p *Passwords) Check(ctx context.Context, r *http.Request, username, password string) (browser.Proof, error) {
	var none browser.Proof
	if len(password) > idp.MaxPassword || len(username) > 256 {
		return none, idp.ErrWrong
	}
	var a idp.Account
	var born idp.Epochs
	err := p.store.View(ctx, func(v idp.View) (err error) {
		if a, err = v.AccountByUsername(username); err != nil {
			return err
		}
		born, err = v.Epochs(a.ID, "")
		return err
	})
	known, stranger := err == nil, true
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return none, err
	}
	from, attempts := edge.Neighbourhood(edge.Client(r).IP), "name "+idp.FoldUsername(username)
	if known && p.Knows != nil {
		if browser := p.Knows(r, a.ID); browser != "" { // strangers behind the same address do not count either
			from, attempts, stranger = from+" "+string(a.ID), "known "+string(a.ID)+" "+browser, false
		}
	}
	if ok, wait := p.address.Allow(from); !ok {
		return none, &idp.LimitedError{Wait: wait}
	}
	if ok, wait := p.account.Allow(attempts); !ok {
		return none, &idp.LimitedError{Wait: wait}
	}
	if stranger {
		leave, err := p.queue()
		if err != nil {
			return none, err
		}
		defer leave()
	}
	phc := a.Password
	if !known || phc == "" {
		phc, known = p.dummy, false // the same work for a stranger's name
	}
	right, err := p.verify(ctx, phc, password)
	if err != nil {
		return none, err
	}
	if !known || !right || a.State == idp.AccountDeleted {
		p.failed(r, a.ID)
		return none, idp.ErrWrong
	}
	if born.Account.IsZero() {
		if born, err = door.OpenFor(ctx, p.store, &a, func(tx idp.Tx) (bool, error) {
			row, err := tx.Account(a.ID)
			return row.Password == a.Password, err
		}); err != nil {
			return none, err
		}
	}
	p.upgrade(ctx, &a, password)
	return browser.Proof{Account: a.ID, Born: born, Methods: []string{"pwd"}}, nil
}

// queue takes a stranger's place in the line. An *idp.LimitedError: it is full.
func (p *Passwords) queue() (leave func(), err error) {
	select {
	case p.line <- struct{}{}:
		return func() { <-p.line }, nil
	default:
		return nil, &idp.LimitedError{Wait: time.Second}
	}
}

// failed tells of an attempt. What was typed as a name that nobody has goes nowhere: it may be a password.
func (p *Passwords) failed(r *http.Request, id idp.AccountID) {
	if p.Failed != nil {
		p.Failed(idp.Event{Kind: idp.EventSignInFailed, Account: id, Actor: "stranger", IP: edge.Client(r).IP.String(), Device: r.UserAgent()})
	}
}

// Hash makes the PHC text of a new password, if it may be chosen; about are names of its owner.
func (p *Passwords) Hash(ctx context.Context, password string, about ...string) (string, error) {
	if err := idp.ValidPassword(password); err != nil {
		return "", err
	}
	if p.Refuse != nil {
		if err := p.Refuse(password, about...); err != nil {
			return "", err
		}
	}
	return p.hash(ctx, password)
}

func (p *Passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	sum, err := p.derive(ctx, p.cost, salt, password)
	if err != nil {
		return "", err
	}
	return encodePHC(p.cost, salt, sum), nil
}

func (p *Passwords) derive(ctx context.Context, c Cost, salt []byte, password string) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.slots }()
	return argon2.IDKey([]byte(password), salt, c.Passes, c.Memory, c.Threads, sumSize), nil
}

func encodePHC(c Cost, salt, sum []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Passes, c.Threads, b64(salt), b64(sum))
}

func decodePHC(text string) (c Cost, salt, sum []byte, err error) {
	broken := errors.New("a stored password is not in PHC form")
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, broken
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Passes, &c.Threads); err != nil || c.Passes == 0 || c.Threads == 0 {
		return c, nil, nil, broken
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	sum, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(sum) != sumSize {
		return c, nil, nil, broken
	}
	return c, salt, sum, nil
}
