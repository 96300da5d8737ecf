package server_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"testing"
)

// behind puts a real proxy in front of a server; headers is what it says of where a request comes from.
func behind(t *testing.T, listen string, headers func(*httputil.ProxyRequest)) string {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: listen}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); headers(r) }})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// appends is what a proxy does that is set up as it should be.
func appends(r *httputil.ProxyRequest) {
	r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
	r.SetXForwarded()
	r.Out.Header.Set("X-Forwarded-Proto", "https")
}

// dialFrom is a client at another address of this machine.
func dialFrom(t *testing.T, ip string) *http.Client {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("this machine has one loopback address")
	}
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Behind a proxy that is named: a real one, in front of a real server. The server sees the caller's address and https through it;
// what callers write themselves, to the proxy or straight to the server, is passed over.
func TestBehindProxy(t *testing.T) {
	c := settings(t, t.TempDir())
	c.Issuer = "https://id.example.com"
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	log := &lines{}
	stop := start(t, c, log)
	front := behind(t, c.Listen, appends)
	res, err := http.Get(front + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(body), `"issuer":"https://id.example.com"`) || strings.Contains(string(body), "127.0.0.1") {
		t.Errorf("the issuer as people see it: %s", body)
	}
	if res.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS")
	}
	from := func(client *http.Client, at, path, claims string) *http.Response {
		t.Helper()
		r, err := http.NewRequest("GET", at+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if claims != "" {
			r.Header.Set("X-Forwarded-For", claims)
		}
		r.Header.Set("Forwarded", "for=203.0.113.66")
		r.Header.Set("X-Real-IP", "203.0.113.66")
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	person := dialFrom(t, "127.0.0.3")
	from(person, front, "/healthz", "")
	from(person, front, "/login", "203.0.113.9") // what the caller says stands left of what the proxy saw
	from(person, front, "/account", "203.0.113.9, 127.0.0.1")
	stranger := from(dialFrom(t, "127.0.0.2"), "http://"+c.Listen, "/csrf_token/", "203.0.113.9")
	if all := strings.Join(stranger.Header.Values("Set-Cookie"), "\n"); !strings.Contains(all, "Secure") {
		t.Errorf("the issuer is https, whoever asks: %s", all)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"/healthz": "127.0.0.3", "/login": "127.0.0.3", "/account": "127.0.0.3", "/csrf_token/": "127.0.0.2"}
	for d := json.NewDecoder(strings.NewReader(log.String())); d.More(); {
		var event struct{ Msg, Path, IP string }
		if err := d.Decode(&event); err != nil {
			t.Fatal(err)
		}
		if ip, ok := want[event.Path]; ok && event.Msg == "request" {
			delete(want, event.Path)
			if event.IP != ip {
				t.Errorf("%s is taken to come from %s, want %s", event.Path, event.IP, ip)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("the log says nothing of %v", want)
	}
}

// Behind a proxy everybody may come from this machine, and the proxy need not say so: /metrics is on a listener of its own, or
// nowhere. Alone on a machine it is answered beside everything else.
func TestMetricsAreNotForTheWorld(t *testing.T) {
	alone := settings(t, t.TempDir())
	start(t, alone)
	if status, body := get(t, alone.Issuer+"/metrics"); status != 200 || !strings.Contains(body, "exeunt_endings_total 0") {
		t.Errorf("alone on this machine: %d", status)
	}
	for name, proxies := range map[string][]netip.Prefix{"http": {netip.MustParsePrefix("127.0.0.1/32")}, "https": nil} {
		c := settings(t, t.TempDir())
		c.TrustedProxies = proxies
		c.Issuer = name + "://localhost"
		c.MetricsListen = freeAddress(t)
		stop := start(t, c)
		silent := behind(t, c.Listen, func(*httputil.ProxyRequest) {})
		for _, at := range []string{silent, "http://" + c.Listen} {
			if status, body := get(t, at+"/metrics"); status != 404 || strings.Contains(body, "exeunt_") {
				t.Errorf("%s: %d", name, status)
			}
		}
		if status, body := get(t, "http://"+c.MetricsListen+"/metrics"); status != 200 || !strings.Contains(body, `exeunt_requests_total{route="none",status="404"} 2`) {
			t.Errorf("%s, on their own listener: %d %s", name, status, body)
		}
		if status, _ := get(t, "http://"+c.MetricsListen+"/login"); status != 404 {
			t.Errorf("their listener has something else: %d", status)
		}
		stop()
		c.MetricsListen = ""
		start(t, c)
		if status, _ := get(t, silent+"/metrics"); status != 404 {
			t.Errorf("%s, without a listener of their own: %d", name, status)
		}
	}
}
