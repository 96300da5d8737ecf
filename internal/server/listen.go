package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"
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

// listen opens what the server needs and was not given.
func (s *Server) listen(ctx context.Context) error {
	c := s.base.Config
	if s.listener == nil {
		with, err := s.secure(c)
		if err != nil {
			return err
		}
		if s.listener, err = listen(ctx, "listen", c.Listen); err != nil {
			return err
		}
		if with != nil {
			s.listener = tls.NewListener(s.listener, with)
		}
	}
	if c.MetricsListen == "" {
		return nil
	}
	var err error
	s.aside, err = listen(ctx, "metrics_listen", c.MetricsListen)
	return err
}
