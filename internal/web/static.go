package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
)

// asset is a file that pages load.
type asset struct {
	kind string
	text []byte
}

// serve gives a file an address with its hash in it, so that it may be kept for ever.
func (p *Pages) serve(name, kind string, text []byte) {
	sum := sha256.Sum256(text)
	at := "/static/" + hex.EncodeToString(sum[:6]) + path.Ext(name)
	p.paths[name], p.static[at] = at, asset{kind, text}
}

func (p *Pages) readStatic() error {
	names, err := files.ReadDir("static")
	if err != nil {
		return err
	}
	for _, f := range names {
		text, err := files.ReadFile("static/" + f.Name())
		if err != nil {
			return err
		}
		kind := "text/css; charset=utf-8"
		if path.Ext(f.Name()) == ".js" {
			kind = "text/javascript; charset=utf-8"
		}
		p.serve(f.Name(), kind, text)
	}
	return nil
}

// Wear gives the pages an installation's logo and colours (#rrggbb, by day and by night, each legible on our grounds); what is empty stays
// ours. It comes before Mount.
func (p *Pages) Wear(logo []byte, kind, day, night string) {
	if len(logo) > 0 {
		p.serve("logo", kind, logo)
	}
	if day == "" && night == "" {
		return
	}
	text := p.static[p.paths["style.css"]].text
	delete(p.static, p.paths["style.css"])
	if day != "" {
		text = append(text[:len(text):len(text)], "@media not (prefers-color-scheme: dark) { :root { --accent: "+day+"; } }\n"...)
	}
	if night != "" {
		text = append(text[:len(text):len(text)], "@media (prefers-color-scheme: dark) { :root { --accent: "+night+"; } }\n"...)
	}
	p.serve("style.css", "text/css; charset=utf-8", text)
}

// Mount serves them. A logo is a picture and nothing else, also for who opens its address.
func (p *Pages) Mount(mux *http.ServeMux) {
	for at, a := range p.static {
		mux.HandleFunc("GET "+at, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", a.kind)
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			w.Write(a.text)
		})
	}
}
