// Package demo shows the main job on one machine: Exeunt, two websites and an API, each on an address of its own, and a
// page that shows who is signed in where. [Check] does the whole of it by itself, over HTTP, and says what happened.
//
// It rests on package server as it is, on the public guard, and on an OpenID client library that is not ours. It refuses to
// reach into the server for anything that a website or an API could not have; only the start page, which shows all layers
// at once, and the making of accounts and clients read and write the database.
package demo
