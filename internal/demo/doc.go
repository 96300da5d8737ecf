// Package demo shows the main job on one machine: Exeunt, two websites, a single-page app, a native app and an API, each on an
// address of its own, and a page that shows who is signed in where. [Demo.Check] does the whole of it by itself, over HTTP, and
// says what happened.
//
// It rests on package server as it is, and on what anybody has: package rp for the websites, the examples for the two other apps,
// package guard for the API. It refuses to reach into the server for anything that a website or an API could not have; only the
// start page, which shows all layers at once, the making of accounts and clients, and the operator's acts read and write the
// databases.
package demo
