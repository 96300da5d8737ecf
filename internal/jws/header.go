package jws

type header struct{ alg, kid, typ, jwk string }

// parseHeader reads a JOSE header. Unknown parameters are ignored, as RFC 7515 section 4 demands.
func parseHeader(raw []byte) (h header, err error) {
	o, err := ParseObject(raw)
	if err != nil {
		return h, err
	}
	if _, here := o.Get("crit"); here {
		return h, ErrCritical
	}
	for _, p := range [...]struct {
		name string
		to   *string
	}{{"alg", &h.alg}, {"kid", &h.kid}, {"typ", &h.typ}} {
		if value, here := o.Get(p.name); here {
			var ok bool
			if *p.to, ok = Text(value); !ok {
				return h, ErrMalformed
			}
		}
	}
	h.jwk, _ = o.Get("jwk")
	switch h.alg {
	case ES256, EdDSA, ed25519Only, RS256, PS256:
		return h, nil
	}
	return h, ErrAlgorithm
}
