package httpapi

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxFileName = 1024

// goodFileName says what a file cannot be called, and why. A name is shown to
// people: what turns the direction of text (Unicode's embeddings, overrides and
// isolates) lets a program look like a picture.
func goodFileName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return errors.New("missing: want the name of the file")
	case len(name) > maxFileName:
		return fmt.Errorf("want the name of the file, at most %d bytes", maxFileName)
	case !utf8.ValidString(name):
		return errors.New("is not valid UTF-8")
	}
	for _, sign := range name {
		switch {
		case unicode.IsControl(sign):
			return fmt.Errorf("has the control character %U", sign)
		case sign >= '\u202a' && sign <= '\u202e', sign >= '\u2066' && sign <= '\u2069':
			return fmt.Errorf("has a sign that turns the direction of text, %U", sign)
		}
	}
	return nil
}
