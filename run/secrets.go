package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
)

// drawn are the demonstration's secrets that nobody may guess: with the first
// one manages integrations, which may name files and variables of this machine,
// with the second their secrets can be read.
type drawn struct {
	adminToken string
	secretKey  string
}

// drawSecrets returns the same secrets for as long as the run's folder, with
// what they encrypt, is there.
func (s settings) drawSecrets() (d drawn, err error) {
	if d.adminToken, err = draw(s.in("admin.token")); err != nil {
		return drawn{}, err
	}
	d.secretKey, err = draw(s.in("secret.key"))
	return d, err
}

const drawnBytes = 32

// draw reads a secret from a file, or makes one: 32 random bytes in base64. What
// else stands in the file is not replaced, because something may hang on it.
func draw(file string) (string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return drawNew(file)
	}
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(data))
	if raw, err := base64.StdEncoding.DecodeString(secret); err != nil || len(raw) != drawnBytes {
		return "", fmt.Errorf("%s: want %d random bytes in base64; put back what stood there, or start anew with `make clean`", file, drawnBytes)
	}
	return secret, nil
}

// drawNew writes the file in one step: half a secret would be none.
func drawNew(file string) (string, error) {
	raw := make([]byte, drawnBytes)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	secret := base64.StdEncoding.EncodeToString(raw)
	fresh := file + ".new"
	return secret, errors.Join(os.WriteFile(fresh, []byte(secret+"\n"), 0o600), os.Rename(fresh, file))
}
