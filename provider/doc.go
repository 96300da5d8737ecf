// Package provider says what each upstream provider can do: how people sign in through it, how a website takes a consent
// back there, whether it has a sign-out that a website may send people to, and where the person does by hand what no call
// does. It is data as far as data will do: [Provider] is a value with exported fields, and a constructor such as [GitHub]
// fills it in. Whatever is not right for a website is changed in the value before it is used:
//
//	p := provider.GitHub(id, secret)
//	p.Scopes = append(p.Scopes, "repo")
//
// It rests on what the providers document; Source names the page for each call. Package rp does the talking.
//
// It refuses to guess: a provider without a documented call has none here, and the link for the person instead. "Already
// gone" counts as done only where the provider's answer says so and nothing else gives that answer.
package provider
