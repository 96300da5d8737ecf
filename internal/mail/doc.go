// Package mail writes letters to people and sends them by SMTP.
//
// A letter is a row, written in the transaction of what causes it and encrypted, since it may hold links; a worker sends it and
// deletes the row. It rests on idp.Store, the vault and a library for SMTP. It refuses addresses and subjects that could add a header,
// more letters an hour to one address than its limits say, and a mail server that it cannot reach by TLS unless that is on this machine.
//
// A letter is sent at most once where that can be known. If the server is lost after it was given the whole letter, nobody knows, and
// it is sent again under the same Message-ID: a letter may come twice.
package mail
