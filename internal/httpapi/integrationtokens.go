package httpapi

import (
	"net/http"
	"time"
)

// tokenRoutes manage the tokens of integrations made by the API.
func (a *api) tokenRoutes() []route {
	if a.Integrations == nil {
		return nil
	}
	of := []parameter{
		{"accountId", "path", "The account that the integration belongs to."},
		{"integrationId", "path", "The integration's name."},
	}
	path := tokensPath + "/{accountId}/{integrationId}"
	return []route{
		{
			method: http.MethodGet, path: path, tag: integrationsTag, summary: "List an integration's tokens, without what they are", admin: true, parameters: of,
			answers: append([]answer{{status: 200, about: "The tokens.", body: tokenList{}}}, managementErrors()...), handle: a.listTokens,
		},
		{
			method: http.MethodPost, path: path, tag: integrationsTag, summary: "Make a token: tb_<integration>_<random>", admin: true, parameters: of,
			detail: "Other processes know it within 30 seconds.", body: createTokenRequest{},
			answers: append([]answer{{status: 201, about: "The token, which is never shown again.", body: tokenCreated{}}}, managementErrors()...), handle: a.createToken,
		},
		{
			method: http.MethodDelete, path: path + "/{tokenId}", tag: integrationsTag, summary: "Revoke a token; it ends to be good within 30 seconds", admin: true,
			parameters: append(of[:2:2], parameter{"tokenId", "path", "The token's id."}),
			answers:    append([]answer{{status: 204, about: "It is revoked."}}, managementErrors()...), handle: a.revokeToken,
		},
	}
}

type createTokenRequest struct {
	Name     string `json:"name,omitempty" doc:"What it is for."`
	TokenTTL string `json:"token_ttl,omitempty" doc:"How long it is good, e.g. 24h; absent: until it is revoked."`
}

type tokenCreated struct {
	Result tokenSecret `json:"result"`
}

type tokenList struct {
	Result []tokenShape `json:"result"`
}

type tokenShape struct {
	ID        string    `json:"id"`
	Name      string    `json:"name,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
	Expires   time.Time `json:"expires,omitzero"`
}

func (a *api) listTokens(w http.ResponseWriter, r *http.Request, _ Caller) error {
	found, err := a.integrationInAccount(r)
	if err != nil {
		return err
	}
	answer := tokenList{Result: []tokenShape{}}
	for _, t := range found.Tokens {
		answer.Result = append(answer.Result, tokenShape{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt, CreatedBy: t.CreatedBy, Expires: t.ExpiresAt})
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (a *api) createToken(w http.ResponseWriter, r *http.Request, c Caller) error {
	var asked createTokenRequest
	if r.ContentLength != 0 {
		if err := a.readStrictly(w, r, &asked); err != nil {
			return err
		}
	}
	expires, err := a.expiry(asked.TokenTTL)
	if err != nil {
		return err
	}
	found, err := a.integrationInAccount(r)
	if err != nil {
		return err
	}
	token, kept, err := a.Integrations.AddToken(r.Context(), c.Name, found.Name, asked.Name, expires)
	if err != nil {
		return managementError(err)
	}
	writeJSON(w, http.StatusCreated, tokenCreated{Result: tokenSecret{ID: kept.ID, Name: kept.Name, Access: accessOf(token, expires)}})
	return nil
}

func (a *api) revokeToken(w http.ResponseWriter, r *http.Request, c Caller) error {
	found, err := a.integrationInAccount(r)
	if err != nil {
		return err
	}
	if err := a.Integrations.RevokeToken(r.Context(), c.Name, found.Name, r.PathValue("tokenId")); err != nil {
		return managementError(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
