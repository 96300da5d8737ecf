// Package js is exeunt.js, the module for pages that are an app of their own: sign-in, tokens in memory, sign-out in every tab.
// It serves the two files and knows nothing of the server. There is no build step: what is served is what is read here.
package js

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

//go:embed exeunt.js
var module string

//go:embed exeunt.d.ts
var types string

// Files serves exeunt.js and its types.
type Files struct{}

// Mount adds /exeunt.js and /exeunt.d.ts.
func (Files) Mount(mux *http.ServeMux) {
	mux.Handle("GET /exeunt.js", file(module, "text/javascript; charset=utf-8"))
	mux.Handle("GET /exeunt.d.ts", file(types, "application/typescript; charset=utf-8"))
}

// file answers with text that is the same for everybody, so that modules of every origin may import it.
func file(text, kind string) http.HandlerFunc {
	sum := sha256.Sum256([]byte(text))
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Cache-Control", "public, max-age=3600")
		h.Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
	}
}
