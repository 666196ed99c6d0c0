package config

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/config/strictyaml"
)

// validName: names are part of workflow ids, metric labels and addresses.
var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// name checks a name, and that no earlier one of its kind has it.
func (c *checker) name(path, name string, earlier map[string]string) {
	if !c.require(path, name) {
		return
	}
	if !validName.MatchString(name) {
		c.problem(path, "%q: want lower-case letters, digits, - and _, beginning with a letter or digit, at most 63", name)
		return
	}
	if first, again := earlier[name]; again {
		c.problem(path, "%q is the name of %s already (line %d)", name, first, c.doc.Line(first))
		return
	}
	earlier[name] = strings.TrimSuffix(path, ".name")
}

// url checks an address and gives it without a slash at its end. The address is
// never quoted: it may hold a password.
func (c *checker) url(path, text string) string {
	if !c.require(path, text) {
		return text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(u.Host, " \t"):
		c.problem(path, "want an address like https://host/path")
	case u.User != nil:
		c.problem(path, "must not hold a user name or password; write them as the credential")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		c.problem(path, "must end before the ? or #; parameters are added by ticketbridge")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		c.warn(path, "uses http: credentials and tickets cross the network unencrypted")
	}
	return strings.TrimRight(text, "/")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// credential checks that the type is one of allowed, has what it needs and
// nothing else.
func (c *checker) credential(path string, credential *Credential, allowed []string) {
	if len(allowed) == 0 {
		if c.doc.Has(path) {
			c.problem(path, "this type has no credential")
		}
		return
	}
	if !c.doc.Has(path) {
		c.problem(path, "missing")
		return
	}
	if !c.oneOf(path+".type", credential.Type, allowed) {
		c.secret(path+".secret", &credential.Secret, false)
		return
	}
	required, optional := credentialKeys(credential.Type)
	texts := map[string]string{
		"username": credential.Username, "client_id": credential.ClientID,
		"identity_url": credential.IdentityURL, "token_url": credential.TokenURL,
	}
	for _, key := range []string{"username", "client_id", "identity_url", "token_url"} {
		at := path + "." + key
		switch {
		case slices.Contains(required, key):
			c.require(at, texts[key])
		case !slices.Contains(optional, key) && c.doc.Has(at):
			c.problem(at, "a credential of type %s does not have this key", credential.Type)
		}
	}
	if at := path + ".requests_per_minute"; c.doc.Has(at) {
		switch {
		case !slices.Contains(optional, "requests_per_minute"):
			c.problem(at, "a credential of type %s does not have this key", credential.Type)
		case credential.RequestsPerMinute < 1:
			c.problem(at, "want at least 1")
		}
	}
	if c.doc.Has(path + ".identity_url") {
		credential.IdentityURL = c.url(path+".identity_url", credential.IdentityURL)
	}
	if c.doc.Has(path + ".token_url") {
		credential.TokenURL = c.url(path+".token_url", credential.TokenURL)
	}
	c.secret(path+".secret", &credential.Secret, true)
}

// secret reads the value that a secret refers to.
func (c *checker) secret(path string, secret *Secret, required bool) {
	switch {
	case secret.reference == "":
		switch {
		case required && c.open != nil:
			c.problem(path, "missing")
		case required:
			c.problem(path, `missing; write "env:NAME" or "file:/path"`)
		}
	case strings.HasPrefix(secret.reference, "sealed:"):
		c.sealed(path, secret)
	default:
		if err := secret.resolve(c.dir); err != nil {
			c.problem(path, "%s", err)
		}
	}
}

// sealed opens a secret that the integrations API keeps.
func (c *checker) sealed(path string, secret *Secret) {
	if c.open == nil {
		c.problem(path, `sealed secrets are kept by the integrations API; write "env:NAME" or "file:/path"`)
		return
	}
	value, err := c.open(secret.reference)
	if err != nil {
		c.problem(path, "%s", err)
		return
	}
	secret.value = &value
}

// integrationExists checks a reference to an integration.
func (c *checker) integrationExists(path, name string) {
	if !c.require(path, name) {
		return
	}
	var names []string
	for _, integration := range c.cfg.Integrations {
		names = append(names, integration.Name)
	}
	switch {
	case slices.Contains(names, name):
	case c.cfg.Managed() && validName.MatchString(name):
		c.warn(path, "the integration %q is not in this file%s; it has to be made by the integrations API", name, strictyaml.Suggest(name, names))
	default:
		c.problem(path, "there is no integration %q%s", name, strictyaml.Suggest(name, names))
	}
}
