package chromium_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// axe is the text of axe-core, which npm lays into axe/node_modules from the committed lock file.
func axe(t *testing.T) string {
	t.Helper()
	path := filepath.Join("axe", "node_modules", "axe-core", "axe.min.js")
	lock, err := os.ReadFile(filepath.Join("axe", "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	want := []byte(hex.EncodeToString(sum[:]))
	stamp := filepath.Join("axe", "node_modules", ".installed-from")
	if have, _ := os.ReadFile(stamp); !bytes.Equal(have, want) {
		npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
		npm.Dir = "axe"
		if out, err := npm.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v: %s", err, out)
		}
		if err := os.WriteFile(stamp, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The lock file may not say where packages come from: that is the business of whoever installs them.
func TestLockFileNamesNoPlace(t *testing.T) {
	lock, err := os.ReadFile(filepath.Join("axe", "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(lock, []byte(`"resolved"`)) || !bytes.Contains(lock, []byte(`"integrity": "sha512-`)) {
		t.Error("axe/package-lock.json: write it with npm install --omit-lockfile-registry-resolved")
	}
}

const askAxe = `axe.run(document, {resultTypes: ["violations"]}).then(r =>
  !r.passes.length ? "nothing was checked" : r.violations.map(v => v.id + " (" + v.help + "): " + v.nodes.map(n => n.html + " " + n.failureSummary.replaceAll("\n", " ")).join("\n    ")).join("\n"))`

// within lists script and style that stand in the page, which no policy of ours allows (but by its hash, for one page).
const within = `[...document.querySelectorAll("script:not([src]), style, [style]:not([style='']), [onclick], [onload], [onsubmit]")].filter(e => !document.querySelector(".unseen iframe"))
  .map(e => e.outerHTML.slice(0, 80)).join("\n")`

// accessible holds a page to axe-core: it finds nothing.
func accessible(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`typeof axe === "object"`))
	if err == nil && !there {
		_, err = chromedp.Run(ctx, chromedp.Evaluate[any](axe(t)+"; null"))
	}
	if err != nil {
		t.Fatal(err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](askAxe, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if found != "" {
		t.Errorf("%s: axe-core finds:\n%s", name, found)
	}
	inline, err := chromedp.Run(ctx, chromedp.Evaluate[string](within))
	if err != nil {
		t.Fatal(err)
	}
	if inline != "" {
		t.Errorf("%s: within the page: %s", name, inline)
	}
}

// run runs script on the page.
func run(script string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[any](script+"; null")(ctx, t)
		return chromedp.Void{}, err
	}
}

// speak gives the browser a language for the pages of a site.
func speak(t *testing.T, ctx context.Context, at, lang string) {
	t.Helper()
	out, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "exeunt-lang", Value: lang, URL: at})
	if err != nil {
		t.Fatal(out, err)
	}
}
