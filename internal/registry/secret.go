package registry

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/seal"
)

const (
	secretPointer = "/provider_config/credential/secret"
	// OpenPrefix begins the names of the variables that integrations made by the API
	// may refer to. Who manages integrations can have a secret sent to any address,
	// and so read it: the rest of the environment is not theirs.
	OpenPrefix = "INTEGRATION_"
)

func isSealed(secret string) bool { return strings.HasPrefix(secret, seal.Prefix) }

func isReference(secret string) bool {
	return strings.HasPrefix(secret, "env:") || strings.HasPrefix(secret, "file:")
}

// closeSecret puts in the place of a secret what nobody can read.
func (r *Registry) closeSecret(name string, keys map[string]any, before *contract.IntegrationSpec) error {
	credential, has := keys["credential"].(map[string]any)
	if !has {
		return nil // whether the type needs one is checked with everything else
	}
	secret, isText := credential["secret"].(string)
	switch {
	case !isText && credential["secret"] != nil:
		return invalid(secretPointer, "want a text")
	case secret == "" || secret == Stored:
		return keepSecret(keys, credential, before)
	case isSealed(secret):
		return invalid(secretPointer, "give the secret itself, a reference, or %q to keep the one that is there", Stored)
	case isReference(secret):
		return nil // parse looks whether it may be used
	}
	sealed, err := r.Keys.Seal(contract.IntegrationID(name), secret)
	if err != nil {
		return invalid(secretPointer, "%s", err)
	}
	credential["secret"] = sealed
	return nil
}

// keepSecret takes over the secret that is there. It goes only where it went
// before: who may change an address must not get to read secrets by it.
func keepSecret(keys, credential map[string]any, before *contract.IntegrationSpec) error {
	if before == nil {
		if credential["secret"] == Stored {
			return invalid(secretPointer, "there is none stored yet")
		}
		return nil
	}
	var old map[string]any
	if err := json.Unmarshal(before.ProviderConfig, &old); err != nil {
		return err
	}
	oldCredential, _ := old["credential"].(map[string]any)
	if oldCredential["secret"] == nil {
		return nil
	}
	for at, same := range map[string]bool{
		"type": keys["type"] == old["type"], "url": keys["url"] == old["url"],
		"credential/type":      credential["type"] == oldCredential["type"],
		"credential/token_url": credential["token_url"] == oldCredential["token_url"],
	} {
		if !same {
			return invalid("/provider_config/"+at, "is another one; give the secret again, so that none is sent where it did not belong")
		}
	}
	credential["secret"] = oldCredential["secret"]
	return nil
}

// checkReference refuses references to secrets that are not open to the API.
func (r *Registry) checkReference(providerConfig []byte) error {
	var keys struct {
		Credential struct {
			Secret string `json:"secret"`
		} `json:"credential"`
	}
	// What is no such object is refused where all of it is read.
	_ = json.Unmarshal(providerConfig, &keys)
	kind, name, _ := strings.Cut(keys.Credential.Secret, ":")
	refuse := func(message string) error {
		return config.Problems{{Path: "credential.secret", Message: message}}
	}
	switch {
	case kind == "env" && !strings.HasPrefix(name, OpenPrefix):
		return refuse("by the API only variables whose names begin with " + OpenPrefix + " can be referred to; give the secret itself, which is encrypted")
	case kind == "file" && r.SecretDir == "":
		return refuse("by the API no files can be referred to, unless TICKETBRIDGE_SECRET_DIR names their folder; give the secret itself, which is encrypted")
	case kind == "file" && !within(r.SecretDir, name):
		return refuse("by the API only files in the folder that TICKETBRIDGE_SECRET_DIR names can be referred to")
	}
	return nil
}

// within reports whether a path is that of something in a folder, as it is written.
func within(dir, path string) bool {
	rest, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsAbs(path) && filepath.IsLocal(rest) && rest != "."
}
