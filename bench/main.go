// Command bench measures the whole program: a real server in a process of its own, a bare net/http echo in another, load from
// this one, all on loopback. It prints ratios of one run; absolute figures belong to the machine.
//
//	go run ./bench [-seconds 3] [-postgres] [-grow 10000,100000,1000000,10000000 [-left 4]]
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"exeunt.dev/guard"
	"exeunt.dev/internal/store/pgtest"
)

const connections = 64

func main() {
	seconds := flag.Float64("seconds", 3, "length of each measurement")
	onPostgres := flag.Bool("postgres", false, "on a Postgres server of its own instead of SQLite")
	sizes := flag.String("grow", "", "instead, with how many live sessions on Postgres to measure: 10000,100000,1000000")
	left := flag.Int64("left", 4, "with -grow, how many GB of the disk are to stay free")
	echo := flag.Bool("echo", false, "serve the echo (for the child process)")
	flag.Parse()
	if *echo {
		serveEcho()
		return
	}
	length := time.Duration(*seconds * float64(time.Second))
	do := func() error { return run(length, *onPostgres) }
	if *sizes != "" {
		do = func() error { return grow(length, *sizes, *left*gigabyte) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// serveEcho answers /echo at once, and /sign after two ES256 signatures.
func serveEcho() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("http://" + l.Addr().String())
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256([]byte("x"))
	answer := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, `{"active":true}`)
	}
	http.HandleFunc("/echo", answer)
	http.HandleFunc("/sign", func(w http.ResponseWriter, r *http.Request) {
		for range 2 {
			if _, err := ecdsa.SignASN1(rand.Reader, key, sum[:]); err != nil {
				panic(err)
			}
		}
		answer(w, r)
	})
	http.Serve(l, nil)
}

type bench struct {
	dir, issuer    string
	binary, config string
	server, echo   *exec.Cmd
	echoAt         string
	id, secret     string
	apiSecret, api string
	http           *http.Client
	pg             *pgtest.Server // nil: SQLite
}

// prepare starts all that is measured and measured by. What it returns is to be closed, with an error, too.
// left is how much of the disk is to stay free meanwhile.
func prepare(onPostgres bool, left int64, options ...string) (*bench, error) {
	dir, err := ownFolder()
	if err != nil {
		return nil, err
	}
	b := &bench{dir: dir, api: "https://api.example.com", http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * connections}}}
	go b.watch(left)
	if onPostgres {
		if b.pg, err = pgtest.Start(options...); err != nil {
			return b, err
		}
	}
	return b, b.start()
}

func (b *bench) close() {
	for _, c := range []*exec.Cmd{b.server, b.echo} {
		if c != nil && c.Process != nil {
			c.Process.Kill()
			c.Wait()
		}
	}
	if b.pg != nil {
		b.pg.Remove()
	}
	os.RemoveAll(b.dir)
}

func run(length time.Duration, onPostgres bool) error {
	b, err := prepare(onPostgres, 0)
	if b != nil {
		defer b.close()
	}
	if err != nil {
		return err
	}
	refresh, err := b.turns(length)
	if err != nil {
		return err
	}
	return b.endings(refresh)
}

func (b *bench) start() error {
	binary := filepath.Join(b.dir, "exeunt")
	build := exec.Command("go", "build", "-o", binary, "./cmd/exeunt")
	build.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // else it would make the folder anew that was removed
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	l.Close()
	b.issuer = "http://" + address
	conf := filepath.Join(b.dir, "exeunt.yaml")
	b.config = conf
	text := "issuer: " + b.issuer + "\nlisten: " + address + "\nlog_level: error\n"
	if b.pg != nil {
		text += "postgres:\n  url: " + b.pg.URL("postgres") + "\n"
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return err
	}
	command := func(in string, args ...string) (map[string]string, error) {
		c := exec.Command(binary, append([]string{"--config", conf, "--json"}, args...)...)
		c.Stdin = strings.NewReader(in)
		c.Stderr = os.Stderr
		out, err := c.Output()
		if err != nil {
			return nil, err
		}
		var v map[string]string
		return v, json.Unmarshal(out, &v)
	}
	if _, err := command("a bench password\n", "account", "add", "bench"); err != nil {
		return err
	}
	app, err := command("", "client", "add", "app", "--first-party", "--redirect", "http://127.0.0.1:1/callback", "--audience", b.api)
	if err != nil {
		return err
	}
	api, err := command("", "client", "add", "api", "--kind", "api", "--audience", b.api)
	if err != nil {
		return err
	}
	b.id, b.secret, b.apiSecret = "app", app["client_secret"], api["client_secret"]
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.echo = exec.Command(self, "-echo")
	pipe, err := b.echo.StdoutPipe()
	if err != nil {
		return err
	}
	if err := b.echo.Start(); err != nil {
		return err
	}
	if _, err := fmt.Fscanln(pipe, &b.echoAt); err != nil {
		return err
	}
	b.binary = binary
	var starts []time.Duration
	for range 7 {
		took, err := b.serve()
		if err != nil {
			return err
		}
		starts = append(starts, took)
	}
	slices.Sort(starts)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	time.Sleep(10 * time.Second)
	fmt.Printf("start on existing data to first answer from discovery: %.0f ms, median of %d (%.0f to %.0f); memory after 10 s: %d MiB\n",
		ms(starts[len(starts)/2]), len(starts), ms(starts[0]), ms(starts[len(starts)-1]), b.memory())
	return nil
}

// serve starts the server, again if it runs, and says how long it took to its first answer.
func (b *bench) serve() (time.Duration, error) {
	if b.server != nil {
		b.server.Process.Signal(os.Interrupt)
		b.server.Wait()
		b.http.CloseIdleConnections()
	}
	begin := time.Now()
	b.server = exec.Command(b.binary, "--config", b.config, "serve")
	b.server.Stderr = os.Stderr
	b.server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := b.server.Start(); err != nil {
		return 0, err
	}
	for {
		res, err := b.http.Get(b.issuer + "/.well-known/openid-configuration")
		if err == nil {
			res.Body.Close()
			return time.Since(begin), nil
		}
		if time.Since(begin) > 10*time.Second {
			return 0, err
		}
		time.Sleep(200 * time.Microsecond) // asking without a pause would take one of the cores
	}
}

// memory is the server's resident size, in MiB.
func (b *bench) memory() int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", b.server.Process.Pid))
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return -1
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize() >> 20
}

// cpu is what a process has used, in milliseconds.
func cpu(c *exec.Cmd) float64 { return used(strconv.Itoa(c.Process.Pid)) }

// used adds up its threads, which are told in nanoseconds; /proc/PID/stat counts ticks of 10 ms.
func used(pid string) (ms float64) {
	threads, _ := filepath.Glob("/proc/" + pid + "/task/*/schedstat")
	for _, t := range threads {
		text, _ := os.ReadFile(t)
		ran, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseFloat(ran, 64)
		ms += ns / 1e6
	}
	return ms
}

// postgres is what the database's processes have used, those that have ended left out.
func (b *bench) postgres() (sum float64) {
	if b.pg == nil {
		return 0
	}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", b.pg.Pid(), b.pg.Pid()))
	for _, pid := range append(strings.Fields(string(children)), strconv.Itoa(b.pg.Pid())) {
		sum += used(pid)
	}
	return sum
}

type result struct{ cpu, rate, postgres float64 }

// errOut is that of an f that has nothing left to ask.
var errOut = errors.New("nothing is left to ask")

// load runs f from all connections for a while and reads the CPU time of the process that served.
func (b *bench) load(served *exec.Cmd, length time.Duration, f func(n int) error) result {
	var wg sync.WaitGroup
	var mu sync.Mutex
	done, failed := 0, 0
	before, beside, begin := cpu(served), b.postgres(), time.Now()
	for n := range connections {
		wg.Go(func() {
			count, bad := 0, 0
			for time.Since(begin) < length {
				if err := f(n); err == errOut {
					break
				} else if err != nil {
					if bad++; bad == 1 {
						fmt.Fprintln(os.Stderr, "bench:", err)
					}
				}
				count++
			}
			mu.Lock()
			done, failed = done+count, failed+bad
			mu.Unlock()
		})
	}
	wg.Wait()
	if failed > 0 {
		fmt.Printf("%d of %d requests failed: the figures below are worth nothing\n", failed, done)
	}
	return result{(cpu(served) - before) / float64(done), float64(done) / time.Since(begin).Seconds(), (b.postgres() - beside) / float64(done)}
}

func (b *bench) post(at string, form url.Values, into any) error {
	r, err := http.NewRequest("POST", at, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(b.id, b.secret)
	res, err := b.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %s %w", at, res.Status, body, err)
	}
	if into != nil {
		return json.Unmarshal(body, into)
	}
	return nil
}

// tokens signs in once and opens n families.
func (b *bench) tokens(n int) (refresh, access []string, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, nil, err
	}
	who := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if _, err := who.Get(b.issuer + "/csrf_token/"); err != nil {
		return nil, nil, err
	}
	issuer, err := url.Parse(b.issuer)
	if err != nil {
		return nil, nil, err
	}
	form := url.Values{"username": {"bench"}, "password": {"a bench password"}}
	for _, c := range jar.Cookies(issuer) {
		if c.Name == "csrftoken" {
			form.Set("csrfmiddlewaretoken", c.Value)
		}
	}
	if res, err := who.PostForm(b.issuer+"/accounts/login/", form); err != nil || res.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("sign-in: %v %w", res, err)
	}
	for range n {
		q := url.Values{"client_id": {b.id}, "redirect_uri": {"http://127.0.0.1:1/callback"}, "response_type": {"code"}, "scope": {"openid"}}
		res, err := who.Get(b.issuer + "/oauth2/authorize?" + q.Encode())
		if err != nil {
			return nil, nil, err
		}
		res.Body.Close()
		u, err := res.Location()
		if err != nil {
			return nil, nil, err
		}
		var out struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
		if err := b.post(b.issuer+"/oauth2/token", url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")},
			"redirect_uri": {"http://127.0.0.1:1/callback"}}, &out); err != nil {
			return nil, nil, err
		}
		refresh, access = append(refresh, out.Refresh), append(access, out.Access)
	}
	return refresh, access, nil
}

// endings measures from sending an end to its refusal by a guard in this process, which is another than the server's, beside an fdatasync and
// an echo in the same turns.
func (b *bench) endings(refresh string) error {
	g, err := guard.New(b.issuer, guard.Audience(b.api), guard.Credentials("api", b.apiSecret))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go g.Run(ctx)
	if err := g.Ready(ctx); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(b.dir, "sync"))
	if err != nil {
		return err
	}
	defer f.Close()
	var ours, floor []time.Duration
	for range 200 {
		var out struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
		if err := b.post(b.issuer+"/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}, &out); err != nil {
			return err
		}
		refresh = out.Refresh
		tok, err := g.Check(out.Access)
		if err != nil {
			return err
		}
		watch, release := g.Watch(ctx, tok)
		begin := time.Now()
		go b.post(b.issuer+"/oauth2/revoke", url.Values{"token": {out.Access}}, nil)
		<-watch.Done()
		ours = append(ours, time.Since(begin))
		release()
		if _, err := g.Check(out.Access); err != guard.ErrEnded {
			return fmt.Errorf("an ended token gives %v", err)
		}
		begin = time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		if err := b.post(b.echoAt+"/echo", url.Values{}, nil); err != nil {
			return err
		}
		floor = append(floor, time.Since(begin))
	}
	p := func(d []time.Duration, q float64) float64 {
		slices.Sort(d)
		return float64(d[int(q*float64(len(d)-1))].Microseconds()) / 1000
	}
	fmt.Printf("\n| ms | p50 | p99 |\n|---|---|---|\n| from sending the end to its refusal by a guard in another process | %.2f | %.2f |\n| a sync of 4 KiB and an echo | %.2f | %.2f |\n| ratio | %.2f | %.2f |\n",
		p(ours, .5), p(ours, .99), p(floor, .5), p(floor, .99), p(ours, .5)/p(floor, .5), p(ours, .99)/p(floor, .99))
	return nil
}
