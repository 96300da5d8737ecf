package web_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// Nobody is told that nothing was changed where it may have been.
func TestFailSaysWhatIsKnown(t *testing.T) {
	pages, err := web.New("Test", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err                error
		language, says, no string
	}{
		{idp.ErrUnavailable, "en", "Nothing was changed.", "not known"},
		{idp.ErrUnknown, "en", "It is not known whether this was done.", "Nothing was changed"},
		{idp.ErrUnknown, "de", "Es ist nicht bekannt, ob das ausgeführt wurde.", "nichts geändert"},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Accept-Language", c.language)
		pages.Fail(w, r, fmt.Errorf("store: %w", c.err))
		if page := w.Body.String(); w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(page, c.says) || strings.Contains(page, c.no) {
			t.Errorf("%v in %s: %d %s", c.err, c.language, w.Code, page)
		}
	}
}
