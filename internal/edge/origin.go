package edge

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ErrOrigin says that a request that acts comes from elsewhere.
var ErrOrigin = errors.New("request from another origin")

// SameOrigin checks that a request that acts with a cookie comes from a page of ours: by Sec-Fetch-Site, which must say
// same-origin, else by Origin, which must be ours. A request with neither is no browser of today, and passes: it still
// needs the CSRF token, which only a page of ours and the holder of the cookie can have.
func SameOrigin(r *http.Request, origin string) error {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		if site == "same-origin" {
			return nil
		}
		return ErrOrigin
	}
	if given := r.Header.Get("Origin"); given != "" && given != origin {
		return ErrOrigin
	}
	return nil
}

// CORS answers browsers of other sites on endpoints that take no cookies. allow says which origins may read; nil: all.
// Credentials are never allowed.
func CORS(next http.Handler, allow func(origin string, r *http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		w.Header().Add("Vary", "Origin")
		if origin != "" && (allow == nil || allow(origin, r)) {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, DPoP-Nonce")
			if r.Method == http.MethodOptions {
				w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
				w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
				w.Header().Set("Access-Control-Max-Age", "600")
			}
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Info is where a request comes from.
type Info struct {
	IP    netip.Addr
	HTTPS bool
}

// Client returns where a request comes from, as Wrap found out.
func Client(r *http.Request) Info {
	if s := stateOf(r.Context()); s != nil {
		return s.info
	}
	return Info{IP: peer(r)}
}

func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// locate finds the caller's address: the peer, or, if that is a trusted proxy, the right-most address of X-Forwarded-For
// that is not one. What stands to the left of it is the caller's own invention.
func locate(r *http.Request, trusted []netip.Prefix) Info {
	info := Info{IP: peer(r), HTTPS: r.TLS != nil}
	isTrusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	if !isTrusted(info.IP) {
		return info
	}
	info.HTTPS = info.HTTPS || r.Header.Get("X-Forwarded-Proto") == "https"
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return info
		}
		info.IP = a.Unmap()
		if !isTrusted(info.IP) {
			return info
		}
	}
	return info
}
