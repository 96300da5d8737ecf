package feed

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"exeunt.dev/internal/idp"
)

// Guard is a client that follows the ledger at this node, as operators see it.
type Guard struct {
	Client  idp.ClientID
	Streams int
	Behind  uint64    // entries that the slowest stream has not been sent
	Asked   time.Time // when it last asked whether it is fresh; zero: not lately
}

// askedLately is how long a question says that its guard is there: longer than any guard lets pass between two.
const askedLately = time.Minute

// crowd knows who is there.
type crowd struct {
	mu    sync.Mutex
	tails map[*tailWriter]idp.ClientID
	asked map[idp.ClientID]time.Time
}

// who is the client of a request that authenticate has let in.
func who(r *http.Request) idp.ClientID {
	user, _, _ := r.BasicAuth()
	id, _ := url.QueryUnescape(user)
	return idp.ClientID(id)
}

func (c *crowd) enter(t *tailWriter, id idp.ClientID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tails == nil {
		c.tails = map[*tailWriter]idp.ClientID{}
	}
	c.tails[t] = id
}

func (c *crowd) leave(t *tailWriter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tails, t)
}

func (c *crowd) asks(id idp.ClientID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		c.asked = map[idp.ClientID]time.Time{}
	}
	c.asked[id] = time.Now() // clients of kind api are made by operators: there are few
}

// Guards lists who follows the ledger at this node.
func (f *Feed) Guards() []Guard {
	end := uint64(0)
	if l := f.end.Load(); l != nil {
		end = l.last
	}
	f.crowd.mu.Lock()
	defer f.crowd.mu.Unlock()
	all := map[idp.ClientID]*Guard{}
	of := func(id idp.ClientID) *Guard {
		if all[id] == nil {
			all[id] = &Guard{Client: id}
		}
		return all[id]
	}
	for t, id := range f.crowd.tails {
		g := of(id)
		g.Streams++
		if sent := t.reached.Load(); sent < end {
			g.Behind = max(g.Behind, end-sent)
		}
	}
	for id, at := range f.crowd.asked {
		if time.Since(at) > askedLately {
			delete(f.crowd.asked, id)
			continue
		}
		of(id).Asked = at
	}
	out := make([]Guard, 0, len(all))
	for _, g := range all {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b Guard) int { return strings.Compare(string(a.Client), string(b.Client)) })
	return out
}
