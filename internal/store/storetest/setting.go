package storetest

import (
	"testing"

	"exeunt.dev/internal/idp"
)

// settings are kept by key, the last value of each, for every node.
func settings(t *testing.T, o Opened) {
	is := func(s idp.Store, want map[string]string) {
		t.Helper()
		view(t, s, func(v idp.View) error {
			got, err := v.Settings()
			same(t, "settings", got, want, err)
			return nil
		})
	}
	is(o.Store, map[string]string{})
	for _, value := range []string{"24h", "12h"} {
		update(t, o.Store, func(tx idp.Tx) error { return tx.PutSetting("lifetimes.session", value) })
	}
	update(t, o.Store, func(tx idp.Tx) error { return tx.PutSetting("issuer", "https://id.example.com") })
	is(o.Second(t), map[string]string{"lifetimes.session": "12h", "issuer": "https://id.example.com"})
}
