package peers

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

type css = chromedp.CSS

// newChromium starts the program with an empty profile. Each browser of a test is a profile of its own in it.
func newChromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(900, 900))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		chromedp.Cancel(ctx) // waits for the browser to be gone
		stop()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// browser is one person's browser, with cookies of its own.
type browser struct {
	t        *testing.T
	ctx      context.Context
	username string
}

func open(t *testing.T, chromium context.Context, username string) *browser {
	t.Helper()
	ctx, stop := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(stop)
	// The first run with a context makes the tab, which lives as long as that context: not one of do's.
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return &browser{t, ctx, username}
}

func (b *browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	within, stop := context.WithTimeout(b.ctx, 3*time.Minute)
	defer stop()
	if err := chromedp.Do(within, steps...); err != nil {
		at, text := b.where()
		b.t.Fatalf("%s: %v, at %s: %s", what, err, at, text)
	}
}

func (b *browser) where() (address, text string) {
	address, _ = chromedp.Run(b.ctx, chromedp.Location())
	text, _ = chromedp.Run(b.ctx, chromedp.Text(css("body")))
	return address, text
}

// has says whether the page has an element that fits.
func (b *browser) has(selector string) bool {
	b.t.Helper()
	nodes, err := chromedp.Run(b.ctx, chromedp.Nodes(css(selector), chromedp.AtLeast(0)))
	if err != nil {
		b.t.Fatal(err)
	}
	return len(nodes) > 0
}

// asked is what a sign-in asked of a person.
type asked string

const (
	nothing   asked = "nothing"
	forSecret asked = "the password"
	toGoOn    asked = "whether to continue"
)

// signIn signs in to a website, with the password if Exeunt asks for it, and says what was asked.
func (b *browser) signIn(a *app) (was asked) {
	b.t.Helper()
	was = nothing
	const goOn = `button[value="continue"]`
	b.do("sign in to "+a.Name, chromedp.Navigate(a.URL+"/login"), chromedp.WaitVisible(css("#who, #password, "+goOn)))
	switch {
	case b.has("#password"):
		was = forSecret
		b.do("give the password", chromedp.SetValue(css("#username"), b.username), chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(css("#who")))
	case b.has(goOn):
		was = toGoOn
		b.do("go on", chromedp.Click(css(goOn)), chromedp.WaitVisible(css("#who")))
	}
	if at, _ := b.where(); at != a.URL+"/" {
		b.t.Fatalf("the sign-in to %s ended at %s", a.Name, at)
	}
	if who := b.text("#who"); who != b.username {
		b.t.Fatalf("%s takes %s for %s", a.Name, b.username, who)
	}
	return was
}

func (b *browser) text(selector string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.TextContent(css(selector)))
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimSpace(text)
}

// at opens a website and says as whom it knows this browser; "" for nobody.
func (b *browser) at(a *app) string {
	b.t.Helper()
	b.do("open "+a.Name, chromedp.Navigate(a.URL+"/"), chromedp.WaitVisible(css("#who, #nobody")))
	if b.has("#nobody") {
		return ""
	}
	return b.text("#who")
}

// held is what a website gave a browser at a sign-in.
type held struct{ cookie, sid string }

func (b *browser) holds(a *app) held {
	b.t.Helper()
	if b.at(a) != b.username {
		b.t.Fatalf("%s does not know this browser", a.Name)
	}
	h := held{b.text("#cookie"), b.text("#sid")}
	if h.cookie == "" || h.sid == "" {
		b.t.Fatalf("%s has cookie %q and sid %q", a.Name, h.cookie, h.sid)
	}
	return h
}

// leave presses one of the website's two buttons, out of everything or out of this website, and waits to be back there.
func (b *browser) leave(a *app, button string) {
	b.t.Helper()
	if b.at(a) != b.username {
		b.t.Fatalf("%s does not know this browser", a.Name)
	}
	b.do("leave "+a.Name, chromedp.Click(css("#"+button)), chromedp.WaitVisible(css("#text")))
	if at, text := b.where(); !strings.HasPrefix(at, a.URL+"/bye") {
		b.t.Fatalf("leaving %s ended at %s: %s", a.Name, at, text)
	}
}
