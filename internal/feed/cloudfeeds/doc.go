// Package cloudfeeds reads a Rackspace Cloud Feeds ticketing feed: an Atom feed
// that keeps about three days of entries and is read by polling.
//
// # The head is polled, not the marker
//
// Rackspace's own recipe ("Reading from Cloud Feeds") asks for what is newer
// than the newest entry seen. This package asks for the head, the newest
// 1,000 entries, at every poll and drops by id what it has handed over. Both
// cost one request a poll, and an unchanged head costs a 304, but only the head is
//
//   - right on both server generations. The PostgreSQL one takes a forward
//     marker exclusively, the DynamoDB one inclusively, and for the URL of one
//     tenant the latter answers every marker with an empty page;
//   - free of dead ends: a marker older than the retention is unknown (404),
//     which is what every feed that is quiet for three days runs into, and what a
//     change of host does at once;
//   - able to show entries that become visible late, behind newer ones: the
//     server stamps an entry before it commits it.
//
// A forward walk by marker is made only where a full head does not reach back
// to what is known: after a long stop, at a start or a rewind further back, and
// once per Config.Overlap while more than a page arrives within it, to find late entries
// that the head has no room for. A walk is one page a Read, oldest first, so
// that it survives a crash between any two pages; the head follows last.
//
// # What is remembered
//
// A position holds the hashes of the last entries handed over (at most 960) and
// three times: Settled, up to which late entries are no longer expected; Floor,
// up to which hashes were forgotten; Highest, the highest time ever handed
// over. What lies above Floor and is not among the hashes is new, however late
// it comes. Where neither the head nor a walk can reach, the window is reported
// as a gap, once. So is a stop longer than the server keeps entries: three days by
// its documentation, less where the last entry that was read is gone earlier.
package cloudfeeds
