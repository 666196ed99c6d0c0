//go:build !race

package acronis

const raceDetector = false
