package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/jws"
)

const (
	jwksPath    = "/.well-known/jwks.json"
	maxJWKS     = 256 << 10
	keysEvery   = time.Minute     // below the five minutes that the issuer lets its keys be cached
	keysAgain   = 2 * time.Second // the least time between two questions because of an unknown kid
	keysTimeout = 5 * time.Second
	keysWait    = 3 * time.Second // how long a request waits for them
)

var (
	errNoKeys   = errors.New("guard: keys could not be read")
	errNotSince = errors.New("guard: keys were not asked for since")
)

// keys are the issuer's public keys. They are asked for every minute and when a token names one that is not there; a
// key that is gone from the issuer's set is gone here within a minute, one that was killed is refused at once, by its
// name in the ledger.
type keys struct {
	feed  feed
	clock clock
	set   atomic.Pointer[jws.Set]

	mu     sync.Mutex
	asking *asking // the question under way
	asked  reading // when the last one ended
	failed bool    // how
	once   bool    // whether there was one
}

type asking struct {
	done chan struct{}
	err  error
}

func newKeys(f feed, c clock) *keys { return &keys{feed: f, clock: c} }

func (k *keys) held() bool { return k.set.Load() != nil }

// find looks for a key, and asks the issuer if it is unknown: one question at a time and not more often than every two
// seconds, so that made-up kids cannot be used to flood the issuer. ErrStale means that the issuer could not be asked, or
// was not since the token came: the token may be good, and signed by a key that is newer than the last answer.
func (k *keys) find(kid string) (jws.Key, error) {
	set := k.set.Load()
	if set == nil {
		return jws.Key{}, fmt.Errorf("%w: %w", ErrStale, errNoKeys)
	}
	if key, ok := set.Key(kid); ok {
		return key, nil
	}
	err := k.refresh()
	if key, ok := k.set.Load().Key(kid); ok {
		return key, nil
	}
	if err != nil {
		return jws.Key{}, fmt.Errorf("%w: %w", ErrStale, err)
	}
	return jws.Key{}, invalid("unknown key")
}

// refresh asks and waits. It does not ask if it did not long ago; and a question that is under way is waited for, but it was
// asked before whatever the caller has seen.
func (k *keys) refresh() error {
	k.mu.Lock()
	if k.asking == nil && k.once && k.clock().since(k.asked) < keysAgain {
		defer k.mu.Unlock()
		if k.failed {
			return errNoKeys
		}
		return errNotSince
	}
	under := k.asking != nil
	a := k.ask()
	k.mu.Unlock()
	select {
	case <-a.done:
		if a.err == nil && under {
			return errNotSince
		}
		return a.err
	case <-time.After(keysWait):
		return errNoKeys
	}
}

// renew asks for the keys without waiting for them; who needs one meanwhile waits for the answer.
func (k *keys) renew() *asking {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ask()
}

// ask returns the question under way, or begins one. It needs mu.
func (k *keys) ask() *asking {
	if k.asking != nil {
		return k.asking
	}
	a := &asking{done: make(chan struct{})}
	k.asking = a
	go func() {
		// Not the request's context: others wait for the same answer.
		ctx, cancel := context.WithTimeout(context.Background(), keysTimeout)
		defer cancel()
		set, err := k.fetch(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		if err == nil {
			k.set.Store(set)
		}
		a.err, k.failed = err, err != nil
		k.asking, k.asked, k.once = nil, k.clock(), true
		close(a.done)
	}()
	return a
}

// fetch asks the nodes in turn.
func (k *keys) fetch(ctx context.Context) (set *jws.Set, err error) {
	for _, base := range k.feed.bases {
		if set, err = k.fetchFrom(ctx, base); err == nil {
			return set, nil
		}
	}
	return nil, err
}

func (k *keys) fetchFrom(ctx context.Context, base string) (*jws.Set, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+jwksPath, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Cache-Control", "no-cache")
	resp, err := k.feed.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, statusError{path: req.URL.Path, status: resp.StatusCode}
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKS+1))
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	if len(b) > maxJWKS {
		return nil, errors.New("guard: key set too large")
	}
	set, err := jws.ParseSet(b)
	if err == nil && len(set.Keys()) == 0 {
		// Taking it would sign everybody out; an issuer that means that ends its keys.
		return nil, errNoKeys
	}
	return set, err
}

// keepKeys asks for keys until ctx ends.
func (g *Guard) keepKeys(ctx context.Context) {
	wait := backoff{from: 100 * time.Millisecond, to: 10 * time.Second}
	for {
		a := g.keys.renew()
		select {
		case <-a.done:
		case <-ctx.Done():
			return
		}
		pause := jitter(keysEvery)
		if a.err != nil {
			g.trouble(a.err)
			pause = wait.next()
		} else {
			wait.reset()
			g.news.tell()
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}
