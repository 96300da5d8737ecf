package browser

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"exeunt.dev/internal/idp"
)

// markLen is the length of a mark, in characters: it is shown to nobody but the browser that has it.
const markLen = 12

// Ask notes in the browser that signs out which apps it is asked to sign out of by frames. The receipt says so there; whether the
// apps heard it nobody knows.
func (b *Browser) Ask(w http.ResponseWriter, id idp.ReceiptID, apps []idp.ClientID) {
	marks := make([]string, len(apps))
	for i, a := range apps {
		marks[i] = b.askedMark(id, a)
	}
	b.set(w, b.asked, strings.Join(marks, "."), ReceiptLife, false)
}

// Asked says whether the app was asked in this browser when it got the receipt.
func (b *Browser) Asked(r *http.Request, id idp.ReceiptID, app idp.ClientID) bool {
	c, err := r.Cookie(b.asked)
	if err != nil {
		return false
	}
	mark, found := b.askedMark(id, app), 0
	for given := range strings.SplitSeq(c.Value, ".") {
		found |= subtle.ConstantTimeCompare([]byte(mark), []byte(given))
	}
	return found == 1
}

func (b *Browser) askedMark(id idp.ReceiptID, app idp.ClientID) string {
	return b.sum("asked\x00" + string(id) + "\x00" + string(app))[:markLen]
}
