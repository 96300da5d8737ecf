package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// wire is one connection of a browser or an app to a server. It costs a tenth of net/http's client, whose work on the same two cores would
// else be measured, too.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
}

// dial connects to the server at an address such as http://127.0.0.1:1234.
func dial(at string) (*wire, error) {
	host := strings.TrimPrefix(at, "http://")
	c, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	return &wire{c, bufio.NewReader(c)}, nil
}

func (w *wire) close() { w.conn.Close() }

// ask sends a request and reads its answer, whatever its body. It follows nothing.
func (w *wire) ask(request []byte, status int) error {
	if _, err := w.conn.Write(request); err != nil {
		return err
	}
	res, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != status {
		return fmt.Errorf("it answers %s", res.Status)
	}
	return nil
}

// request writes down a GET, or with a body the POST of a form.
func request(path, header, body string) []byte {
	method := "GET"
	if body != "" {
		method = "POST"
		header += fmt.Sprintf("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", len(body))
	}
	return []byte(method + " " + path + " HTTP/1.1\r\nHost: bench\r\n" + header + "\r\n" + body)
}
