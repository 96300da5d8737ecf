package js_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"exeunt.dev/js"
)

func TestFiles(t *testing.T) {
	mux := http.NewServeMux()
	js.Files{}.Mount(mux)
	for name, kind := range map[string]string{"exeunt.js": "text/javascript", "exeunt.d.ts": "application/typescript"} {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", "/"+name, nil))
		h := w.Header()
		if w.Code != 200 || w.Body.String() != string(want) || !strings.HasPrefix(h.Get("Content-Type"), kind) || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Cache-Control") != "public, max-age=3600" {
			t.Errorf("%s: %d %v", name, w.Code, h)
		}
		r := httptest.NewRequest("GET", "/"+name, nil)
		r.Header.Set("If-None-Match", h.Get("ETag"))
		w = httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", name, w.Code)
		}
	}
}

// Small, and on its own: it imports nothing, and runs no text.
func TestModule(t *testing.T) {
	text, err := os.ReadFile("exeunt.js")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n >= 400 {
		t.Errorf("exeunt.js has %d lines", n)
	}
	for _, no := range []string{"\nimport ", "import(", "require(", "eval(", "innerHTML", "new Function"} {
		if strings.Contains(string(text), no) {
			t.Errorf("exeunt.js has %q", no)
		}
	}
}
