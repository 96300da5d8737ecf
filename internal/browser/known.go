package browser

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
)

// A browser in which a person has signed in keeps a mark of that, so that strangers who try the person's password from
// everywhere do not use up the attempts of the person's own browser. The mark signs nobody in; a stolen one buys a thief
// as many attempts as its owner has.
const (
	knownLife  = 400 * 24 * time.Hour // as long as browsers keep a cookie
	knownAtAll = 4                    // people of one browser
	saltLen    = 16                   // characters
	sumLen     = 43
)

// Knows returns a key for the attempts of this browser at this account, "" if the account has not signed in here before.
func (b *Browser) Knows(r *http.Request, id idp.AccountID) string {
	for _, mark := range b.marks(r) {
		salt, given, _ := strings.Cut(mark, ".")
		if subtle.ConstantTimeCompare([]byte(b.knownMark(salt, id)), []byte(given)) == 1 {
			return salt
		}
	}
	return ""
}

func (b *Browser) know(w http.ResponseWriter, r *http.Request, id idp.AccountID) {
	if b.Knows(r, id) != "" {
		return
	}
	salt := idp.NewSecret(12)
	marks := append([]string{salt + "." + b.knownMark(salt, id)}, b.marks(r)...)
	b.set(w, b.known, strings.Join(marks[:min(len(marks), knownAtAll)], "/"), knownLife, false)
}

func (b *Browser) marks(r *http.Request) []string {
	c, err := r.Cookie(b.known)
	if err != nil || c.Value == "" {
		return nil
	}
	var marks []string
	for mark := range strings.SplitSeq(c.Value, "/") {
		salt, sum, _ := strings.Cut(mark, ".")
		if len(salt) == saltLen && len(sum) == sumLen && len(marks) < knownAtAll { // what else was put there is not given back
			marks = append(marks, mark)
		}
	}
	return marks
}

func (b *Browser) knownMark(salt string, id idp.AccountID) string {
	return b.sum("known\x00" + salt + "\x00" + string(id))
}
