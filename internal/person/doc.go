// Package person serves pages and forms to who is signed in, for the rooms that have such pages: a page leads to the sign-in and back, a
// form must come from a page of ours in this browser, and a dangerous act asks again who it is.
//
// It ends nothing, and knows nothing of what the pages do.
package person
