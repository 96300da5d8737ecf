// Package rptest helps to test websites that use package rp, and stores: [Memory] is a store that forgets everything when
// the process ends, and [Store] runs the contract of rp.Store as tests.
//
// It is for tests only. A website on Memory would sign everybody out at each restart, fail with two replicas, and forget
// what it owes to providers.
package rptest
