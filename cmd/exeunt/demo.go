package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"exeunt.dev/internal/demo"
)

type demoCmd struct {
	Data  string `help:"Folder to keep the data in; without it a temporary one." type:"path"`
	Port  int    `help:"Port of Exeunt and the others; without it free ones."`
	Check bool   `help:"Do the whole main job, print what refused what, and exit."`
}

// checkWithin bounds demo --check.
const checkWithin = 2 * time.Minute

func (x demoCmd) Run(r *run) error {
	d, err := demo.Start(context.WithoutCancel(r.ctx), demo.Options{Data: x.Data, Port: x.Port})
	if err != nil {
		return err
	}
	return errors.Join(x.show(r, d), d.Close())
}

func (x demoCmd) show(r *run, d *demo.Demo) error {
	if x.Check {
		ctx, cancel := context.WithTimeout(r.ctx, checkWithin)
		defer cancel()
		lines := d.Check(ctx)
		if r.json {
			if err := json.NewEncoder(r.out).Encode(lines); err != nil {
				return err
			}
			for _, l := range lines {
				if l.Problem != "" {
					return fmt.Errorf("%s: %s", l.Ended, l.Problem)
				}
			}
			return nil
		}
		if !demo.Print(r.out, lines) {
			return errors.New("something that should have been refused was not, or the other way round")
		}
		return nil
	}
	if r.json {
		if err := json.NewEncoder(r.out).Encode(d.Facts); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(r.out, `Exeunt is running, with two websites and an API.

  start here   %s
  Books        %s
  News         %s
  Orders (API) %s
  Exeunt       %s/account

  account      %s   password  %s
  another      %s     password  %s

Sign in to Books, open News, call Orders, sign out: and watch the start page.
Ctrl-C ends it and leaves nothing behind.
`, d.Start, d.Apps["books"], d.Apps["news"], d.API, d.Issuer, d.Username, d.Password, d.SecondUsername, d.SecondPassword)
	}
	select {
	case <-r.ctx.Done():
		return nil
	case err := <-d.Failed():
		return err
	}
}
