package main

import (
	"errors"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
)

// reason is a flag of every command that leaves a record.
type reason struct {
	Reason string `help:"Why, for the record; at most 200 characters." placeholder:"TEXT"`
}

// by is who acts, and why.
func (r *reason) by() (operate.By, error) {
	if r.Reason == "" {
		return operate.By{Actor: operator(), Request: idp.NewSecret(16)}, nil
	}
	return because(r.Reason)
}

// needed is a reason that must be given: for who may use the console.
type needed struct {
	Reason string `help:"Why, for the record; at most 200 characters." required:"" placeholder:"TEXT"`
}

func (n *needed) by() (operate.By, error) { return because(n.Reason) }

func because(why string) (operate.By, error) {
	err := idp.ValidReason(why)
	var invalid *idp.InvalidError
	if errors.As(err, &invalid) {
		err = usage(plain(invalid.Sentence), "write it behind --reason")
	}
	return operate.By{Actor: operator(), Reason: why, Request: idp.NewSecret(16)}, err
}
