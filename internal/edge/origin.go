package edge

import (
	"cmp"
	"errors"
	"net/http"
	"net/netip"

	"exeunt.dev/internal/caller"
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
				w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP, Idempotency-Key")
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

func peer(r *http.Request) netip.Addr { return caller.Peer(r.RemoteAddr) }

// locate finds the caller's address and whether the caller speaks https, by the header that trusted proxies write.
func locate(r *http.Request, o *Options) Info {
	info := Info{IP: peer(r), HTTPS: r.TLS != nil}
	if !caller.Trusts(o.Trusted, info.IP) {
		return info
	}
	header := cmp.Or(o.Proxies, caller.XForwardedFor)
	values := r.Header.Values(string(header))
	proto := r.Header.Get("X-Forwarded-Proto")
	if header == caller.Forwarded {
		proto, _ = caller.Parameter(caller.Last(values), "proto")
	}
	info.HTTPS = info.HTTPS || proto == "https"
	info.IP = caller.Address(info.IP, o.Trusted, header, values)
	return info
}
