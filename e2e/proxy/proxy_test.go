package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func target(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.URL.RequestURI()+" "+string(body)+r.Header.Get("X"))
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// ask is an exchange over a connection of its own.
func ask(url string, limit time.Duration) (string, error) {
	c := &http.Client{Timeout: limit, Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequest("POST", url, strings.NewReader("body"))
	if err != nil {
		return "", err
	}
	req.Header.Set("X", "!")
	res, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func TestLink(t *testing.T) {
	to := target(t)
	l, err := NewLink()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const whole, soon = "/a?b=c body!", 30 * time.Second
	if got, err := ask(l.URL()+"/a?b=c", soon); err == nil {
		t.Error("a line that leads nowhere answered", got)
	}
	l.Aim("127.0.0.1:1", to) // the first one refuses
	if got, err := ask(l.URL()+"/a?b=c", soon); got != whole {
		t.Errorf("%q, %v", got, err)
	}
	for name, c := range map[string]struct {
		spoil, mend func()
		least       time.Duration
	}{
		"delayed":   {func() { l.Delay(150 * time.Millisecond) }, func() { l.Delay(0) }, 300 * time.Millisecond},
		"throttled": {func() { l.Rate(400) }, func() { l.Rate(0) }, 150 * time.Millisecond},
	} {
		c.spoil()
		begun := time.Now()
		if got, err := ask(l.URL()+"/a?b=c", soon); got != whole || time.Since(begun) < c.least {
			t.Errorf("%s: %q, %v after %v", name, got, err, time.Since(begun))
		}
		c.mend()
	}
	l.Stalled.Store(true)
	if got, err := ask(l.URL(), 200*time.Millisecond); err == nil {
		t.Error("a stalled line answered", got)
	}
	late := make(chan error, 1)
	go func() {
		got, err := ask(l.URL()+"/a?b=c", soon)
		if got != whole && err == nil {
			err = errors.New(got)
		}
		late <- err
	}()
	l.Stalled.Store(false)
	if err := <-late; err != nil {
		t.Error("nothing may break on a stalled line:", err)
	}
	go func() { time.Sleep(20 * time.Millisecond); l.Aim() }()
	l.Stalled.Store(true)
	if got, err := ask(l.URL(), soon); err == nil {
		t.Error("a line that was cut answered", got)
	}
}

func TestExchanges(t *testing.T) {
	real := func(e *Exchange) io.Reader { return e.Real() }
	p, err := NewExchanges(target(t), real)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	const soon = 30 * time.Second
	if got, err := ask(p.URL()+"/me/a?b=c", soon); got != "/a?b=c body!" {
		t.Errorf("%q, %v", got, err)
	}
	var kept []byte
	var who string
	p.Rule(func(e *Exchange) io.Reader {
		kept, _ = io.ReadAll(e.Real())
		who = e.Who
		return bytes.NewReader(kept)
	})
	if got, err := ask(p.URL()+"/me/first", soon); got != "/first body!" || who != "me" {
		t.Errorf("%q of %q, %v", got, who, err)
	}
	p.Rule(func(*Exchange) io.Reader { return bytes.NewReader(kept) })
	if got, err := ask(p.URL()+"/me/second", soon); got != "/first body!" {
		t.Errorf("the old answer was not given again: %q, %v", got, err)
	}
	for at := range kept { // an answer that is cut is never a whole one
		p.Rule(func(*Exchange) io.Reader { return bytes.NewReader(kept[:at]) })
		if got, err := ask(p.URL()+"/me/third", soon); err == nil {
			t.Fatalf("cut at byte %d of %d: %q", at, len(kept), got)
		}
	}
	gone := make(chan struct{})
	p.Rule(func(e *Exchange) io.Reader { <-e.Gone(); close(gone); return nil })
	if _, err := ask(p.URL()+"/me/fourth", 50*time.Millisecond); err == nil {
		t.Error("an answer from nobody")
	}
	<-gone
}
