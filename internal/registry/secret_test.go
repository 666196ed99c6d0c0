package registry

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/operate"
)

// edit replaces parts of what the integration acme shows: each by the one after it.
func (w *world) edit(t *testing.T, parts ...string) error {
	t.Helper()
	_, err := w.Edit(t.Context(), "bob", "acme", "", func(in Integration) (Wanted, error) {
		return Wanted{ProviderConfig: json.RawMessage(strings.NewReplacer(parts...).Replace(string(in.ProviderConfig)))}, nil
	})
	return err
}

// codes makes the integration acme of a type with two secrets.
func (w *world) codes(t *testing.T, integrationType, more string) {
	t.Helper()
	const text = `{"type":%q,"url":"https://a.example","integration_code":"hunter3","credential":{"type":"basic","username":"u","secret":"hunter2"}%s}`
	_, _, err := w.Create(t.Context(), "ann", "acme", Wanted{ProviderConfig: fmt.Appendf(nil, text, integrationType, more)}, time.Time{})
	require.NoError(t, err)
}

// secrets are those that the integration acme has now.
func (w *world) secrets(t *testing.T) []string {
	t.Helper()
	found, err := w.Find(t.Context(), "acme")
	require.NoError(t, err)
	var all []string
	for _, secret := range found.Secrets() {
		all = append(all, secret.Reveal())
	}
	return all
}

// A second secret is kept, shown and guarded as the first one is.
func TestEverySecretIsKeptAsCiphertextOnly(t *testing.T) {
	w := newWorld(t)
	const text = `{"type":"ticketing_code","url":"https://a.example","integration_code":"%s","credential":{"type":"basic","username":"u","secret":"hunter2"}}`
	want := func(code string) Wanted { return Wanted{ProviderConfig: fmt.Appendf(nil, text, code)} }
	_, _, err := w.Create(t.Context(), "ann", "acme", want("env:HOME"), time.Time{})
	require.ErrorIs(t, err, operate.ErrInvalid)
	assert.ErrorContains(t, err, "provider_config.integration_code: by the API only variables")
	_, _, err = w.Create(t.Context(), "ann", "acme", want("hunter3"), time.Time{})
	require.NoError(t, err)
	kept, err := json.Marshal(w.store.views)
	require.NoError(t, err)
	assert.NotContains(t, string(kept), "hunter")
	shown, err := w.Get(t.Context(), "acme")
	require.NoError(t, err)
	assert.Contains(t, string(shown.ProviderConfig), `"integration_code":"[stored]"`)
	before, err := w.Find(t.Context(), "acme")
	require.NoError(t, err)
	own, is := before.Own.(*codeKeys)
	require.True(t, is)
	assert.Equal(t, "hunter3", own.Code.Reveal())

	assert.ErrorContains(t, w.edit(t, `"https://a.example"`, `"https://b.example"`), "give the secret again")
	require.NoError(t, w.edit(t, `"integration_code":"[stored]"`, `"integration_code":"hunter4"`))
	after, err := w.Find(t.Context(), "acme")
	require.NoError(t, err)
	assert.NotEqual(t, before.Print, after.Print, "a client is made anew")
	assert.Equal(t, []string{"hunter2", "hunter4"}, []string{after.Secrets()[0].Reveal(), after.Secrets()[1].Reveal()})
}

// Null takes away a secret that the type can do without, and no other.
func TestASecretIsTakenAwayByNull(t *testing.T) {
	const code, secret = `"integration_code":"[stored]"`, `"secret":"[stored]"`
	w := newWorld(t)
	w.codes(t, typeWithCode, "")
	require.NoError(t, w.edit(t, code, `"integration_code":""`))
	require.NoError(t, w.edit(t, code+",", ""))
	require.NoError(t, w.edit(t, secret, `"secret":null`), "the credential's stays")
	assert.Equal(t, []string{"hunter2", "hunter3"}, w.secrets(t))
	require.NoError(t, w.edit(t, code, `"integration_code":null`))
	assert.Equal(t, []string{"hunter2", ""}, w.secrets(t))
	shown, err := w.Get(t.Context(), "acme")
	require.NoError(t, err)
	assert.NotContains(t, string(shown.ProviderConfig), "integration_code")

	w = newWorld(t)
	w.codes(t, typeOfCode, "")
	require.NoError(t, w.edit(t, code, `"integration_code":null`))
	assert.Equal(t, []string{"hunter2", "hunter3"}, w.secrets(t), "what cannot be left out stays")
}

// An own key can be an address as the url is: where it changes, no secret is kept.
func TestASecretDoesNotFollowAnAddressAmongTheOwnKeys(t *testing.T) {
	code, secret := []string{`"integration_code":"[stored]"`, `"integration_code":"new"`}, []string{`"secret":"[stored]"`, `"secret":"newer"`}
	for at, change := range map[string][]string{
		"/provider_config/region": {`"region":"eu"`, `"region":"us"`},
		"/provider_config/sites":  {`{"main":"https://m.example"}`, `{"main":"https://evil.example"}`},
	} {
		w := newWorld(t)
		w.codes(t, typeWithCode, `,"region":"eu","label":"red","sites":{"main":"https://m.example"}`)
		require.NoError(t, w.edit(t, `"red"`, `"blue"`), "that is no address")
		for _, given := range [][]string{nil, code, secret} {
			err := w.edit(t, append(change, given...)...)
			var bad *Invalid
			require.ErrorAs(t, err, &bad, "%s %v", at, given)
			assert.Equal(t, at, bad.Fields[0][0])
			assert.Contains(t, bad.Fields[0][1], "give the secret again")
		}
		assert.Equal(t, []string{"hunter2", "hunter3"}, w.secrets(t))
		require.NoError(t, w.edit(t, slices.Concat(change, code, secret)...))
		assert.Equal(t, []string{"newer", "new"}, w.secrets(t))
	}
}
