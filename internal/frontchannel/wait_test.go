package frontchannel_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"exeunt.dev/internal/frontchannel"
	"exeunt.dev/internal/idp"
)

// A browser waits for the apps that are to be awaited and for no others, 800 ms at most, and not at all where there are none.
func TestWait(t *testing.T) {
	asked := 0
	f := &frontchannel.FrontChannel{Await: func(ctx context.Context, id idp.ReceiptID, awaited func(idp.ClientID) bool) {
		asked++
		if until, ok := ctx.Deadline(); !ok || time.Until(until) > 800*time.Millisecond {
			t.Error("waits until", until)
		}
		if id != "receipt" || !awaited("waits") || awaited("slow") {
			t.Error("waits for what it should not")
		}
	}}
	r := httptest.NewRequest("GET", "/logout", nil)
	f.Wait(r, "receipt", nil)
	f.Wait(r, "", []idp.ClientID{"waits"})
	if asked != 0 {
		t.Error("waits for nothing")
	}
	if f.Wait(r, "receipt", []idp.ClientID{"waits"}); asked != 1 {
		t.Error("does not wait")
	}
}
