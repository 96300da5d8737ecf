package config

import (
	"strings"
	"testing"
)

func TestExampleWorks(t *testing.T) {
	c, err := Parse("/tmp/exeunt.yaml", []byte(Example()))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	if c.Lifetimes != want.Lifetimes || c.Issuer != "http://127.0.0.1:8080" {
		t.Errorf("the example is not the default: %+v", c)
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"issuer: http://127.0.0.1:1\nisuer: x\n":                                                   "exeunt.yaml:2: ",
		"name: x\n":                                                                                "issuer: is missing",
		"issuer: http://id.example.com\n":                                                          ":1: issuer: must be https",
		"issuer: https://id.example.com/\n":                                                        "without path",
		"issuer: https://id.example.com\n":                                                         "tls: is missing",
		"issuer: http://127.0.0.1:1\n\nlisten: here\n":                                             ":3: listen",
		"issuer: http://127.0.0.1:1\nsigning_algs: [HS256]\n":                                      ":2: signing_algs",
		"issuer: http://127.0.0.1:1\nlifetimes:\n  access_token: 48h\n":                            ":3: lifetimes.access_token",
		"issuer: http://127.0.0.1:1\nlifetimes:\n  access_token: long\n":                           ":3: ",
		"issuer: http://127.0.0.1:1\ntrusted_proxies: [proxy]\n":                                   ":2: trusted_proxies",
		"issuer: http://127.0.0.1:1\nregistration:\n  initial_access_token_file: /nowhere/there\n": ":3: registration",
		"issuer: http://127.0.0.1:1\nissuer: http://127.0.0.1:2\n":                                 "exeunt.yaml:2",
	} {
		_, err := Parse("exeunt.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", text, err, want)
		}
	}
}
