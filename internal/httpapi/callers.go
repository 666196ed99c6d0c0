package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Caller is who calls, and whose tickets the calls are about. A caller sees and
// changes what belongs to its own integration only.
type Caller struct {
	Name        string
	Integration string
	// CatalogAccount is the R-Service account that events are matched in.
	CatalogAccount string
	// Person is the "current user" of the Events API's rules: an e-mail address.
	Person string
	// Admin may manage integrations; it may have none itself.
	Admin bool
}

// Callers knows the tokens. CallerByToken takes equally long for every token of
// the same kind. Its error says that it cannot be known now.
type Callers interface {
	CallerByToken(ctx context.Context, token string) (Caller, bool, error)
}

// Token lets a caller in.
type Token struct {
	Token  string
	Caller Caller
}

// Tokens are Callers from a fixed list. Only hashes of the tokens are kept.
type Tokens struct {
	entries []tokenEntry
}

type tokenEntry struct {
	hash   [sha256.Size]byte
	caller Caller
}

// NewTokens refuses empty tokens and tokens that two callers share.
func NewTokens(tokens ...Token) (*Tokens, error) {
	t := &Tokens{}
	owner := map[[sha256.Size]byte]string{}
	for _, token := range tokens {
		hash := sha256.Sum256([]byte(token.Token))
		other, taken := owner[hash]
		switch {
		case token.Token == "":
			return nil, fmt.Errorf("caller %q: its token is empty", token.Caller.Name)
		case taken:
			return nil, fmt.Errorf("callers %q and %q have the same token; give each its own", other, token.Caller.Name)
		}
		owner[hash] = token.Caller.Name
		t.entries = append(t.entries, tokenEntry{hash: hash, caller: token.Caller})
	}
	return t, nil
}

// CallerByToken compares with every entry, whether one was found or not.
func (t *Tokens) CallerByToken(_ context.Context, token string) (Caller, bool, error) {
	hash := sha256.Sum256([]byte(token))
	found := -1
	for i := range t.entries {
		equal := subtle.ConstantTimeCompare(hash[:], t.entries[i].hash[:])
		found = subtle.ConstantTimeSelect(equal, i, found)
	}
	if found < 0 {
		return Caller{}, false, nil
	}
	return t.entries[found].caller, true, nil
}

// tokenOf reads the bearer token, or the user name of HTTP Basic, which is how
// older clients send theirs. It is empty when the call has neither.
func tokenOf(r *http.Request) string {
	if user, _, ok := r.BasicAuth(); ok {
		return user
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// accountHeaders select the account a call works in. The vendor's product has
// had several names, and its clients send all of them.
var accountHeaders = [...]string{"X-RService-Account", "X-R-Service-Account", "X-Xurrent-Account", "X-4me-Account"}

var errOtherAccount = errors.New("other account")

// mayNoteIn: the parameter support_domain, too, cannot lead out of the account
// that the caller is bound to.
func (c Caller) mayNoteIn(account string) error {
	account = cleanText(strings.TrimSpace(account))
	if account == "" || c.CatalogAccount == "" || strings.EqualFold(account, c.CatalogAccount) {
		return nil
	}
	return &InvalidEvent{Errors: [][2]string{{"support_domain", fmt.Sprintf("is %q, but this token works in %q", account, c.CatalogAccount)}}}
}

// inAccount is the caller in the account that the call's header names. A caller
// that the configuration binds to an account cannot leave it.
func (c Caller) inAccount(h http.Header) (Caller, error) {
	for _, name := range accountHeaders {
		account := cleanText(strings.TrimSpace(h.Get(name)))
		switch {
		case account == "":
			continue
		case c.CatalogAccount == "":
			c.CatalogAccount = account
		case !strings.EqualFold(c.CatalogAccount, account):
			return c, &refusal{
				status: http.StatusForbidden, err: errOtherAccount,
				detail: fmt.Sprintf("%s names the account %q, but this token works in %q. Leave the header out, or use that account's token.", name, account, c.CatalogAccount),
			}
		}
		return c, nil
	}
	return c, nil
}
