package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A request that is under way when the server is told to stop is answered; /readyz says "stopping" while the drain lasts; then
// nothing is taken any more, and all is let go of.
func TestStopIsGraceful(t *testing.T) {
	c := settings(t, t.TempDir())
	c.Drain = 300 * time.Millisecond
	var log lines
	stop := start(t, c, &log)
	conn, err := net.Dial("tcp", c.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const body = "grant_type=authorization_code&client_id=nobody"
	fmt.Fprintf(conn, "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") { // the room is reading
		t.Fatal(line, err)
	}
	if _, err := answers.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for { // the server says when it knows
		res, err := http.Get(c.Issuer + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode == 503 && strings.Contains(string(text), "stopping") {
			if !res.Close {
				t.Error("a proxy would keep its connection to a server that is about to stop")
			}
			break
		}
		if res.StatusCode != 200 {
			t.Fatal(res.Status, text)
		}
	}
	if status, _ := get(t, c.Issuer+"/healthz"); status != 200 {
		t.Errorf("while the drain lasts: %d", status)
	}
	for { // and then takes no more
		other, err := net.Dial("tcp", c.Listen)
		if err != nil {
			break
		}
		other.Close()
	}
	select {
	case err := <-stopped:
		t.Fatal("it did not wait for the request under way:", err)
	default:
	}
	io.WriteString(conn, body)
	res, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal("the request under way is cut off:", err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 401 || !strings.Contains(string(text), "invalid_client") {
		t.Errorf("%s %s %v", res.Status, text, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if log.count(`"msg":"stopping"`) != 1 || log.count(`"problem":"stopping"`) == 0 || log.count(`"level":"ERROR"`) > 0 {
		t.Error("stopping is one line, and no error:", &log)
	}
	start(t, c) // the database was let go of
}
