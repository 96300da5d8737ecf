// Package faults proves the promises on the real program: the command in processes of its own, killed, frozen, cut off and
// restarted while people sign in, refresh and sign out; guards that follow the ledger meanwhile; and a set as the oracle,
// against which every credential of everybody is tried after every blow.
package faults
