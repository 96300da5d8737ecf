package exeunttest

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"exeunt.dev/internal/jws"
	"exeunt.dev/ledger"
)

func (i *Issuer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", i.discovery)
	mux.HandleFunc("GET /.well-known/jwks.json", i.jwks)
	mux.HandleFunc("GET "+ledger.PathTail, i.forAPIs(i.tail))
	mux.HandleFunc("GET "+ledger.PathSnapshot, i.forAPIs(i.snapshot))
	mux.HandleFunc("POST "+ledger.PathBeat, i.forAPIs(i.beat))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		i.mu.Lock()
		down := i.down
		i.mu.Unlock()
		if down {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Handler is the issuer without a server, to put something in between.
func (i *Issuer) Handler() http.Handler { return i.handler }

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/.well-known/jwks.json"})
}

func (i *Issuer) jwks(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	set, err := jws.NewSet(i.public...)
	i.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	json.NewEncoder(w).Encode(set)
}

func (i *Issuer) forAPIs(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		id, err1 := url.QueryUnescape(id)
		secret, err2 := url.QueryUnescape(secret)
		if err1 != nil || err2 != nil || !same(id, i.ID) || !same(secret, i.Secret) {
			w.Header().Set("WWW-Authenticate", `Basic realm="ledger"`)
			http.Error(w, "credentials of an API are needed", http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (i *Issuer) snapshot(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	head := i.head()
	entries := slices.DeleteFunc(slices.Clone(i.entries), func(e ledger.Entry) bool {
		return e.Until != ledger.Forever && int64(e.Until)*1000 <= int64(head.Time)
	})
	i.mu.Unlock()
	slices.SortFunc(entries, func(a, b ledger.Entry) int { return a.Name.Compare(b.Name) })
	b, err := ledger.AppendSnapshot(nil, head, entries)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", ledger.TypeSnapshot)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b)
}

func (i *Issuer) beat(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(io.LimitReader(r.Body, ledger.QuestionSize+1))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	q, err := ledger.ParseQuestion(b)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if b, err = ledger.AppendAnswer(nil, i.answer(q)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", ledger.TypeBeat)
	w.Write(b)
}

func (i *Issuer) answer(q ledger.Question) ledger.Answer {
	i.mu.Lock()
	defer i.mu.Unlock()
	a := ledger.Answer{Nonce: q.Nonce, Head: i.head()}
	switch {
	case q.Lineage != i.lineage || q.After < i.retained:
		a.Snapshot = true
	case q.After < a.Head.Number:
		a.First = q.After + 1
		a.Entries = slices.Clone(i.entries[q.After:min(a.Head.Number, q.After+ledger.MaxEntries)])
		a.More = q.After+uint64(len(a.Entries)) < a.Head.Number
	}
	return a
}

func (i *Issuer) tail(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after, err1 := strconv.ParseUint(q.Get(ledger.ParamAfter), 10, 64)
	lineage, err2 := ledger.ParseLineage(q.Get(ledger.ParamLineage))
	if err1 != nil || err2 != nil {
		http.Error(w, "after and lineage are needed", http.StatusBadRequest)
		return
	}
	batch, changed, ok := i.since(lineage, after)
	if !ok {
		http.Error(w, "take a snapshot", ledger.StatusTakeSnapshot)
		return
	}
	w.Header().Set("Content-Type", ledger.TypeTail)
	out := ledger.AppendHello(nil, ledger.Hello{Lineage: lineage, After: after})
	ping := time.NewTicker(ledger.PingInterval)
	defer ping.Stop()
	for ok {
		out = ledger.AppendBatch(out, batch)
		if _, err := w.Write(out); err != nil {
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		after += uint64(len(batch.Entries))
		out = out[:0]
		select {
		case <-changed:
		case <-ping.C:
			out = ledger.AppendPing(out)
		case <-r.Context().Done():
			return
		}
		batch, changed, ok = i.since(lineage, after)
	}
}

// since is what a tail at after has to send next, and what to wait for then; not ok ends the tail.
func (i *Issuer) since(lineage ledger.Lineage, after uint64) (ledger.Batch, <-chan struct{}, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.down || lineage != i.lineage || after < i.retained || after > uint64(len(i.entries)) {
		return ledger.Batch{}, nil, false
	}
	return ledger.Batch{First: after + 1, Time: i.now, Entries: slices.Clone(i.entries[after:])}, i.changed, true
}
