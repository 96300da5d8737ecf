package jws

import "errors"

// None of these carries a part of the token.
var (
	// ErrMalformed: not a compact JWS as this package reads it.
	ErrMalformed = errors.New("jws: malformed")
	// ErrTooLarge: longer than MaxSize, or a key set longer than MaxSetSize.
	ErrTooLarge = errors.New("jws: too large")
	// ErrAlgorithm: an algorithm that does not exist here.
	ErrAlgorithm = errors.New("jws: algorithm not supported")
	// ErrCritical: a critical header parameter. None is understood, so each must be refused (RFC 7515 section 4.1.11).
	ErrCritical = errors.New("jws: critical header parameter not supported")
	// ErrSignature is the one answer for everything that Verify refuses.
	ErrSignature = errors.New("jws: signature does not verify")
	// ErrKey: a key that cannot be used: wrong kind for its algorithm, too small, not on the curve, unreadable.
	ErrKey = errors.New("jws: unusable key")
	// ErrPrivate: a key set that contains private or symmetric key material.
	ErrPrivate = errors.New("jws: private key in a key set")
)
