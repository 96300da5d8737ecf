// Package ledger is the wire format of the feed: what a node of Exeunt sends to a guard so that the guard knows which
// names have ended.
//
// It rests on the standard library. It does no I/O beyond the reader or writer it is handed, keeps no state between
// calls and asks no clock. It refuses whatever it does not know in full: an unknown kind of frame, another version, a
// byte too many, a number left out. A skipped ending would be a token that lives again, so nothing is ever skipped.
//
// # Words
//
// A [Name] is 96 random bits, used once. An [Entry] says that a name is over and until when somebody could still hold
// an unexpired token that hangs on it. Entries are numbered 1, 2, 3, ... in commit order, without gaps; the number of
// an entry is never written, it follows from its position. A [Head] is how far the ledger has come. A [Lineage] is
// one uninterrupted history of those numbers; a restored backup begins another.
//
// All integers are big-endian. All three endpoints are below the issuer's address, demand HTTP Basic authentication
// of a client of kind "api" (id and secret form-urlencoded first, RFC 6749 section 2.3.1) and answer with
// Cache-Control: no-store.
//
//	401  no or wrong credentials (WWW-Authenticate: Basic)
//	403  a client of another kind
//	503  the node cannot read the ledger now; Retry-After
//	400  a malformed question or query
//
// # The tail: GET /ledger?after=N&lineage=L
//
// L is a lineage in text form (22 base64url characters), N a decimal number. The answer is 200 with content type
// [TypeTail], flushed frame by frame and never ending on its own: a first hello frame, then entries frames from
// number N+1 on, and a ping at least every 15 seconds of silence ([PingInterval]). What has been committed when the
// request arrives is sent at once.
//
// The answer is 410 Gone, decided before the first byte, when N is below what the node retains, when L is not its
// lineage, or when N is above its head: the guard must take a snapshot. A node that cannot go on (a reader too slow, a
// shutdown, a retained range that has moved past) closes the connection; the guard resumes by number. What arrives on
// the tail proves nothing about freshness, pings least of all.
//
//	frame    = length(4) kind(1) payload        length counts kind and payload, at most MaxFrame
//	hello    = kind 1: version(1)=1 lineage(16) after(8)
//	entries  = kind 2: first(8) time(8) count(4) entry*count      count 1..MaxEntries
//	ping     = kind 3: empty
//	entry    = name(12) until(4)
//
// The first frame is a hello, no other is. The first entries frame has first = after+1, each next one continues where
// the last one stopped. time is ledger time, Unix milliseconds: that of the commit of the last entry, or later.
//
// # The snapshot: GET /ledger/snapshot
//
// 200 with content type [TypeSnapshot] and a Content-Length: all entries up to head.number whose until has not passed,
// taken from one database snapshot, in strictly ascending order of name (a name that was ended twice has one entry, with
// the larger until), and a SHA-256 over everything before it, so that truncation and damage are noticed.
//
//	snapshot = magic(8)="exeuntL\x00" version(1)=1 lineage(16) number(8) time(8) count(8) entry*count sha256(32)
//
// # The beat: POST /ledger/beat
//
// The freshness proof: question of content type [TypeBeat], answer 200 of the same type. Head must come from a read of
// the counter row on the primary that began after the question arrived; if that read fails, answer 503.
//
//	question = version(1)=1 nonce(16) lineage(16) after(8)
//	answer   = version(1)=1 flags(1) nonce(16) lineage(16) number(8) time(8) first(8) count(4) entry*count
//	flags    = 1 more: the entries do not reach number; ask again with a new nonce
//	           2 snapshot: after is below the retained range, or the lineage is another; take a snapshot
//
// lineage, number and time in the answer are the head. Entries start at first = after+1 and there are at most
// [MaxEntries] (64 KiB); first is 0 when count is 0. Without a flag the entries reach head.number, or there are none
// because after = head.number. With "snapshot" there are none. An all-zero lineage in a question means that the guard
// holds nothing yet; the answer is "snapshot". A question whose after lies above the head of its own lineage is
// answered with the head, no entries and no flag; the guard concludes that history was rewritten and starts over.
package ledger
