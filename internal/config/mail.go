package config

import (
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
	"go.yaml.in/yaml/v4"
)

// Mail is the server that takes letters. The zero value: there is none, and what needs letters is off.
type Mail struct {
	Host     string
	Port     int
	TLS      string // starttls, implicit or none
	Username string
	Password string
	From     string
	RootFile string // whom its certificate must come from; "": whom the system trusts
}

// Passwords are an operator's rules for them.
type Passwords struct {
	Breached string // a sorted file of passwords, or of their SHA-1 hashes, that nobody may have; "": none
	Memory   uint32 // KiB that one argon2id takes; 0: the default
	Passes   uint32 // 0: the default
}

// Lock is when accounts are locked by rule.
type Lock struct {
	OnTheft bool          // when a refresh token is used twice
	For     time.Duration // for how long; 0: as long as a token may live, and a little longer
}

func (r *reader) path(file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(r.base, file)
}

func (r *reader) mail(key string, n *yaml.Node, m *Mail) {
	var smtp, passwordFile string
	m.TLS = "starttls"
	r.mapping(key, n, []field{
		{"smtp", r.into(&smtp)}, {"tls", r.into(&m.TLS)}, {"username", r.into(&m.Username)}, {"password_file", r.into(&passwordFile)}, {"from", r.into(&m.From)},
		{"root_file", r.into(&m.RootFile)},
	})
	line := func(of string) int {
		if at := r.lines[key+"."+of]; at != 0 {
			return at
		}
		return n.Line
	}
	host, port, err := net.SplitHostPort(smtp)
	number, err2 := strconv.ParseUint(port, 10, 16)
	if m.Host, m.Port = host, int(number); err != nil || err2 != nil || host == "" || number == 0 {
		r.wrong(line("smtp"), key+".smtp", strconv.Quote(smtp)+" is no address of a mail server", "write host:port, for example mail.example.com:587")
	}
	if a, err := mail.ParseAddress(m.From); err != nil || a.Address != m.From {
		r.wrong(line("from"), key+".from", strconv.Quote(m.From)+" is no mail address", "write the address that letters come from, for example exeunt@example.com")
	}
	switch m.TLS {
	case "starttls", "implicit":
	case "none":
		if !idp.LoopbackHost(host) {
			r.wrong(line("tls"), key+".tls", "the mail server is on another machine, and letters hold links that let people in", "write starttls or implicit")
		}
	default:
		r.wrong(line("tls"), key+".tls", strconv.Quote(m.TLS)+" is no kind of connection", "write starttls, implicit, or none for a mail server on this machine")
	}
	if (m.Username == "") != (passwordFile == "") {
		r.wrong(n.Line, key, "a username and a password belong together", "write username and password_file, or neither")
	}
	if passwordFile != "" {
		text, err := os.ReadFile(r.path(passwordFile))
		if m.Password = strings.TrimSpace(string(text)); err != nil || m.Password == "" {
			r.wrong(line("password_file"), key+".password_file", "the file cannot be read, or is empty", "put the password into "+passwordFile+", readable by the server only")
		}
	}
	if m.RootFile != "" {
		m.RootFile = r.path(m.RootFile)
	}
}

func (r *reader) passwords(key string, n *yaml.Node, p *Passwords) {
	cost := func(to *uint32, least, most uint64) func(string, *yaml.Node) {
		return func(key string, n *yaml.Node) {
			text, ok := r.text(key, n)
			if !ok {
				return
			}
			number, err := strconv.ParseUint(text, 10, 32)
			if err != nil || number < least || number > most {
				r.wrong(n.Line, key, strconv.Quote(text)+" is not from "+strconv.FormatUint(least, 10)+" to "+strconv.FormatUint(most, 10), "leave it out for the default")
				return
			}
			*to = uint32(number)
		}
	}
	r.mapping(key, n, []field{
		{"breached", r.into(&p.Breached)}, {"memory", cost(&p.Memory, 7*1024, 4*1024*1024)}, {"passes", cost(&p.Passes, 1, 100)},
	})
	if p.Breached == "" {
		return
	}
	p.Breached = r.path(p.Breached)
	if info, err := os.Stat(p.Breached); err != nil || !info.Mode().IsRegular() {
		r.wrong(r.lines[key+".breached"], key+".breached", "there is no file "+p.Breached, "docs/operations.md says where such files come from")
	}
}

func (r *reader) lock(key string, n *yaml.Node, l *Lock) {
	r.mapping(key, n, []field{
		{"on_refresh_theft", func(key string, n *yaml.Node) { r.truth(key, n, &l.OnTheft) }},
		{"for", func(key string, n *yaml.Node) { r.tryFor(key, n, &l.For) }},
	})
}
