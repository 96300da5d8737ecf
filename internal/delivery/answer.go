package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/outbound"
)

// verdict is what an answer, or none, means.
type verdict struct {
	state    idp.DeliveryState // Confirmed, Refused, or Owed: try again
	answered bool              // the app is alive
	status   int
	wait     time.Duration // at least; 0: not said
	words    string        // for operators
}

// read judges an attempt. 200 and 204 are success; only what may recover is tried again: no or no whole answer, 408, 425, 429 and
// 5xx (Back-Channel Logout 1.0 sections 2.5 and 2.8). Everything else is final.
func read(a outbound.Answer, err error) verdict {
	var e *outbound.Error
	switch {
	case errors.As(err, &e):
		return unanswered(e)
	case err != nil:
		return verdict{state: idp.Owed, words: "the call failed"}
	}
	v := verdict{state: idp.Refused, answered: true, status: a.Status, words: said(a)}
	switch {
	case a.Status == http.StatusOK || a.Status == http.StatusNoContent:
		v.state, v.words = idp.Confirmed, ""
	case a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable:
		v.state, v.wait = idp.Owed, a.RetryAfter
	case a.Status >= 500 || a.Status == http.StatusRequestTimeout || a.Status == http.StatusTooEarly:
		v.state = idp.Owed
	}
	v.answered = a.Status < 500
	return v
}

func unanswered(e *outbound.Error) verdict {
	v := verdict{state: idp.Owed, status: e.Status, words: e.Error()}
	switch e.Kind {
	case outbound.TooLarge, outbound.Interim:
		// Its status has come, and says all.
		return read(outbound.Answer{Status: e.Status, RetryAfter: e.RetryAfter}, nil)
	case outbound.BadRequest, outbound.RefusedAddress, outbound.Redirect:
		v.state, v.answered = idp.Refused, true
	}
	return v
}

// said is the answer's status with the app's own error code, if it is one (section 2.8: for debugging only).
func said(a outbound.Answer) string {
	out := fmt.Sprintf("it answered %d", a.Status)
	var body struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(a.Body, &body) == nil && body.Error != "" && len(body.Error) <= 64 && strings.Trim(body.Error, "abcdefghijklmnopqrstuvwxyz_") == "" {
		out += " " + body.Error
	}
	return out
}
