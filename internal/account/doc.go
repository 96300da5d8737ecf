// Package account is the person's own room: where I am signed in, ending this, that, the others or all of it, and the change of
// the password. The same list is there for programs as JSON.
//
// What it calls a session outside is its ref, never its name. It ends nothing but through the door.
package account
