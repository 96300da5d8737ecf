package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Result is one kind of sign-out, tried.
type Result struct {
	What    string        // was signed out
	Refused []string      // by what
	After   time.Duration // from sending the sign-out to the first refusal by the API
	Told    time.Duration // until the last app's own session was gone; 0: apps are not told of this
	Lived   []string      // rightly lived on
	Err     error         // nil: all as it should be
}

// MarshalJSON is for programs.
func (r Result) MarshalJSON() ([]byte, error) {
	out := struct {
		What    string   `json:"signed_out"`
		Refused []string `json:"refused_by"`
		After   float64  `json:"after_ms"`
		Told    float64  `json:"apps_told_ms,omitempty"`
		Lived   []string `json:"lived_on"`
		Failed  string   `json:"failed,omitempty"`
	}{r.What, append([]string{}, r.Refused...), milliseconds(r.After), milliseconds(r.Told), append([]string{}, r.Lived...), ""}
	if r.Err != nil {
		out.Failed = r.Err.Error()
	}
	return json.Marshal(out)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Print writes results as a table.
func Print(w io.Writer, results []Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SIGNED OUT\tREFUSED BY\tAFTER\tAPPS TOLD\tRIGHTLY LIVED ON\t")
	for _, r := range results {
		verdict := "ok"
		if r.Err != nil {
			verdict = "FAILED: " + r.Err.Error()
		}
		told := "–"
		if r.Told > 0 {
			told = fmt.Sprintf("%.1f ms", milliseconds(r.Told))
		}
		fmt.Fprintf(t, "%s\t%s\t%.1f ms\t%s\t%s\t%s\n", r.What, strings.Join(r.Refused, ", "), milliseconds(r.After), told, strings.Join(r.Lived, ", "), verdict)
	}
	return t.Flush()
}

// Failed says whether any of them did not do what it should.
func Failed(results []Result) bool {
	for _, r := range results {
		if r.Err != nil {
			return true
		}
	}
	return len(results) == 0
}

// within is how long a sign-out may take to reach the API. It is the guard's bound; normally it is milliseconds.
const within = 5 * time.Second

// hearing is how long an app may take to hear of it: that depends on the app, and normally is milliseconds, too.
const hearing = 20 * time.Second

// check is the state of one run: a person in two browsers, and somebody else who must notice nothing.
type check struct {
	d             *Demo
	one, two, bob *visitor
	books, news   *visit // of one
	other         *visit // of two, at Books
	bobs          *visit
}

// who is one app in one browser.
type who struct {
	name string
	by   func(*check) *visitor
	of   func(*check) **visit
	site int
}

var (
	oneBooks  = who{"Books here", func(c *check) *visitor { return c.one }, func(c *check) **visit { return &c.books }, 0}
	oneNews   = who{"News here", func(c *check) *visitor { return c.one }, func(c *check) **visit { return &c.news }, 1}
	twoBooks  = who{"the other browser", func(c *check) *visitor { return c.two }, func(c *check) **visit { return &c.other }, 0}
	bobsBooks = who{"the other person", func(c *check) *visitor { return c.bob }, func(c *check) **visit { return &c.bobs }, 0}
)

func everybody() []who { return []who{oneBooks, oneNews, twoBooks, bobsBooks} }

func (c *check) at(v who) *website { return c.d.sites[v.site] }

// knows says whether the website has a session of its own in that browser.
func (c *check) knows(ctx context.Context, v who) (bool, error) {
	return v.by(c).inside(ctx, c.at(v))
}

// admitted says whether the API admits the app's token.
func (c *check) admitted(ctx context.Context, v who) (bool, error) {
	return c.one.admits(ctx, (*v.of(c)).access)
}

func (d *Demo) newCheck() *check {
	return &check{d: d, one: d.visitor(d.Info.Username, d.Info.Password), two: d.visitor(d.Info.Username, d.Info.Password), bob: d.visitor(d.Info.SecondUsername, d.Info.SecondPassword)}
}

// Check does the whole main job: signs people in, calls the API, signs out in each way, and looks at what happened.
func (d *Demo) Check(ctx context.Context) []Result {
	c := d.newCheck()
	var out []Result
	for _, s := range c.steps() {
		r := Result{What: s.what}
		r.Err = c.arrive(ctx)
		if r.Err == nil {
			r.Err = c.step(ctx, s, &r)
		}
		out = append(out, r)
		if r.Err != nil {
			break // what follows would rest on a state that is not what it should be
		}
	}
	return out
}

// arrive signs everybody in, and makes sure that all works before anything ends.
func (c *check) arrive(ctx context.Context) (err error) {
	for _, v := range everybody() {
		if *v.of(c), err = v.by(c).signIn(ctx, c.at(v)); err != nil {
			return err
		}
		if ok, err := c.admitted(ctx, v); err != nil || !ok {
			return errors.Join(err, errors.New("the API Orders refuses a token that was just made"))
		}
	}
	return nil
}

// step does one sign-out and looks at all layers.
func (c *check) step(ctx context.Context, s step, r *Result) error {
	sent := time.Now()
	if err := s.act(ctx); err != nil {
		return err
	}
	for _, v := range s.ends {
		if err := c.gone(ctx, v); err != nil {
			return err
		}
		if r.After == 0 {
			r.After = time.Since(sent)
		}
	}
	if len(s.ends) > 0 {
		r.Refused = append(r.Refused, "API")
	}
	if s.told == nil {
		s.told = s.ends
	}
	if len(s.told) > 0 {
		if err := c.told(ctx, s); err != nil {
			return err
		}
		r.Told = time.Since(sent)
		r.Refused = append(r.Refused, "apps")
	}
	if s.refresh {
		for _, v := range s.ends {
			status, answer, err := c.at(v).refresh(ctx, (*v.of(c)).refresh)
			if err != nil {
				return err
			}
			if status != 400 || answer.Error != "invalid_grant" {
				return fmt.Errorf("a refresh token of what ended: %d %s", status, answer.Error)
			}
		}
		r.Refused = append(r.Refused, "token endpoint")
	}
	for name, want := range map[*visitor]*bool{c.one: s.here, c.two: s.there} {
		if want == nil {
			continue
		}
		got, err := name.here(ctx)
		if err != nil {
			return err
		}
		if got != *want {
			return fmt.Errorf("the browser is signed in: %v, and it should be %v", got, *want)
		}
	}
	if s.here != nil && !*s.here {
		r.Refused = append(r.Refused, "cookie")
	}
	return c.lived(ctx, s, r)
}

// told waits until the apps have ended their own sessions of what was signed out.
func (c *check) told(ctx context.Context, s step) error {
	for _, v := range s.told {
		for end := time.Now().Add(hearing); ; {
			in, err := c.knows(ctx, v)
			if err != nil {
				return err
			}
			if !in {
				break
			}
			if time.Now().After(end) {
				return fmt.Errorf("%s still knows who was signed out there", c.at(v).name)
			}
		}
	}
	return nil
}

// lived makes sure that nobody else was signed out.
func (c *check) lived(ctx context.Context, s step, r *Result) error {
	for _, v := range s.lives {
		ok, err := c.admitted(ctx, v)
		if err == nil && !ok {
			err = fmt.Errorf("the token of %s was signed out, too", v.name)
		}
		if err == nil {
			err = c.stayed(ctx, v)
		}
		if err != nil {
			return err
		}
		r.Lived = append(r.Lived, v.name)
	}
	if s.here != nil && *s.here {
		r.Lived = append(r.Lived, "this browser")
	}
	if s.after != nil {
		return s.after(ctx, r)
	}
	return nil
}

// stayed makes sure that a website was not told.
func (c *check) stayed(ctx context.Context, v who) error {
	in, err := c.knows(ctx, v)
	if err == nil && !in {
		err = fmt.Errorf("the app's own session of %s was ended, too", v.name)
	}
	return err
}

// gone waits until the API refuses a token, as revoked.
func (c *check) gone(ctx context.Context, v who) error {
	for end := time.Now().Add(within); ; {
		ok, err := c.admitted(ctx, v)
		if err != nil || !ok {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("the API Orders still admits a token of %s", v.name)
		}
	}
}
