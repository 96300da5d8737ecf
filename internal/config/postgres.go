package config

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// postgres reads the address of the database that nodes share. The password may lie in a file of its own.
func (r *reader) postgres(key string, n *yaml.Node, to *Postgres) {
	var address, file string
	r.mapping(key, n, []field{
		{"url", r.into(&address)},
		{"password_file", r.into(&file)},
		{"connections", func(key string, n *yaml.Node) {
			text, _ := r.text(key, n)
			count, err := strconv.Atoi(text)
			if err != nil || count < 2 || count > 1000 {
				r.wrong(n.Line, key, strconv.Quote(text)+" is no number of connections", "write a number from 2 to 1000; the server's max_connections is for all nodes together")
				return
			}
			to.Connections = count
		}},
	})
	const like = "write for example postgres://exeunt@db.example.com/exeunt?sslmode=verify-full"
	if address == "" {
		r.wrong(n.Line, key, "url is missing", like)
		return
	}
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || strings.Trim(u.Path, "/") == "" {
		r.wrong(n.Line, key+".url", "this is not the address of a database", like)
		return
	}
	if mode := u.Query().Get("sslmode"); !slices.Contains([]string{"verify-full", "verify-ca"}, mode) && !nearby(u) {
		r.wrong(n.Line, key+".url", "the database is on another machine, and nothing says that its certificate is checked", "add ?sslmode=verify-full (and sslrootcert=FILE for a certificate of your own)")
		return
	}
	if file != "" {
		if !filepath.IsAbs(file) {
			file = filepath.Join(r.base, file)
		}
		secret, err := os.ReadFile(file)
		if err != nil || strings.TrimSpace(string(secret)) == "" {
			r.wrong(n.Line, key+".password_file", "the file cannot be read, or is empty", "put the password into "+file+", readable by the server only")
			return
		}
		u.User = url.UserPassword(u.User.Username(), strings.TrimSpace(string(secret)))
	}
	to.URL = u.String()
}

// nearby says that all hosts of the address are this machine.
func nearby(u *url.URL) bool {
	for _, h := range strings.Split(u.Host, ",") {
		if host, _, err := net.SplitHostPort(h); err == nil {
			h = host
		}
		a, err := netip.ParseAddr(strings.Trim(h, "[]"))
		if h != "" && h != "localhost" && (err != nil || !a.IsLoopback()) {
			return false
		}
	}
	return u.Host != "" || u.Query().Get("host") == "" || strings.HasPrefix(u.Query().Get("host"), "/")
}
