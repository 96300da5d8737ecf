package operate

import (
	"slices"
	"strings"

	"exeunt.dev/internal/idp"
)

// EventKind reads of which kind events are asked for; "" is any. What refuses another names all: pages offer them to choose from, so
// that it is read by who writes addresses or commands, and is in English only.
func EventKind(text string) (idp.EventKind, error) {
	kind, all := idp.EventKind(text), idp.EventKinds()
	if text == "" || slices.Contains(all, kind) {
		return kind, nil
	}
	return "", &idp.InvalidError{Field: "kind", Sentence: "A kind of event is " + EventKindList() + "."}
}

// EventKindList is all kinds, for a sentence.
func EventKindList() string {
	var words []string
	for _, k := range idp.EventKinds() {
		words = append(words, string(k))
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
