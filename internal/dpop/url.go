package dpop

import (
	"net/url"
	"strings"
)

// Normal is an http(s) address as proofs are compared by it: without query and fragment (RFC 9449 section 4.3, 9), and with what
// RFC 3986 sections 6.2.2 and 6.2.3 normalise: case of scheme, host and percent-encodings, needless encodings, dot segments, the
// default port, and an empty path. false: it is no such address, or names a user.
func Normal(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" || strings.ContainsAny(raw, " \\") {
		return "", false
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme { // url.Parse has lowered it
	case "https":
		host = strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":")
	case "http":
		host = strings.TrimSuffix(strings.TrimSuffix(host, ":80"), ":")
	default:
		return "", false
	}
	if host == "" || strings.ContainsAny(host, "%<>\"") {
		return "", false
	}
	return u.Scheme + "://" + host + normalPath(u.EscapedPath()), true
}

func normalPath(path string) string {
	var out []string
	segments := strings.Split(strings.TrimPrefix(normalEscapes(path), "/"), "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case "..":
			out = out[:max(len(out)-1, 0)]
		case ".":
		default:
			out = append(out, s)
			continue
		}
		if last {
			out = append(out, "") // RFC 3986 section 5.2.4: "/a/." is "/a/"
		}
	}
	return "/" + strings.Join(out, "/")
}

// normalEscapes decodes what needs no encoding and writes the rest in capitals.
func normalEscapes(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	var out strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' || i+2 >= len(path) {
			out.WriteByte(path[i])
			continue
		}
		code := strings.ToUpper(path[i+1 : i+3])
		c := unhex(code[0])<<4 | unhex(code[1])
		if unreserved(c) {
			out.WriteByte(c)
		} else {
			out.WriteString("%" + code)
		}
		i += 2
	}
	return out.String()
}

func unhex(c byte) byte { // of a digit or a capital: url.Parse has refused everything else
	if c <= '9' {
		return c - '0'
	}
	return c - 'A' + 10
}

// unreserved is RFC 3986 section 2.3.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
