package admin

import (
	"strings"

	"exeunt.dev/internal/web"
)

// Why an attempt came to nothing is kept as one sentence in English, which programs get. whyWords are its words for people; one that is
// not here is shown as it is.
func whyWords(why string) web.Words {
	if status, ok := strings.CutPrefix(why, "it answered "); ok && status != "" && status[0] <= '9' {
		return web.Say("it answered %s", verbatim(status))
	}
	if status, ok := strings.CutPrefix(why, "status "); ok {
		return web.Say("it answered %s", verbatim(status))
	}
	if host, rest, ok := strings.Cut(why, ": "); ok {
		if words := failureWords(rest); words != nil {
			return web.Say("%s: %s", verbatim(host), words)
		}
	}
	if words := failureWords(why); words != nil {
		return words
	}
	return verbatim(why)
}

func whyCell(why string) web.Cell {
	if why == "" {
		return web.Cell{}
	}
	return web.Cell{Said: whyWords(why)}
}

// failureWords are those of package outbound, and of what calls by it.
func failureWords(sentence string) web.Words {
	switch sentence {
	case "this is no address that can be called":
		return "this is no address that can be called"
	case "its address is in a network that the operator has not allowed":
		return "its address is in a network that the operator has not allowed"
	case "its name could not be resolved":
		return "its name could not be resolved"
	case "its certificate or its TLS was not accepted":
		return "its certificate or its TLS was not accepted"
	case "it did not answer in time":
		return "it did not answer in time"
	case "its answer was too large":
		return "its answer was too large"
	case "it answered with a redirect, which is not followed":
		return "it answered with a redirect, which is not followed"
	case "the call was given up":
		return "the call was given up"
	case "it could not be reached, or broke off":
		return "it could not be reached, or broke off"
	case "the call failed", "the call could not be made":
		return "the call could not be made"
	case "the app has no backchannel_logout_uri any more":
		return "the app has no backchannel_logout_uri any more"
	case "no answer":
		return "no answer"
	case "no token of the kind that the call needs":
		return "no token of the kind that the call needs"
	case "the token was issued to another registration":
		return "the token was issued to another registration"
	case "the provider is not configured any more":
		return "the provider is not configured any more"
	case "the tokens cannot be opened with this key file":
		return "the tokens cannot be opened with this key file"
	}
	return nil
}

// untold says to people why an app is not told; operate.Untold says it to programs.
func untold(objection string) web.Words {
	if objection == "" {
		return nil
	}
	var why web.Words = verbatim(objection)
	if host, ok := strings.CutSuffix(objection, " is not a public address"); ok {
		why = web.Say("%s is not a public address", verbatim(host))
	} else if host, ok := strings.CutSuffix(objection, " is a public address, and those are called by https only"); ok {
		why = web.Say("%s is a public address, and those are called by https only", verbatim(host))
	}
	return web.Say("This app will not be told of sign-outs: %s. If it is in a network of yours, name that network in allow_networks under apps: in the configuration.", why)
}
