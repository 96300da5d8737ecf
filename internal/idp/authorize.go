package idp

// AuthorizeRequest is a validated authorization request while it waits, as JSON in a [Pending]. Its redirect URI has been
// compared with the registered ones before the row was written.
type AuthorizeRequest struct {
	ClientID     ClientID  `json:"client_id"`
	RedirectURI  string    `json:"redirect_uri"`
	ResponseMode string    `json:"response_mode,omitempty"` // query or form_post
	State        string    `json:"state,omitempty"`
	Nonce        string    `json:"nonce,omitempty"`
	Challenge    string    `json:"code_challenge,omitempty"` // S256
	Key          string    `json:"dpop_jkt,omitempty"`       // that the code will be bound to
	Scopes       []string  `json:"scopes,omitempty"`
	Resources    []string  `json:"resources,omitempty"`
	Prompt       []string  `json:"prompt,omitempty"`
	MaxAge       *int64    `json:"max_age,omitempty"` // seconds
	LoginHint    string    `json:"login_hint,omitempty"`
	HintSubject  AccountID `json:"hint_subject,omitempty"` // sub of a verified id_token_hint
	UILocales    string    `json:"ui_locales,omitempty"`

	// Decided while it waits.
	Choose  bool `json:"choose,omitempty"`  // a human must confirm who signs in, even with a live session
	Consent bool `json:"consent,omitempty"` // a consent page is due
	Denied  bool `json:"denied,omitempty"`  // the person said no
	Other   Hash `json:"other,omitzero"`    // cookie of the sign-in that will not do: too old, or the person turned away from it
	Saw     Mark `json:"saw,omitzero"`      // what stood when the human acted
}

// Mark is the mark "must ask a human" as it stood at a moment: whether it did, and by which grant's end.
type Mark struct {
	Stood bool `json:"stood,omitempty"`
	Grant Name `json:"grant,omitzero"`
}

// Mark of a slot, now.
func (s *Slot) Mark() Mark {
	if !s.MustAsk {
		return Mark{}
	}
	return Mark{Stood: true, Grant: s.Grant}
}

// Acted says whether a human has acted, in this session, on the request that waits in row, and since the mark was left that
// stands in the slot, if one does: what somebody said before signing the app out is no word about what comes after.
func (q *AuthorizeRequest) Acted(row *Pending, session Name, slot *Slot) bool {
	return row != nil && row.Session == session && row.ActedAt != 0 && (!slot.MustAsk || q.Saw == slot.Mark())
}
