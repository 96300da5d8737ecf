package exeunttest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"exeunt.dev/exeunttest"
	"exeunt.dev/internal/jws"
	"exeunt.dev/ledger"
)

// The feed as package ledger describes it, over HTTP, without a guard in between.
func TestFeedSpeaksTheWireFormat(t *testing.T) {
	iss := exeunttest.New(t)
	names := []ledger.Name{ledger.NewName(), ledger.NewName(), ledger.NewName()}
	iss.End(names[0])
	call := func(method, path string, body []byte, authenticate bool) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, iss.URL+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if authenticate {
			r.SetBasicAuth(url.QueryEscape(iss.ID), url.QueryEscape(iss.Secret))
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	head := iss.Head()
	tail := ledger.PathTail + "?after=0&lineage=" + head.Lineage.String()
	for path, method := range map[string]string{tail: "GET", ledger.PathSnapshot: "GET", ledger.PathBeat: "POST"} {
		if resp := call(method, path, nil, false); resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s without credentials: %d", path, resp.StatusCode)
		}
	}

	resp := call("GET", tail, nil, true)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != ledger.TypeTail {
		t.Fatalf("tail: %d %v", resp.StatusCode, resp.Header)
	}
	tr, err := ledger.NewTailReader(resp.Body, ledger.Hello{Lineage: head.Lineage})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range names {
		if i > 0 {
			iss.End(n)
		}
		if b, err := tr.Next(); err != nil || len(b.Entries) != 1 || b.Entries[0].Name != n || b.First != uint64(i)+1 {
			t.Fatalf("%d: %+v, %v", i, b, err)
		}
	}
	iss.End(names[0]) // over already
	if h := iss.Head(); h.Number != 3 {
		t.Errorf("ended twice: %+v", h)
	}

	q := ledger.Question{Nonce: ledger.NewNonce(), Lineage: head.Lineage, After: 1}
	b, err := io.ReadAll(call("POST", ledger.PathBeat, ledger.AppendQuestion(nil, q), true).Body)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := ledger.ParseAnswer(b); err != nil || a.Nonce != q.Nonce || a.First != 2 || len(a.Entries) != 2 || a.Head != iss.Head() {
		t.Errorf("beat: %+v, %v", a, err)
	}
	if resp := call("POST", ledger.PathBeat, b, true); resp.StatusCode != 400 {
		t.Errorf("not a question: %d", resp.StatusCode)
	}

	resp = call("GET", ledger.PathSnapshot, nil, true)
	if resp.ContentLength != ledger.SnapshotSize(3) || resp.Header.Get("Content-Type") != ledger.TypeSnapshot {
		t.Errorf("snapshot: %d bytes, %v", resp.ContentLength, resp.Header)
	}
	s, err := ledger.NewSnapshotReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if entries, err := s.Next(nil, 10); err != io.EOF || len(entries) != 3 || s.Head() != iss.Head() {
		t.Errorf("snapshot: %v, %v", entries, err)
	}

	iss.Forget()
	for path, want := range map[string]int{
		tail: 410,
		ledger.PathTail + "?after=9&lineage=" + head.Lineage.String():        410,
		ledger.PathTail + "?after=3&lineage=" + ledger.NewLineage().String(): 410,
		ledger.PathTail + "?after=-1&lineage=" + head.Lineage.String():       400,
		ledger.PathTail: 400,
	} {
		if resp := call("GET", path, nil, true); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	iss.SetDown(true)
	if b, err := tr.Next(); err != io.EOF {
		t.Errorf("a tail of an issuer that is down: %+v, %v", b, err)
	}
}

func TestDiscoveryAndKeys(t *testing.T) {
	iss := exeunttest.New(t)
	get := func(u string, v any) {
		t.Helper()
		resp, err := http.Get(u)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
			t.Fatal(err)
		}
	}
	var d struct {
		Issuer string
		JWKS   string `json:"jwks_uri"`
	}
	get(iss.URL+"/.well-known/openid-configuration", &d)
	if d.Issuer != iss.URL {
		t.Errorf("%+v", d)
	}
	var raw json.RawMessage
	get(d.JWKS, &raw)
	set, err := jws.ParseSet(raw)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := jws.Parse(iss.Token())
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := set.Key(msg.KeyID); !ok || msg.Verify(key) != nil {
		t.Error("the token does not verify")
	}
}
