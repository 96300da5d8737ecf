package outbound

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

// Kind is why a call came to nothing, for programs.
type Kind string

const (
	BadRequest     Kind = "bad-request"      // the URL or a header is none; calling again cannot help
	RefusedAddress Kind = "refused-address"  // every address of the host is one we do not connect to
	DNS            Kind = "dns"              // the name could not be resolved
	Unreachable    Kind = "unreachable"      // no connection, or it broke before the answer was whole
	TLS            Kind = "tls"              // no connection that proves to be the host's
	Timeout        Kind = "timeout"          // not done in time, wherever the time went
	TooLarge       Kind = "answer-too-large" // an answer beyond what anybody may send us
	Redirect       Kind = "redirect"         // an answer that points elsewhere; where to is not looked at
	Interim        Kind = "interim-answer"   // 101, after which the connection is no longer HTTP: an answer that announces another
	Cancelled      Kind = "cancelled"        // the caller's context ended first
)

// Error is why a call came to nothing. What it says names the host and no path, parameter or address: it may be shown to
// the operator. To a person who may write down any host it should not be shown, since RefusedAddress against DNS tells which
// inner names exist.
type Error struct {
	Kind       Kind
	Host       string
	Status     int           // of a [Redirect], [Interim] or [TooLarge]
	RetryAfter time.Duration // of a [TooLarge]; 0: not said
	cause      error
}

func (e *Error) Error() string {
	return e.Host + ": " + e.sentence()
}

// Unwrap gives the cause, for logs.
func (e *Error) Unwrap() error { return e.cause }

func (e *Error) sentence() string {
	switch e.Kind {
	case BadRequest:
		return "this is no address that can be called"
	case RefusedAddress:
		return "its address is in a network that the operator has not allowed"
	case DNS:
		return "its name could not be resolved"
	case TLS:
		return "its certificate or its TLS was not accepted"
	case Timeout:
		return "it did not answer in time"
	case TooLarge:
		return "its answer was too large"
	case Redirect:
		return "it answered with a redirect, which is not followed"
	case Interim:
		return "it answered that it would speak something else than HTTP"
	case Cancelled:
		return "the call was given up"
	}
	return "it could not be reached, or broke off"
}

// KindOf is the kind of an error of [Client.Do], or "".
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// fail makes the error of one call. The caller's own end of waiting comes first, then what the dialer knew, then time.
func fail(caller, call context.Context, host string, err error) *Error {
	var e *Error
	switch {
	case errors.Is(caller.Err(), context.Canceled):
		return &Error{Kind: Cancelled, Host: host, cause: err}
	case errors.As(err, &e):
		return e
	case timedOut(err) || call.Err() != nil:
		return &Error{Kind: Timeout, Host: host, cause: err}
	}
	return &Error{Kind: Unreachable, Host: host, cause: err}
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}
