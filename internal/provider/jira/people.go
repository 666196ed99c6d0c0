package jira

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// account finds the account id of a person given by e-mail address, account id or
// name. Empty with no error: nobody was found, or several of that name.
func (t *turn) account(ctx context.Context, person string) (string, error) {
	switch {
	case strings.Contains(person, "@"):
		return t.accountByAddress(ctx, person)
	case accountID.MatchString(person):
		return person, nil
	}
	return t.c.accounts.Get(person, func() (string, error) {
		ids, err := t.accountsOf(ctx, person)
		if err != nil || len(ids) != 1 {
			return "", err
		}
		return ids[0], nil
	})
}

// accountID is what Jira's account ids look like, so that they need no look-up,
// which not every account may make.
var accountID = regexp.MustCompile(`^([0-9a-f]{24}|[0-9a-z]+:[0-9a-zA-Z:_-]+)$`)

// accountByAddress finds a person by e-mail address. People may hide theirs: a sole
// hit for the whole address is then them.
func (t *turn) accountByAddress(ctx context.Context, person string) (string, error) {
	return t.c.accounts.Get(strings.ToLower(person), func() (string, error) {
		var users []struct {
			AccountID   string `json:"accountId"`
			AccountType string `json:"accountType"`
			Email       string `json:"emailAddress"`
			Active      *bool  `json:"active"`
		}
		query := url.Values{"query": {person}, "maxResults": {"50"}}
		if err := t.do(ctx, call{endpoint: endUsers, path: "/user/search", query: query}, &users); err != nil {
			return "", err
		}
		var hidden []string
		for _, u := range users {
			switch {
			case u.Active != nil && !*u.Active:
			case strings.EqualFold(u.Email, person):
				return u.AccountID, nil
			case u.Email == "":
				hidden = append(hidden, u.AccountID)
			}
		}
		if len(hidden) == 1 {
			return hidden[0], nil
		}
		return "", nil
	})
}

// maxPeople is the page of Jira's user search.
const maxPeople = 50

// accountsOf are the account ids of those whom a value names exactly: by e-mail
// address, name or account id. None where nobody is found, or there may be more.
// The empty value is nobody's, and stays.
func (t *turn) accountsOf(ctx context.Context, value string) ([]string, error) {
	if value == "" {
		return []string{""}, nil
	}
	if strings.Contains(value, "@") {
		id, err := t.accountByAddress(ctx, value)
		return some(id), err
	}
	for _, by := range []string{"query", "accountId"} {
		var users []named
		query := url.Values{by: {value}, "maxResults": {strconv.Itoa(maxPeople)}}
		if by == "accountId" && len(value) > 128 {
			return nil, nil
		}
		if err := t.do(ctx, call{endpoint: endUsers, path: "/user/search", query: query}, &users); err != nil {
			return nil, err
		}
		if len(users) == maxPeople {
			return nil, nil
		}
		var ids []string
		for _, u := range users {
			if u.AccountID != "" && (strings.EqualFold(u.DisplayName, value) || u.AccountID == value) {
				ids = append(ids, u.AccountID)
			}
		}
		if len(ids) > 0 {
			return ids, nil
		}
	}
	return nil, nil
}

// accountOrWarning finds a person for a field that a ticket can do without; a
// search that is not allowed or fails is a warning, a wish to wait an error.
func (t *turn) accountOrWarning(ctx context.Context, field, person string) (id, warning string, err error) {
	id, err = t.account(ctx, person)
	switch {
	case err == nil && id != "":
		return id, "", nil
	case err == nil:
		return "", field + ": Jira knows nobody by " + person + ": left empty", nil
	case ticket.KindOf(err) == ticket.RateLimited || ticket.KindOf(err) == ticket.Retry:
		return "", "", err
	default:
		return "", field + ": " + person + " could not be looked up, left empty: " + err.Error(), nil
	}
}
