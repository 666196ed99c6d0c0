//go:build !race

package cloudfeeds

const raceDetector = false
