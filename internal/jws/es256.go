package jws

// ES256 signatures are r and s as 32 big-endian octets each (RFC 7518 section 3.4); crypto/ecdsa speaks ASN.1 DER,
// SEQUENCE { INTEGER r, INTEGER s }, whose lengths all fit in one octet here.

const (
	es256Size = 64
	maxDER    = 2 + 2*(2+1+es256Size/2)
)

// appendDER appends raw, 64 octets, as DER.
func appendDER(dst, raw []byte) []byte {
	start := len(dst)
	dst = append(dst, 0x30, 0)
	dst = appendInteger(dst, raw[:es256Size/2])
	dst = appendInteger(dst, raw[es256Size/2:])
	dst[start+1] = byte(len(dst) - start - 2)
	return dst
}

func appendInteger(dst, n []byte) []byte {
	for len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	if n[0] >= 0x80 { // else it would be negative
		dst = append(dst, 2, byte(len(n)+1), 0)
	} else {
		dst = append(dst, 2, byte(len(n)))
	}
	return append(dst, n...)
}

// parseDER reads what a signer made into raw, 64 zero octets. The signer may be somebody else's (a hardware key), so
// nothing is assumed of it.
func parseDER(raw, der []byte) bool {
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return false
	}
	rest, ok := parseInteger(raw[:es256Size/2], der[2:])
	if !ok {
		return false
	}
	rest, ok = parseInteger(raw[es256Size/2:], rest)
	return ok && len(rest) == 0
}

func parseInteger(dst, der []byte) (rest []byte, ok bool) {
	if len(der) < 3 || der[0] != 2 || int(der[1]) > len(der)-2 || der[1] == 0 || der[2] >= 0x80 {
		return nil, false
	}
	n, rest := der[2:2+der[1]], der[2+der[1]:]
	if len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	if len(n) > len(dst) {
		return nil, false
	}
	copy(dst[len(dst)-len(n):], n)
	return rest, true
}
