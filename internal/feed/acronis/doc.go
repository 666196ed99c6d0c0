// Package acronis reads events of the Acronis Event Manager, API version 1.
//
// The vendor's tutorial ("Listening for the events") and its OpenAPI document
// disagree in places: the path of a topic's offsets, whether an offset can be
// committed, how a poll without news is answered, and defaults. Both are
// accepted, and every parameter is sent.
//
// A subscription delivers to one consumer at a time, the one that reads it; the
// others are told to wait (429). The consumer's id comes with every step and is
// the same for the life of a feed, so that another worker goes on at once.
//
// An offset lies between two events of a topic. The answer's offset is where to
// read on: it also moves past events that the subscription does not want. The
// position moves, and an offset is committed, only by a step that follows the
// hand-over.
package acronis
