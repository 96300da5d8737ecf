// Package storetest is the contract of idp.Store as tests: a database passes only by keeping S1 to S4. It rests on idp and
// on the door, which is a store's biggest user, and knows nothing of any database. What needs a particular one (a killed
// process, a failing disk) is tested beside that one.
package storetest
