package postgres

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"

	"exeunt.dev/internal/idp"
)

// News are what a commit has appended, in the notification that the database sends when it is committed: lineage, the number before the
// first, ledger time, and name and until of each. A node that knows all before them need not ask.
//
// Whoever may log in to a Postgres may notify, whatever its tables are to it. Made-up entries would take the numbers of
// real ones. So news carry a MAC under a key from the key file, which every node has; what is not ours is a call to read, and so are
// news that are too long for a notification (8000 bytes).

// maxNews is how many entries fit.
const maxNews = 256

// newsOf is the text of a notification: said, in front of it its MAC, in base 64. The key goes through the hash twice, so that nothing can be
// appended to what was said.
const newsOf = `CASE WHEN ?2 > 256 OR CAST(?19 AS BYTEA) IS NULL THEN '' ELSE encode(sha256(CAST(?19 AS BYTEA) || sha256(CAST(?19 AS BYTEA) || said)) || said, 'base64') END`

const (
	newsHead  = 16 + 8 + 8
	newsEntry = 12 + 8
)

// BelieveNews sets the key of news. Before it is set, and on a node without it, notifications only say that there is something to read.
func (s *Store) BelieveNews(key []byte) { s.newsKey = key }

func newsMAC(key, said []byte) []byte {
	inner := sha256.Sum256(append(bytes.Clone(key), said...))
	outer := sha256.Sum256(append(bytes.Clone(key), inner[:]...))
	return outer[:]
}

// readNews reads a notification. What is not ours, or not whole, is none.
func readNews(key []byte, payload string) (n idp.News) {
	b, err := base64.StdEncoding.DecodeString(payload) // which skips the line ends that Postgres makes
	if err != nil || len(key) == 0 || len(b) <= sha256.Size+newsHead || (len(b)-sha256.Size-newsHead)%newsEntry != 0 {
		return idp.News{}
	}
	mac, said := b[:sha256.Size], b[sha256.Size:]
	if subtle.ConstantTimeCompare(mac, newsMAC(key, said)) != 1 {
		return idp.News{}
	}
	copy(n.Lineage[:], said)
	n.First = binary.BigEndian.Uint64(said[16:]) + 1
	n.Time = idp.Time(binary.BigEndian.Uint64(said[24:]))
	for said = said[newsHead:]; len(said) > 0; said = said[newsEntry:] {
		e := idp.Entry{Until: uint32(binary.BigEndian.Uint64(said[12:]))}
		copy(e.Name[:], said)
		n.Entries = append(n.Entries, e)
	}
	return n
}
