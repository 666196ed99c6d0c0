// Package seal turns secrets into ciphertext that may be kept in Temporal, under
// keys that never are: AES-256 in GCM, with a random nonce, bound to its owner.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Prefix is how a sealed secret begins.
const Prefix = "sealed:"

const (
	version = "v1"
	keySize = 32
	// idSize is how many bytes of a key's hash name it.
	idSize = 4
)

// ErrNoKey: there is no key to seal with.
var ErrNoKey = errors.New("there is no key to encrypt secrets with: set TICKETBRIDGE_SECRET_KEYS, or give the secret as a reference (env:NAME or file:/path)")

// Keys seal with the first and open with whichever sealed. The zero value has none.
type Keys struct {
	keys []key
}

type key struct {
	id   string
	aead cipher.AEAD
}

// NewKeys reads keys of 32 bytes in base64, separated by commas, the one to seal
// with first. No error quotes a key.
func NewKeys(text string) (Keys, error) {
	var all Keys
	for i, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		raw, err := base64.StdEncoding.DecodeString(part)
		if err != nil || len(raw) != keySize {
			return Keys{}, fmt.Errorf("key %d: want %d random bytes in base64, as `openssl rand -base64 %d` prints them", i+1, keySize, keySize)
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return Keys{}, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return Keys{}, err
		}
		sum := sha256.Sum256(raw)
		all.keys = append(all.keys, key{id: hex.EncodeToString(sum[:idSize]), aead: aead})
	}
	return all, nil
}

// Seal encrypts a secret for an owner; only for the same owner it opens again.
func (k Keys) Seal(owner, secret string) (string, error) {
	if len(k.keys) == 0 {
		return "", ErrNoKey
	}
	first := k.keys[0]
	nonce := make([]byte, first.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	box := first.aead.Seal(nonce, nonce, []byte(secret), []byte(owner))
	return Prefix + version + ":" + first.id + ":" + base64.RawStdEncoding.EncodeToString(box), nil
}

// Open decrypts what Seal gave for the same owner.
func (k Keys) Open(owner, sealed string) (string, error) {
	parts := strings.Split(strings.TrimPrefix(sealed, Prefix), ":")
	if !strings.HasPrefix(sealed, Prefix) || len(parts) != 3 || parts[0] != version {
		return "", errors.New("this is no sealed secret")
	}
	box, err := base64.RawStdEncoding.DecodeString(parts[2])
	if err != nil {
		return "", errors.New("the sealed secret is damaged")
	}
	for _, key := range k.keys {
		if key.id != parts[1] {
			continue
		}
		size := key.aead.NonceSize()
		if len(box) < size {
			return "", errors.New("the sealed secret is damaged")
		}
		secret, err := key.aead.Open(nil, box[:size], box[size:], []byte(owner))
		if err != nil {
			return "", errors.New("the sealed secret is damaged, or was sealed for another integration")
		}
		return string(secret), nil
	}
	return "", fmt.Errorf("the key %s that this secret was sealed with is not among TICKETBRIDGE_SECRET_KEYS; add it, or give the secret again", parts[1])
}
