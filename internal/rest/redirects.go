package rest

import "net/http"

// WithoutRedirects copies a client, nil for the usual one, so that a redirect is
// an answer like any other: followed, it could take a credential to another host,
// turn a POST into a GET, or lead to a login page whose 200 says nothing.
func WithoutRedirects(client *http.Client) *http.Client {
	plain := http.Client{}
	if client != nil {
		plain = *client
	}
	plain.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &plain
}
