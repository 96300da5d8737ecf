package web

import (
	"errors"
	"net/http"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

// ErrExpired says that a half-finished thing is over, unknown, or another browser's.
var ErrExpired = errors.New("this page has expired")

// Fail shows an error to a person: bad input with its words, everything else without. The details go to the log.
func (p *Pages) Fail(w http.ResponseWriter, r *http.Request, err error) {
	var input *edge.Error
	var invalid *idp.InvalidError
	var limited *idp.LimitedError
	m := Message{Title: "Something went wrong", Text: "Please try again in a moment.", RequestID: edge.RequestID(r.Context())}
	status := http.StatusInternalServerError
	switch {
	case errors.As(err, &input):
		status, m.Title, m.Text = input.Status, "This request is not right", Say("Go back and try again; if that does not help, tell the makers of the app.")
		if m.Detail = input.Description; input.Said != nil {
			m.Text, m.Detail = Sentences(input.Said, m.Text), nil
		}
	case errors.As(err, &invalid):
		status, m.Title, m.Text = http.StatusBadRequest, "This request is not right", invalid.Sentence
	case errors.As(err, &limited):
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", limited.RetryAfter())
		m.Title, m.Text = "Too many attempts", "Please wait a moment and try again."
	case errors.Is(err, ErrExpired):
		status, m.Title, m.Text = http.StatusBadRequest, "This page has expired", "Go back to the app that you came from and try again."
	case edge.Down(err):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
		if m.Title, m.Text = "Not available just now", "Nothing was changed. Please try again in a moment."; errors.Is(err, idp.ErrUnknown) {
			m.Text = "It is not known whether this was done. Please look, and try again in a moment."
		}
	}
	edge.Note(r.Context(), "error", err.Error())
	p.Render(w, r, status, m)
}
