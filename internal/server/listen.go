package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"

	"exeunt.dev/internal/config"
)

// AddressError says that the server cannot listen where it is told to.
type AddressError struct {
	Key     string // of the configuration
	Address string
	Err     error
}

func (e *AddressError) Error() string {
	if errors.Is(e.Err, syscall.EADDRINUSE) {
		return fmt.Sprintf("%s: %s is in use by another program", e.Key, e.Address)
	}
	return fmt.Sprintf("%s: %v", e.Key, e.Err)
}

func (e *AddressError) Unwrap() error { return e.Err }

func listen(ctx context.Context, key, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &AddressError{key, address, err}
	}
	return l, nil
}

// listen opens what the server needs and was not given, before anything is made: who starts a second server by mistake does not find a
// new database beside it.
func (s *Server) listen(ctx context.Context, c config.Config) error {
	if s.listener == nil {
		l, err := listen(ctx, "listen", c.Listen)
		if err != nil {
			return err
		}
		s.listener = l
		with, err := s.secure(c)
		if err != nil {
			return err
		}
		if with != nil {
			s.listener = tls.NewListener(s.listener, with)
		}
	}
	if c.MetricsListen == "" {
		return nil
	}
	l, err := listen(ctx, "metrics_listen", c.MetricsListen)
	if err == nil {
		s.aside = l
	}
	return err
}
