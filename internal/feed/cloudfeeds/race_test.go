//go:build race

package cloudfeeds

// The race detector makes the random runs ten times slower.
const raceDetector = true
