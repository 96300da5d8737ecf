package main

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
	"exeunt.dev/internal/token"
	"exeunt.dev/ledger"
)

type receiptCmd struct {
	List   receiptListCmd   `cmd:"" help:"List sign-outs, the newest first; with --json everything about each, for export."`
	Show   receiptShowCmd   `cmd:"" help:"Show what one sign-out ended, whom it told and what is owed."`
	Verify receiptVerifyCmd `cmd:"" help:"Say whether a signed receipt was signed here, and what it says."`
}

type receiptListCmd struct {
	Username string `arg:"" optional:"" help:"Of this person only."`
	Owed     bool   `help:"Those only of which apps are still to be told."`
	Limit    int    `help:"How many, 0 for all." default:"50"`
}

func (c *receiptListCmd) Run(w *world) error {
	if c.Limit < 0 {
		return usage("a list of "+strconv.Itoa(c.Limit), "write how many, 0 for all")
	}
	return w.with(func(b *server.Base) error {
		filter := idp.ReceiptFilter{Owed: c.Owed}
		if c.Username != "" {
			a, err := (&person{Username: c.Username}).find(w, b)
			if err != nil {
				return err
			}
			filter.Account = a.ID
		}
		out := w.list("NUMBER", "AT", "CAUSE", "PERSON", "BY", "SESSIONS", "APPS")
		now, _ := b.Store.Now()
		names := map[idp.AccountID]string{"": "-"}
		for left, before := c.Limit, uint64(0); ; {
			size := 200
			if c.Limit > 0 {
				size = min(size, left)
			}
			var rows []operate.Receipt
			err := b.Store.View(w.ctx, func(v idp.View) error {
				rows = nil
				all, err := v.FindReceipts(filter, before, size)
				for i := range all {
					r, err := operate.ShowReceipt(v, &all[i].Receipt, now)
					if err != nil {
						return err
					}
					if _, known := names[r.Subject]; !known {
						a, err := v.Account(r.Subject)
						if err != nil && !errors.Is(err, idp.ErrNotFound) {
							return err
						}
						names[r.Subject] = cmp.Or(a.Username, string(r.Subject))
					}
					rows = append(rows, r)
				}
				return err
			})
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := out.add(r, strconv.FormatUint(r.Number, 10), moment(r.EndedAt), string(r.Cause), names[r.Subject], string(r.Actor), strconv.FormatInt(r.Sessions, 10), apps(&r)); err != nil {
					return err
				}
				before = r.Number
			}
			left -= len(rows)
			if len(rows) < size || (c.Limit > 0 && left == 0) {
				return out.print(c.none())
			}
		}
	})
}

// none says that no receipt is like that.
func (c *receiptListCmd) none() string {
	whose := ""
	if c.Username != "" {
		whose = " of " + c.Username
	}
	if c.Owed {
		return "no sign-out" + whose + " owes anything"
	}
	return "nothing" + whose + " has ended"
}

func apps(r *operate.Receipt) string {
	var words []string
	for _, a := range r.Apps {
		words = append(words, fmt.Sprintf("%s %s", a.ClientID, a.State))
	}
	if r.Working {
		words = append(words, "working")
	}
	return strings.Join(words, ", ")
}

type receiptShowCmd struct {
	Number string `arg:"" help:"Its number, as receipt list shows it, or its address."`
}

func (c *receiptShowCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		now, _ := b.Store.Now()
		var r operate.ReceiptPage
		err := b.Store.View(w.ctx, func(v idp.View) error {
			var row idp.Receipt
			n, err := operate.Before(c.Number)
			if err == nil && n > 0 {
				row, err = v.ReceiptByNumber(n)
			} else {
				id, _, _ := strings.Cut(c.Number[strings.LastIndexByte(c.Number, '/')+1:], "?")
				row, err = v.Receipt(idp.ReceiptID(id))
			}
			if err != nil {
				return err
			}
			r, err = operate.ReadReceipt(v, &row, now, idp.Page{Limit: 1000})
			return err
		})
		if errors.Is(err, idp.ErrNotFound) {
			return idp.Advise(fmt.Errorf("there is no receipt %s", c.Number), "exeunt receipt list shows which there are")
		}
		if err != nil {
			return err
		}
		fields := [][]string{{"number", strconv.FormatUint(r.Number, 10)}, {"at", moment(r.EndedAt)}, {"cause", string(r.Cause)}, {"by", string(r.Actor)}, {"reason", r.Reason},
			{"sub", string(r.Subject)}, {"sessions", strconv.FormatInt(r.Sessions, 10)}, {"refresh families", strconv.FormatInt(r.Families, 10)}, {"other APIs until", moment(r.APIs)}}
		for _, a := range r.Apps {
			line := string(a.State)
			if a.Confirmed != nil {
				line += " at " + moment(*a.Confirmed)
			}
			if a.SignIns > 1 {
				line += fmt.Sprintf(", %d sign-ins", a.SignIns)
			}
			if a.Why != "" {
				line += ": " + a.Why
			}
			fields = append(fields, []string{"app " + string(a.ClientID), line})
		}
		for _, o := range r.Offline {
			fields = append(fields, []string{"stays offline", string(o.ClientID)})
		}
		for _, o := range r.Since {
			fields = append(fields, []string{"stayed offline, ended since", string(o.ClientID)})
		}
		for _, d := range r.Deliveries {
			fields = append(fields, []string{"delivery", d.ID + " " + string(d.ClientID) + " " + string(d.State)})
		}
		if r.Next != "" {
			fields = append(fields, []string{"delivery", "and more; exeunt delivery list shows what is owed"})
		}
		return w.show(r, fields...)
	})
}

type receiptVerifyCmd struct {
	File string `arg:"" help:"The signed receipt; - is standard input."`
	JWKS string `help:"The issuer's key set (its jwks_uri, saved to a file; - is standard input), instead of the keys of the configured database." placeholder:"FILE"`
}

func (c *receiptVerifyCmd) Run(w *world) error {
	if c.File == "-" && c.JWKS == "-" {
		return usage("both cannot come from standard input", "write one of them to a file")
	}
	text, err := w.read(c.File)
	if err != nil {
		return err
	}
	raw := strings.TrimSpace(string(text))
	find := w.keyOf
	if c.JWKS != "" {
		set, err := w.read(c.JWKS)
		if err != nil {
			return err
		}
		keys, err := jws.ParseSet(set)
		if err != nil {
			return usage(c.JWKS+" is no key set", "fetch it from the issuer's jwks_uri")
		}
		find = func(kid string) (jws.Key, error) {
			k, ok := keys.Key(kid)
			if !ok || k.For != string(idp.UseReceipt) { // whoever has another key could sign anything with it
				return k, errors.New("no key for receipts of this set has signed it")
			}
			return k, nil
		}
	}
	r, err := token.ReadReceipt(raw, find)
	if errors.Is(err, token.ErrInvalid) {
		return errors.New("this is no receipt that was signed here, or it was changed since")
	}
	if err != nil {
		return err
	}
	out := map[string]any{"valid": true, "issuer": r.Issuer, "issued_at": stamp(r.IssuedAt), "sub": r.Subject, "receipt": r.Body}
	if w.json {
		return printJSON(w.out, out)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, r.Body, "", "  "); err != nil {
		return err
	}
	whose := "no person"
	if r.Subject != "" {
		whose = "the person whose sub is " + r.Subject
	}
	return w.done(nil, "valid: signed by %s at %s, about %s\n%s", r.Issuer, stamp(r.IssuedAt), whose, pretty.String())
}

func (w *world) read(name string) ([]byte, error) {
	const most = 1 << 20
	if name == "-" {
		return io.ReadAll(io.LimitReader(w.in, most))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// keyOf finds a key that signs receipts, of whatever age. A killed one verifies nothing.
func (w *world) keyOf(kid string) (k jws.Key, err error) {
	unknown := errors.New("no key for receipts of this database has signed it")
	name, err := ledger.ParseName(kid)
	if err != nil {
		return k, unknown
	}
	err = w.with(func(b *server.Base) error {
		return b.Store.View(w.ctx, func(v idp.View) error {
			rows, err := v.Keys()
			if err != nil {
				return err
			}
			i := slices.IndexFunc(rows, func(k idp.Key) bool { return k.Kid == name && k.Use == idp.UseReceipt })
			if i < 0 {
				return unknown
			}
			over, err := v.Ended(name)
			if err != nil {
				return err
			}
			if len(over) > 0 {
				return errors.New("the key that signed it was killed: whoever had it could sign anything")
			}
			public, err := x509.ParsePKIXPublicKey(rows[i].Public)
			k = jws.Key{ID: kid, Alg: rows[i].Alg, Public: public}
			return err
		})
	})
	return k, err
}
