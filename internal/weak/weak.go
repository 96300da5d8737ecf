package weak

import "exeunt.dev/internal/idp"

// Rules are what a new password must keep to.
type Rules struct {
	guesser *Guesser
	stolen  *File // nil: there is none
}

// NewRules makes them. breached is the operator's file; "": none. site are names of the installation.
func NewRules(breached string, site ...string) (*Rules, error) {
	r := &Rules{guesser: NewGuesser(site...)}
	if breached == "" {
		return r, nil
	}
	var err error
	r.stolen, err = OpenFile(breached)
	return r, err
}

// Refuse says, as an *idp.InvalidError, why a password may not be chosen. about are names of its owner. A file that cannot be read
// refuses all: an operator who has one does not want it passed over.
func (r *Rules) Refuse(password string, about ...string) error {
	if err := idp.ValidPassword(password); err != nil {
		return err
	}
	if r.guesser.Easy(password, about...) {
		return idp.Invalid("password", "That password is easy to guess: it is made of well-known words, rows of keys, years or names. Choose a longer one, for example of four words that have nothing to do with each other.")
	}
	if r.stolen == nil {
		return nil
	}
	found, err := r.stolen.Has(password)
	if err == nil && found {
		err = idp.Invalid("password", "That password is in a list of passwords that were stolen somewhere, so it is among the first that are tried. Choose another one.")
	}
	return err
}
