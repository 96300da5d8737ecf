package rooms_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes traces by OTLP/HTTP.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	raw   bytes.Buffer
	spans []*tracepb.Span
	come  chan struct{}
}

func newCollector(t *testing.T) *collector {
	c := &collector{come: make(chan struct{}, 1)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var in tracepb.TracesData
		if err != nil || r.Method != "POST" || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &in) != nil {
			t.Errorf("%s %s %s: %v", r.Method, r.URL, r.Header, err)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw.Write(body)
		for _, resource := range in.ResourceSpans {
			if a := resource.Resource.Attributes; len(a) != 1 || a[0].Key != "service.name" || a[0].Value.GetStringValue() != "exeunt" {
				t.Errorf("resource: %v", a)
			}
			for _, scope := range resource.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
		select {
		case c.come <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// wait waits for a span of that name, with whatever came before it.
func (c *collector) wait(t *testing.T, name string) []*tracepb.Span {
	t.Helper()
	late := time.After(2 * time.Minute)
	for {
		c.mu.Lock()
		spans := slices.Clone(c.spans)
		c.mu.Unlock()
		if slices.ContainsFunc(spans, func(s *tracepb.Span) bool { return s.Name == name }) {
			return spans
		}
		select {
		case <-c.come:
		case <-late:
			t.Fatalf("no span %q in %v", name, spans)
		}
	}
}

// A sign-in, an app and a sign-out, as a collector sees them: routes and times, and nothing that belongs to anybody.
func TestTraces(t *testing.T) {
	c := newCollector(t)
	n := start(t, func(conf *config.Config) {
		conf.Tracing = config.Tracing{Endpoint: c.URL + "/v1/traces", Sample: 1}
		conf.Outbound = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	})
	told := make(chan http.Header, 1)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.Header }))
	t.Cleanup(app.Close)
	listens := &idp.Client{ID: "listens", Name: "Listens", Kind: idp.KindWeb, FirstParty: true, RedirectURIs: []string{"https://listens.test/cb"}, AuthMethod: idp.AuthBasic,
		GrantTypes: []string{"authorization_code"}, Scopes: []string{"openid", "profile"}, BackchannelLogoutURI: strings.Replace(app.URL, "127.0.0.1", "localhost", 1) + "/where?it=listens"}
	var err error
	if n.secrets["listens"], err = n.server.AddClient(t.Context(), listens); err != nil {
		t.Fatal(err)
	}
	p := n.alice()
	books := p.enter("books")
	p.enter("listens")
	if !n.alive(books.Access) || !n.refreshes("books", books) {
		t.Fatal("the tokens do not work")
	}
	secrets := []string{alicePW, "alice", verifier, n.secrets["books"], "listens", books.Access, books.Refresh, books.ID, "books", p.cookie("exeunt"), p.cookie("exeunt-browser"), "127.0.0.1"}
	page := p.get("/logout?id_token_hint=" + books.ID + "&state=mystate")
	secrets = append(secrets, "mystate")
	// What a stranger writes is his own: it goes nowhere.
	const traceID, parentID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	stranger := n.person()
	stranger.do("GET", "/no/such/stranger?q=stranger", "", map[string]string{"User-Agent": "stranger"})
	stranger.do("STRANGER", "/stranger", "", nil)
	stranger.do("GET", "/session/", "", map[string]string{"traceparent": "00-" + traceID + "-" + parentID + "-00", "tracestate": "stranger=1", "baggage": "stranger=1"})
	secrets = append(secrets, "stranger", "STRANGER")
	receipt := page
	if receipt.location == "" {
		receipt = p.post("/logout", fields(page.body))
	}
	if id := strings.TrimPrefix(receipt.location, "/signout/"); id != receipt.location {
		secrets = append(secrets, id)
		p.get(receipt.location)
	}
	if p.user() != "" {
		t.Fatal("still signed in")
	}
	if header := <-told; header.Get("Traceparent") != "" {
		t.Error("an app is told of a trace")
	}
	p.get("/healthz")

	c.wait(t, "call")
	all := c.wait(t, "GET /healthz")
	known := []string{"http.route", "http.request.method", "http.response.status_code", "exeunt.request"}
	route := regexp.MustCompile(`^((GET|POST|HEAD) )?/[A-Za-z0-9_./{}$-]*$|^none$`)
	requests, seen, joined := map[string]*tracepb.Span{}, map[string]bool{}, false
	for _, s := range all {
		if s.Kind == tracepb.Span_SPAN_KIND_SERVER {
			requests[string(s.SpanId)] = s
		}
	}
	all = slices.DeleteFunc(all, func(s *tracepb.Span) bool {
		if s.Name != "call" {
			return false
		}
		if a := s.Attributes; len(a) != 2 || a[0].Key != "server.address" || a[0].Value.GetStringValue() != "localhost" || a[1].Value.GetIntValue() != 200 || len(s.ParentSpanId) > 0 {
			t.Errorf("a call: %v", s)
		}
		return true
	})
	for _, s := range all {
		for _, a := range s.Attributes {
			if !slices.Contains(known, a.Key) {
				t.Errorf("%s has the attribute %s", s.Name, a)
			}
		}
		if len(s.Events) > 0 || len(s.Links) > 0 || s.TraceState != "" || s.Status.GetMessage() != "" {
			t.Errorf("%s says more: %v", s.Name, s)
		}
		if requests[string(s.SpanId)] != nil {
			seen[s.Name] = true
			if !route.MatchString(s.Name) {
				t.Errorf("a span is named %q", s.Name)
			}
			if string(s.TraceId) == unhex(t, traceID) {
				joined = string(s.ParentSpanId) == unhex(t, parentID) && s.Name == "GET /session/{$}"
			} else if len(s.ParentSpanId) > 0 {
				t.Errorf("%s has a parent", s.Name)
			}
			continue
		}
		above := requests[string(s.ParentSpanId)]
		if above == nil || !slices.Contains([]string{"store update", "store decide", "store view", "store look"}, s.Name) || !bytes.Equal(s.TraceId, above.TraceId) {
			t.Errorf("%s is beneath %v", s.Name, above)
			continue
		}
		seen[above.Name+" > "+s.Name] = true
	}
	for _, want := range []string{"GET /login", "POST /login", "POST /login > store update", "GET /oauth2/authorize", "POST /oauth2/token", "POST /oauth2/token > store update", "none", "GET /logout > store decide"} {
		if !seen[want] {
			t.Errorf("no span %q in %v", want, seen)
		}
	}
	if !joined {
		t.Error("the caller's trace does not go on")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, secret := range secrets {
		if secret == "" || bytes.Contains(c.raw.Bytes(), []byte(secret)) {
			t.Errorf("the collector knows %q", secret)
		}
	}
}

func unhex(t *testing.T, s string) string {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
