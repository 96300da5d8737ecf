package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
	"exeunt.dev/ledger"
)

// Introspection without the network, of a token that this node has verified before and of one that it has not. What the second
// costs beside the check of the signature is the second less the first less jws.BenchmarkSigned.
func BenchmarkIntrospect(b *testing.B) {
	c := config.Default()
	c.Data, c.KeyFile, c.Listen = filepath.Join(b.TempDir(), "db"), filepath.Join(b.TempDir(), "key"), "127.0.0.1:0"
	s, err := New(b.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	base := s.Base()
	const api = "https://api.example.com"
	caller := idp.Client{ID: "api", Kind: idp.KindAPI, Name: "api", AuthMethod: idp.AuthBasic, Audiences: []string{api}}
	secret, err := base.AddClient(context.Background(), &caller)
	if err != nil {
		b.Fatal(err)
	}
	issuer := token.NewIssuer(c.Issuer, base.Ring)
	mint := func() string {
		now, _ := base.Store.Now()
		names := idp.NamesOf(ledger.NewName(), ledger.NewName(), ledger.NewName(), ledger.NewName(), ledger.NewName(), ledger.NewName(), ledger.NewName())
		raw, err := issuer.Access(&token.Access{Subject: ledger.NewName().String(), Client: "app", Audience: []string{api}, Scopes: []string{"openid", "orders:read"},
			Sid: ledger.NewName(), AuthTime: now, IssuedAt: now, Expires: now + 3_600_000, EndsWith: names})
		if err != nil {
			b.Fatal(err)
		}
		return raw
	}
	ask := func(b *testing.B, raw string) {
		r := httptest.NewRequest(http.MethodPost, c.Issuer+"/oauth2/introspect", strings.NewReader(url.Values{"token": {raw}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("api", secret)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if body, _ := io.ReadAll(w.Body); !strings.HasPrefix(string(body), `{"active":true`) {
			b.Fatal(string(body))
		}
	}
	b.Run("seen", func(b *testing.B) {
		raw := mint()
		b.ReportAllocs()
		for b.Loop() {
			ask(b, raw)
		}
	})
	b.Run("unseen", func(b *testing.B) {
		raw := make([]string, b.N)
		for i := range raw {
			raw[i] = mint()
		}
		b.ReportAllocs()
		b.ResetTimer()
		for _, r := range raw {
			ask(b, r)
		}
	})
}
