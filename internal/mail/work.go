package mail

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"exeunt.dev/internal/idp"
)

const (
	lookEvery  = time.Second
	atOnce     = 8
	leaseFor   = 2 * time.Minute // outlives any sending with its settlement
	sendWithin = 45 * time.Second
	stopWithin = 6 * time.Second
	waitFirst  = 5 * time.Second
	waitLonger = 15 * time.Minute
)

// Run sends what is due until ctx ends, and returns once what is under way is settled or, after a grace, broken off: it is due again later.
func (p *Post) Run(ctx context.Context) {
	if p == nil {
		<-ctx.Done()
		return
	}
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopWithin, stop) })()
	tick := time.NewTicker(lookEvery*3/4 + rand.N(lookEvery/4))
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-p.wake:
		case <-tick.C:
		}
		for more := true; more && ctx.Err() == nil; {
			n, err := p.round(ctx, sending)
			if err != nil && ctx.Err() == nil && !errors.Is(err, idp.ErrUnavailable) {
				p.log.Error("mail", "error", err)
			}
			more = n == atOnce && err == nil
		}
	}
}

// round leases some letters and sends them beside each other.
func (p *Post) round(ctx, sending context.Context) (int, error) {
	now, _ := p.store.Now()
	waiting := int64(0)
	if err := p.store.Look(ctx, func(v idp.View) (err error) { waiting, _, err = v.Mails(); return err }); err != nil || waiting == 0 {
		return 0, err
	}
	var due []idp.Mail
	if err := p.store.Update(ctx, func(tx idp.Tx) (err error) {
		due, err = tx.LeaseMails(now, now.Add(leaseFor), atOnce)
		return err
	}); err != nil {
		return 0, err
	}
	errs := make([]error, len(due))
	var all sync.WaitGroup
	for i := range due {
		all.Go(func() { errs[i] = p.deliver(sending, &due[i]) })
	}
	all.Wait()
	return len(due), errors.Join(errs...)
}

// deliver makes one attempt and settles it.
func (p *Post) deliver(ctx context.Context, m *idp.Mail) error {
	now, _ := p.store.Now()
	if now >= m.Until {
		return p.drop(ctx, m, "its time is over; the last answer: "+m.Error)
	}
	l, text, err := p.prepare(m)
	if err == nil {
		within, cancel := context.WithTimeout(ctx, sendWithin)
		err = p.server.send(within, m.ID, &l, text)
		cancel()
	}
	var refused *RefusedError
	switch {
	case err == nil:
		p.came("sent")
		return p.drop(ctx, m, "")
	case errors.As(err, &refused), errors.Is(err, errLetter):
		return p.drop(ctx, m, words(err, l.To))
	case ctx.Err() != nil:
		return nil // broken off: the lease ends, and it is due again
	}
	now, _ = p.store.Now()
	p.came("delayed")
	m.Error, m.Due = words(err, l.To), now.Add(wait(m.Attempts))
	p.log.Warn("a letter could not be sent, and is tried again", "kind", m.Kind, "account", string(m.Account), "attempts", m.Attempts, "why", m.Error)
	return p.store.Update(ctx, func(tx idp.Tx) error {
		_, err := tx.DelayMail(*m)
		return err
	})
}

func (p *Post) drop(ctx context.Context, m *idp.Mail, why string) error {
	if why != "" {
		p.came("given-up")
		p.log.Warn("a letter was not sent, and will not be", "kind", m.Kind, "account", string(m.Account), "attempts", m.Attempts, "why", why)
	}
	return p.store.Update(ctx, func(tx idp.Tx) error { return tx.DropMail(m.ID) })
}

// wait grows with each attempt.
func wait(attempts int) time.Duration {
	d := min(waitFirst<<min(attempts-1, 10), waitLonger)
	return d/2 + rand.N(d)
}

// words are what a log and a row may hold of an error: one line, without the address.
func words(err error, address string) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(err.Error(), "")), " ")
	if address != "" {
		s = strings.ReplaceAll(s, address, "the address")
	}
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "")
	}
	return strings.ReplaceAll(s, "\x00", "")
}
