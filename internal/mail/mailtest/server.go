// Package mailtest is a mail server for tests: a real one, on loopback, that keeps what it is given, and fails as it is told.
package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Options of a server.
type Options struct {
	TLS      bool // offers STARTTLS
	Implicit bool // speaks TLS from the first byte
	Username string
	Password string
}

// Server is a mail server.
type Server struct {
	Host  string
	Port  int
	Roots *x509.CertPool // of its certificate
	PEM   []byte         // the same

	options Options
	mu      sync.Mutex
	letters []Letter
	news    chan struct{}
	fail    []Failure
}

// Letter is what the server was given.
type Letter struct {
	From, To   string // of the envelope
	Header     mail.Header
	Subject    string
	Text, HTML string
	TLS        bool
	User       string // who had signed in
}

// Failure is what the server does with one letter in place of taking it.
type Failure struct {
	Mail, Rcpt, Data error // what it answers; nil: it goes on
	Drop             bool  // closes the connection when it has the whole letter; it keeps it if Keep
	Keep             bool
	Hang             func() // says nothing to MAIL until this returns
}

// Refuse is an answer with a code.
func Refuse(code int, message string) error { return &smtp.SMTPError{Code: code, Message: message} }

// Start starts one, which ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, options: o, news: make(chan struct{})}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: c}, nil }))
	server.Domain, server.AllowInsecureAuth = "mail.test", true
	server.ErrorLog = quiet{}
	if o.TLS || o.Implicit {
		config := s.certificate(t)
		if o.Implicit {
			l = tls.NewListener(l, config)
		} else {
			server.TLSConfig = config
		}
	}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return s
}

// Address is host:port.
func (s *Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Fail says what happens to the next letters, one after the other.
func (s *Server) Fail(f ...Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = append(s.fail, f...)
}

// Letters are those that it was given so far.
func (s *Server) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Letter(nil), s.letters...)
}

// Wait waits for the letter with this index.
func (s *Server) Wait(t testing.TB, index int) Letter {
	t.Helper()
	over := time.After(time.Minute)
	for {
		s.mu.Lock()
		news, n := s.news, len(s.letters)
		s.mu.Unlock()
		if n > index {
			return s.Letters()[index]
		}
		select {
		case <-news:
		case <-over:
			t.Fatalf("only %d letters came", n)
		}
	}
}

var link = regexp.MustCompile(`(?m)^(https?://\S+)$`)

// Link is the first address that stands on a line of its own.
func (l *Letter) Link() string {
	if m := link.FindStringSubmatch(l.Text); m != nil {
		return m[1]
	}
	return ""
}

func (s *Server) keep(l Letter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters = append(s.letters, l)
	close(s.news)
	s.news = make(chan struct{})
}

func (s *Server) next() (f Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fail) > 0 {
		f, s.fail = s.fail[0], s.fail[1:]
	}
	return f
}

type session struct {
	server *Server
	conn   *smtp.Conn
	user   string
	from   string
	to     string
	fail   Failure
}

func (s *session) AuthMechanisms() []string {
	if s.server.options.Username == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.options.Username || password != s.server.options.Password {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.options.Username != "" && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.fail = s.server.next()
	if s.fail.Hang != nil {
		s.fail.Hang()
	}
	s.from = from
	return s.fail.Mail
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.fail.Rcpt
}

func (s *session) Data(r io.Reader) error {
	l, err := read(r)
	if err != nil {
		return err
	}
	_, secured := s.conn.TLSConnectionState()
	l.From, l.To, l.TLS, l.User = s.from, s.to, secured, s.user
	if s.fail.Data != nil {
		return s.fail.Data
	}
	if !s.fail.Drop || s.fail.Keep {
		s.server.keep(l)
	}
	if s.fail.Drop {
		s.conn.Conn().Close()
		return errors.New("gone")
	}
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// read takes a letter of two parts apart.
func read(r io.Reader) (l Letter, err error) {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return l, err
	}
	l.Header = m.Header
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return l, err
	}
	kind, of, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return l, errors.Join(errors.New("a letter of another kind: "+kind), err)
	}
	for parts := multipart.NewReader(m.Body, of["boundary"]); ; {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return l, nil
		}
		if err != nil {
			return l, err
		}
		body := io.Reader(part)
		if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(part)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return l, err
		}
		plain := strings.ReplaceAll(string(text), "\r\n", "\n")
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.HTML = plain
		} else {
			l.Text = plain
		}
	}
}

func (s *Server) certificate(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(parsed)
	s.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}
