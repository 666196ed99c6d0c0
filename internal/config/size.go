package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes that is written "256MB" or "2GB" in the environment;
// a MB has 1,048,576 bytes.
type Size int64

const (
	megabyte = 1 << 20
	gigabyte = 1 << 30
)

// UnmarshalText never quotes the text in its error.
func (s *Size) UnmarshalText(text []byte) error {
	digits, unit := string(text), int64(0)
	for suffix, bytes := range map[string]int64{"MB": megabyte, "GB": gigabyte} {
		if before, found := strings.CutSuffix(digits, suffix); found {
			digits, unit = before, bytes
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || unit == 0 || n < 0 || n > math.MaxInt64/unit {
		return errors.New(`want a size like "256MB" or "2GB"`)
	}
	*s = Size(n * unit)
	return nil
}
