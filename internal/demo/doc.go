// Package demo is the main job on one machine: Exeunt, two websites and an API, each on a loopback address of its own so that they
// share no cookies, a start page that shows the layers side by side, and a check that does the whole job by itself.
//
// Everything in it is real: the server that serve runs, an OpenID client library that is not ours in the websites, package guard in
// the API. It talks to Exeunt over HTTP only, but for making the accounts and apps before the first request.
package demo
