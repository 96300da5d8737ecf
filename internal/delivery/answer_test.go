package delivery

import (
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/outbound"
)

// An answer whose body was not read is judged by its status, as one with a body is.
func TestRead_AnswersWithoutBody(t *testing.T) {
	const wait = 20 * time.Minute
	for status, want := range map[int]verdict{
		101: {state: idp.Refused, answered: true, status: 101, words: "it answered 101"},
		200: {state: idp.Confirmed, answered: true, status: 200},
		404: {state: idp.Refused, answered: true, status: 404, words: "it answered 404"},
		429: {state: idp.Owed, answered: true, status: 429, wait: wait, words: "it answered 429"},
		500: {state: idp.Owed, status: 500, words: "it answered 500"},
		503: {state: idp.Owed, status: 503, wait: wait, words: "it answered 503"},
	} {
		e := &outbound.Error{Kind: outbound.TooLarge, Host: "example.com", Status: status, RetryAfter: wait}
		if status == 101 {
			e.Kind = outbound.Interim
		}
		if got := read(outbound.Answer{}, e); got != want {
			t.Errorf("%d: %+v, want %+v", status, got, want)
		}
	}
}
