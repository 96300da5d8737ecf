package dpop_test

import (
	"crypto/sha256"
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"exeunt.dev/internal/dpop"
)

func TestNormal(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.test":                "https://a.test/",
		"https://a.test/":               "https://a.test/",
		"HTTPS://A.Test:443/":           "https://a.test/",
		"https://a.test:/":              "https://a.test/",
		"http://a.test:80/x?y#z":        "http://a.test/x",
		"http://a.test:8080/x":          "http://a.test:8080/x",
		"https://a.test:80/":            "https://a.test:80/",
		"https://a.test/a/./b/../c":     "https://a.test/a/c",
		"https://a.test/a/..":           "https://a.test/",
		"https://a.test/a/.":            "https://a.test/a/",
		"https://a.test/../../x":        "https://a.test/x",
		"https://a.test/a//b/":          "https://a.test/a//b/",
		"https://a.test/%7Euser/%2f%c3": "https://a.test/~user/%2F%C3",
		"https://a.test/%2e%2E/x":       "https://a.test/x",
		"https://[2001:DB8::1]:443/":    "https://[2001:db8::1]/",
		"a.test/x":                      "",
		"/x":                            "",
		"ftp://a.test/":                 "",
		"https:///x":                    "",
		"https://u@a.test/":             "",
		"https://a.test/ x":             "",
		`https://a.test\x`:              "",
		"mailto:a@a.test":               "",
	} {
		if got, ok := dpop.Normal(raw); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", raw, got, ok, want)
		}
	}
}

func use(n int) [sha256.Size]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
}

func TestMemory(t *testing.T) {
	at := time.Unix(now, 0)
	m := dpop.NewMemory(1 << 20)
	if !m.Use(use(1), at.Add(time.Minute), at) || m.Use(use(1), at.Add(time.Minute), at.Add(59*time.Second)) {
		t.Error("a use is new once")
	}
	if !m.Use(use(2), at.Add(time.Hour), at.Add(30*time.Minute)) || m.Len() != 1 {
		t.Error("what is past being good is forgotten:", m.Len())
	}
}

// A flood shortens the time in which proofs are good, and nothing is ever used twice.
func TestFullMemoryForgetsNothingThatIsGood(t *testing.T) {
	at := time.Unix(now, 0)
	m := dpop.NewMemory(48 * 100)
	early, late := at.Add(20*time.Second), at.Add(60*time.Second)
	if !m.Use(use(-1), early, at) {
		t.Fatal("the first use is new")
	}
	for i := range 100 {
		if !m.Use(use(i), late, at) {
			t.Fatal("a use is new", i)
		}
	}
	if m.Use(use(-1), early, at) {
		t.Error("used twice, because the memory was full")
	}
	if m.Use(use(-2), early, at) {
		t.Error("what ends as early as what was forgotten is not taken")
	}
	if m.Len() > 100 {
		t.Error("more than the bound:", m.Len())
	}
	if !m.Use(use(1000), at.Add(80*time.Second), at.Add(20*time.Second)) {
		t.Error("a young proof is refused for long")
	}
}

// What a full memory has forgotten is refused when there is room again, and so is a new use that ends before all that it keeps.
func TestMemoryWithRoomAgain(t *testing.T) {
	at := time.Unix(now, 0)
	m := dpop.NewMemory(48 * 10)
	first, second, third := at.Add(20*time.Second), at.Add(40*time.Second), at.Add(60*time.Second)
	for i := range 5 {
		if !m.Use(use(i), first, at) || !m.Use(use(10+i), second, at) {
			t.Fatal("a use is new", i)
		}
	}
	if !m.Use(use(20), third, at) || m.Len() != 6 {
		t.Fatal("the five that end first make room:", m.Len())
	}
	if m.Use(use(0), first, at) {
		t.Error("there is room, and a use that was forgotten counts again")
	}
	for i := range 4 {
		if !m.Use(use(30+i), third, at) {
			t.Fatal("a use is new", i)
		}
	}
	if m.Use(use(40), at.Add(30*time.Second), at) {
		t.Error("full of uses that end later: one that ends before them could not be kept")
	}
}

// A nonce is good until the moment that Good says, for so long is its use remembered.
func TestNonceIsGoodUntilItsEnd(t *testing.T) {
	nonces, err := dpop.NewNonces(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	made := time.Unix(now, 0)
	for ahead := -time.Minute; ahead <= time.Minute; ahead += time.Second {
		end, ok := nonces.Good(nonces.At(made), made.Add(ahead))
		if !ok {
			continue // made by a node that is ahead by more than a minute
		}
		if _, ok := nonces.Good(nonces.At(made), end.Add(-time.Second)); !ok {
			t.Error("it ends before", end)
		}
		if _, ok := nonces.Good(nonces.At(made), end); ok {
			t.Error("it is good at its end", end)
		}
	}
}

func TestMemoryBytesAreHonest(t *testing.T) {
	const bytes = 8 << 20
	at := time.Unix(now, 0)
	before := heap()
	m := dpop.NewMemory(bytes)
	for i := range bytes / 48 {
		m.Use(use(i), at.Add(time.Minute+time.Duration(i%60)*time.Second), at)
	}
	if took := heap() - before; took > bytes*5/4 {
		t.Errorf("%d uses take %d bytes, more than %d", m.Len(), took, bytes)
	}
	runtime.KeepAlive(m)
}

func heap() int {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int(s.HeapAlloc)
}
