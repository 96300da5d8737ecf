// Package websites holds tests of websites on package rp against a real Exeunt: sign-in, each layer of sign-out, logout
// tokens, and three replicas in processes of their own behind a round-robin proxy, killed in the middle.
package websites
