//go:build race

package acronis

// The race detector makes the random runs ten times slower.
const raceDetector = true
