package config

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
)

const redacted = "[redacted]"

// maxSecretBytes is the largest secret file that is read.
const maxSecretBytes = 64 << 10

var (
	errLiteralSecret = errors.New(`a secret must not stand in the file; put it into an environment variable and write "env:NAME", or into a file and write "file:/path"`)
	variableName     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// Secret is a text that is never shown: every way of printing or encoding it
// gives "[redacted]". In the configuration it is written env:NAME or file:/path;
// its value is read once, when the configuration is loaded. An integration made
// by the API may have it sealed.
type Secret struct {
	reference string
	// value is a pointer because fmt follows none inside unexported fields,
	// where it cannot ask this type how it wants to be printed.
	value *string
}

// NewSecret is a secret with a value at hand.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal is the secret's value.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Reference is how the secret was written: env:NAME, file:/path or sealed:...
func (s Secret) Reference() string { return s.reference }

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Equal compares in constant time.
func (s Secret) Equal(value string) bool {
	a, b := sha256.Sum256([]byte(s.Reveal())), sha256.Sum256([]byte(value))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func (s Secret) String() string               { return redacted }
func (s Secret) GoString() string             { return redacted }
func (s Secret) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (s Secret) MarshalYAML() (any, error)    { return redacted, nil }

// UnmarshalText takes the reference; resolve reads what it refers to.
func (s *Secret) UnmarshalText(text []byte) error {
	kind, name, ok := strings.Cut(string(text), ":")
	switch {
	case !ok || (kind != "env" && kind != "file" && kind != "sealed"):
		return errLiteralSecret
	case kind == "env" && !variableName.MatchString(name):
		return errors.New(`want "env:NAME" with the name of an environment variable (letters, digits and _)`)
	case kind == "file" && name == "":
		return errors.New(`want "file:/path"`)
	}
	s.reference = string(text)
	return nil
}

// resolve reads the value. A relative path is taken from dir.
func (s *Secret) resolve(dir string) error {
	kind, name, _ := strings.Cut(s.reference, ":")
	if kind == "env" {
		value, ok := os.LookupEnv(name)
		switch {
		case !ok:
			return fmt.Errorf("the environment variable %s is not set", name)
		case strings.TrimSpace(value) == "":
			return fmt.Errorf("the environment variable %s is empty", name)
		}
		s.value = &value
		return nil
	}
	value, err := readSecret(relativeTo(dir, name))
	if err != nil {
		return err
	}
	s.value = &value
	return nil
}

// readSecret is a file's text without the line break that editors put at its end.
func readSecret(path string) (string, error) {
	data, err := readFile(path, maxSecretBytes)
	if err != nil {
		return "", fmt.Errorf("the secret's file cannot be read: %w", err)
	}
	value := strings.TrimRight(string(data), "\r\n")
	switch {
	case len(data) > maxSecretBytes:
		return "", fmt.Errorf("the secret's file %s is larger than %d KB", path, maxSecretBytes>>10)
	case strings.TrimSpace(value) == "":
		return "", fmt.Errorf("the secret's file %s is empty", path)
	}
	return value, nil
}

// ReadSecret reads the secret that a reference (env:NAME or file:/path) names.
func ReadSecret(reference string) (Secret, error) {
	var s Secret
	if err := s.UnmarshalText([]byte(reference)); err != nil {
		return s, err
	}
	return s, s.resolve(".")
}
