package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/config/strictyaml"
)

// A shorter token can be guessed by trying.
const shortToken = 16

func (c *checker) checkCallers() {
	names := map[string]string{}
	for i := range c.cfg.Callers {
		caller, path := &c.cfg.Callers[i], fmt.Sprintf("callers[%d]", i)
		c.name(path+".name", caller.Name, names)
		if !caller.Admin || caller.Integration != "" {
			c.integrationExists(path+".integration", caller.Integration)
		}
		c.matchedAs(path, caller.CatalogAccount, caller.Person)
		c.secret(path+".token", &caller.Token, true)
		c.checkToken(path+".token", i)
	}
	if len(c.cfg.Feeds) == 0 && len(c.cfg.Callers) == 0 && len(c.cfg.Integrations) > 0 {
		c.warn("", "there are neither feeds nor callers, so no events will arrive")
	}
}

func (c *checker) checkToken(path string, i int) {
	token := c.cfg.Callers[i].Token
	if token.Empty() {
		return
	}
	if strings.ContainsAny(token.Reveal(), " \t\r\n") {
		c.problem(path, "the token contains a blank or a line break, which no Authorization header can carry")
	}
	for j, earlier := range c.cfg.Callers[:i] {
		if earlier.Token.Equal(token.Reveal()) {
			c.problem(path, "the same token as callers[%d]; a token must tell who calls", j)
		}
	}
	if len(token.Reveal()) < shortToken {
		c.warn(path, "the token is shorter than %d characters", shortToken)
	}
}

// matchedAs checks where and as whom events are matched.
func (c *checker) matchedAs(path, account, person string) {
	if c.cfg.CatalogFile == "" {
		if person != "" {
			c.problem(path+".person", "there is no catalog to find the person in; add the key catalog")
		}
		return
	}
	if c.reported["catalog"] {
		return
	}
	if known := accounts(c.cfg.Catalog); account != "" && !slices.Contains(known, account) {
		c.warn(path+".catalog_account", "the catalog does not name the account %q%s", account, strictyaml.Suggest(account, known))
	}
	if person != "" && !hasPerson(c.cfg.Catalog, person) {
		c.problem(path+".person", "nobody in the catalog has the e-mail address %q", person)
	}
}

func hasPerson(cat *catalog.Catalog, email string) bool {
	if cat.CurrentUser != nil && strings.EqualFold(cat.CurrentUser.Email, email) {
		return true
	}
	return slices.ContainsFunc(cat.People, func(p catalog.Person) bool { return strings.EqualFold(p.Email, email) })
}

func accounts(cat *catalog.Catalog) []string {
	var all []string
	add := func(account string) {
		if account != "" && !slices.Contains(all, account) {
			all = append(all, account)
		}
	}
	add(cat.Account)
	for _, person := range cat.People {
		add(person.Account)
	}
	for _, agreement := range cat.FirstLineSupportAgreements {
		add(agreement.Account)
	}
	return all
}
