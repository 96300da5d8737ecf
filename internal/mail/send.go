package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"exeunt.dev/internal/idp"
	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// Server is the mail server that takes our letters.
type Server struct {
	Host     string
	Port     int
	Implicit bool // TLS from the first byte (RFC 8314)
	Plain    bool // no TLS; package config allows it on this machine only. Neither: STARTTLS, and nothing is sent without it
	Username string
	Password string
	From     string // the address that people see
	FromName string
	Issuer   string         // whose host is said in EHLO and in Message-ID
	Roots    *x509.CertPool // nil: the system's
}

// RefusedError says that the server will not take this letter, however often it is asked.
type RefusedError struct{ err error }

func (e *RefusedError) Error() string { return e.err.Error() }
func (e *RefusedError) Unwrap() error { return e.err }

func (s *Server) send(ctx context.Context, id idp.Name, l *Letter, text printed) error {
	m, err := s.message(id, l, text)
	if err != nil {
		return &RefusedError{err}
	}
	tie := &tie{tls: s.Implicit, config: &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}}
	defer tie.close()
	defer context.AfterFunc(ctx, tie.close)() // a server that says nothing is left
	c, err := s.client(tie)
	if err != nil {
		return err
	}
	if err := c.DialWithContext(ctx); err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	err = c.Send(m)
	if m.IsDelivered() {
		_ = c.Close() // it has the letter; what it says to QUIT does not matter
		return nil
	}
	var failed *mail.SendError
	if errors.As(err, &failed) && failed.ErrorCode() >= 500 && !failed.IsTemp() {
		return &RefusedError{err}
	}
	if err == nil {
		err = errors.New("the letter was not taken")
	}
	return err
}

func (s *Server) client(t *tie) (*mail.Client, error) {
	home, err := url.Parse(s.Issuer)
	if err != nil {
		return nil, err
	}
	options := []mail.Option{
		mail.WithPort(s.Port), mail.WithTimeout(sendWithin), mail.WithHELO(helo(home.Hostname())), mail.WithTLSConfig(t.config), mail.WithDialContextFunc(t.dial),
	}
	if s.Plain || s.Implicit {
		options = append(options, mail.WithTLSPolicy(mail.NoTLS)) // there is nothing to be started
	} else {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.Username != "" {
		options = append(options, mail.WithSMTPAuthCustom(&login{user: s.Username, password: s.Password, host: s.Host}))
	}
	return mail.NewClient(s.Host, options...)
}

// helo is how we call ourselves: a name, or an address in brackets (RFC 5321 section 4.1.3).
func helo(host string) string {
	if ip := net.ParseIP(host); ip == nil {
		return host
	} else if ip.To4() == nil {
		return "[IPv6:" + host + "]"
	}
	return "[" + host + "]"
}

func (s *Server) message(id idp.Name, l *Letter, text printed) (*mail.Msg, error) {
	if err := errors.Join(ValidAddress(l.To), ValidAddress(s.From), oneLine(s.FromName), oneLine(text.subject)); err != nil {
		return nil, err
	}
	home, err := url.Parse(s.Issuer)
	if err != nil {
		return nil, err
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := errors.Join(m.FromFormat(s.FromName, s.From), m.To(l.To)); err != nil {
		return nil, err
	}
	m.Subject(text.subject)
	m.SetDateWithValue(time.Now())
	m.SetMessageIDWithValue(id.String() + "@" + home.Hostname()) // the same at each attempt: a letter that comes twice is known as one
	m.SetGenHeader("Auto-Submitted", "auto-generated")           // RFC 3834: no answers of absence
	m.SetBodyString(mail.TypeTextPlain, text.text)
	m.AddAlternativeString(mail.TypeTextHTML, text.html)
	return m, nil
}

// tie is the connection of one letter, closed whatever becomes of it.
type tie struct {
	tls    bool
	config *tls.Config

	mu   sync.Mutex
	conn net.Conn
	over bool
}

func (t *tie) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.conn = c
	over := t.over
	t.mu.Unlock()
	if over {
		c.Close()
		return nil, context.Canceled
	}
	if !t.tls {
		return c, nil
	}
	inside := tls.Client(c, t.config)
	return inside, inside.HandshakeContext(ctx)
}

func (t *tie) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	if t.conn != nil {
		t.conn.Close()
	}
}

// login speaks PLAIN, or LOGIN where there is nothing better. Both show the password to the server: the connection is TLS, or stays on
// this machine.
type login struct {
	user, password, host string
	smtp.Auth
}

func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	switch {
	case slices.Contains(server.Auth, "PLAIN"):
		l.Auth = smtp.PlainAuth("", l.user, l.password, l.host, true)
	case slices.Contains(server.Auth, "LOGIN"):
		l.Auth = smtp.LoginAuth(l.user, l.password, l.host, true)
	default:
		return "", nil, errors.New("the server offers neither PLAIN nor LOGIN: " + strconv.Quote(fmt.Sprint(server.Auth)))
	}
	return l.Auth.Start(server)
}
