// Package edge is what stands between the network and the rooms: strict reading of what comes in, one way of answering
// errors, the headers every answer has, one log event per request.
//
// It refuses to become a grab-bag: nothing here knows a session, a token or a page, and nothing here decides who may do
// what.
package edge
