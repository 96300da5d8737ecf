package exeunttest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// Client is an HTTP client that reaches the issuer without sockets, whatever the address. Bodies stream.
func (i *Issuer) Client() *http.Client { return &http.Client{Transport: Memory(i.handler)} }

// Memory is a transport that hands requests to h, in a goroutine each.
func Memory(h http.Handler) http.RoundTripper { return memory{h} }

type memory struct{ h http.Handler }

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	pr, pw := io.Pipe()
	ctx, cancel := context.WithCancel(r.Context())
	w := &memoryWriter{header: http.Header{}, body: pw, head: make(chan *http.Response, 1)}
	in := r.Clone(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI = r.URL.RequestURI()
	go func() {
		defer cancel()
		m.h.ServeHTTP(w, in)
		w.WriteHeader(http.StatusOK)
		pw.Close()
	}()
	// As with a real connection: when the request is over, so is what is still being read.
	stop := context.AfterFunc(r.Context(), func() { pr.CloseWithError(context.Cause(r.Context())) })
	select {
	case resp := <-w.head:
		resp.Request = r
		resp.Body = &memoryBody{PipeReader: pr, end: func() { stop(); cancel() }}
		return resp, nil
	case <-r.Context().Done():
		cancel()
		return nil, context.Cause(r.Context())
	}
}

// memoryBody ends the handler when it is closed.
type memoryBody struct {
	*io.PipeReader
	end func()
}

func (b *memoryBody) Close() error {
	b.end()
	return b.PipeReader.CloseWithError(errors.New("exeunttest: reader gone"))
}

type memoryWriter struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	head   chan *http.Response
}

func (w *memoryWriter) Header() http.Header { return w.header }

func (w *memoryWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.head <- &http.Response{
			StatusCode: status, Status: http.StatusText(status), Header: w.header.Clone(),
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		}
	})
}

func (w *memoryWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush does nothing: nothing is buffered.
func (w *memoryWriter) Flush() { w.WriteHeader(http.StatusOK) }
