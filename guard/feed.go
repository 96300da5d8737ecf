package guard

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"exeunt.dev/ledger"
)

// feed is how the guard reaches the nodes.
type feed struct {
	client     *http.Client
	bases      []string
	id, secret string
}

func newFeed(conf settings) feed {
	c := http.Client{Transport: transport()}
	if conf.client != nil {
		c = *conf.client
	}
	c.Timeout = 0 // the tail never ends; every other call has a deadline of its own
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return feed{
		client: &c,
		bases:  conf.feeds,
		// RFC 6749 section 2.3.1: form-urlencoded first.
		id: url.QueryEscape(conf.id), secret: url.QueryEscape(conf.secret),
	}
}

// transport speaks HTTP/1.1 only. Over HTTP/2 question and tail would share a connection, and one that hangs would be
// used for the next question too.
func transport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if d, ok := http.DefaultTransport.(*http.Transport); ok {
		t = d.Clone()
	}
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	return t
}

// statusError is an answer other than 200.
type statusError struct {
	path   string
	status int
}

func (e statusError) Error() string {
	if e.status == http.StatusUnauthorized {
		return fmt.Sprintf("guard: %s answered 401: the credentials of this API are wrong", e.path)
	}
	return fmt.Sprintf("guard: %s answered %d %s", e.path, e.status, http.StatusText(e.status))
}

// call makes one request to node number n (they are gone round) and returns a 200 answer of the content type wanted.
// Anything else is an error: a login page of some proxy must not be read as a ledger.
func (f feed) call(ctx context.Context, n int, method, path string, body []byte, want string) (io.ReadCloser, error) {
	u := f.bases[n%len(f.bases)] + path
	req, err := http.NewRequestWithContext(ctx, method, u, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(f.id, f.secret)
	req.Header.Set("Accept", want)
	req.Header.Set("Cache-Control", "no-cache")
	if body != nil {
		req.Header.Set("Content-Type", want)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, statusError{path: req.URL.Path, status: resp.StatusCode}
	}
	if got := resp.Header.Get("Content-Type"); got != want {
		resp.Body.Close()
		return nil, fmt.Errorf("guard: %s answered with content type %q", req.URL.Path, got)
	}
	return resp.Body, nil
}

// beat asks one question.
func (f feed) beat(ctx context.Context, n int, q ledger.Question) (ledger.Answer, error) {
	body, err := f.call(ctx, n, http.MethodPost, ledger.PathBeat, ledger.AppendQuestion(nil, q), ledger.TypeBeat)
	if err != nil {
		return ledger.Answer{}, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, ledger.MaxAnswer+1))
	if err != nil {
		return ledger.Answer{}, fmt.Errorf("guard: %w", err)
	}
	return ledger.ParseAnswer(b)
}

// tail opens a tail. Silence longer than limit ends it.
func (f feed) tail(ctx context.Context, n int, from ledger.Hello, limit time.Duration) (*ledger.TailReader, io.Closer, error) {
	q := url.Values{
		ledger.ParamAfter:   {strconv.FormatUint(from.After, 10)},
		ledger.ParamLineage: {from.Lineage.String()},
	}
	body, err := f.lively(ctx, n, ledger.PathTail+"?"+q.Encode(), ledger.TypeTail, limit)
	if err != nil {
		return nil, nil, err
	}
	r, err := ledger.NewTailReader(body, from)
	if err != nil {
		body.Close()
		return nil, nil, err
	}
	return r, body, nil
}

// snapshot opens a snapshot. It may take as long as it needs while something comes.
func (f feed) snapshot(ctx context.Context, n int, limit time.Duration) (*ledger.SnapshotReader, io.Closer, error) {
	body, err := f.lively(ctx, n, ledger.PathSnapshot, ledger.TypeSnapshot, limit)
	if err != nil {
		return nil, nil, err
	}
	r, err := ledger.NewSnapshotReader(body)
	if err != nil {
		body.Close()
		return nil, nil, err
	}
	return r, body, nil
}

// lively is a GET whose answer is cut when nothing comes for longer than limit.
func (f feed) lively(ctx context.Context, n int, path, want string, limit time.Duration) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	l := &livelyBody{limit: limit, cancel: cancel}
	l.timer = time.AfterFunc(limit, func() { l.silent.Store(true); cancel() })
	body, err := f.call(ctx, n, http.MethodGet, path, nil, want)
	l.ReadCloser = body
	if err != nil {
		l.stop()
		return nil, l.explain(err)
	}
	return l, nil
}

type livelyBody struct {
	io.ReadCloser
	limit  time.Duration
	timer  *time.Timer
	cancel context.CancelFunc
	silent atomic.Bool
}

func (l *livelyBody) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if n > 0 {
		l.timer.Reset(l.limit)
	}
	return n, l.explain(err)
}

func (l *livelyBody) Close() error {
	l.stop()
	return l.ReadCloser.Close()
}

func (l *livelyBody) stop() {
	l.timer.Stop()
	l.cancel()
}

func (l *livelyBody) explain(err error) error {
	if err != nil && l.silent.Load() {
		return fmt.Errorf("guard: nothing heard for %s", l.limit)
	}
	return err
}
