package registry

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/seal"
)

func TestASecretIsKeptAsCiphertextOnly(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme", "hunter2")
	kept, err := json.Marshal(w.store.views)
	require.NoError(t, err)
	assert.NotContains(t, string(kept), "hunter2")
	assert.Contains(t, string(kept), "sealed:v1:")
	for name, look := range map[string]func() (Integration, error){
		"here":      func() (Integration, error) { return w.Get(t.Context(), "acme") },
		"elsewhere": func() (Integration, error) { return w.other().Get(t.Context(), "acme") },
	} {
		shown, err := look()
		require.NoError(t, err, name)
		assert.JSONEq(t, fmt.Sprintf(jiraConfig, "[stored]"), string(shown.ProviderConfig))
		for _, token := range shown.Tokens {
			assert.Empty(t, token.Hash)
		}
	}
	found, err := w.other().Find(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, "hunter2", found.Credential.Secret.Reveal(), "who has the key can use it")
	assert.Equal(t, "harbour", found.CatalogAccount)
}

func TestWithoutAKeyOnlyReferencesAreTaken(t *testing.T) {
	w := newWorld(t)
	w.Keys = seal.Keys{}
	_, _, err := w.Create(t.Context(), "ann", "acme", wantJira("hunter2"), time.Time{})
	require.ErrorIs(t, err, operate.ErrInvalid)
	assert.ErrorContains(t, err, "TICKETBRIDGE_SECRET_KEYS")
	assert.NotContains(t, err.Error(), "hunter2")
	t.Setenv("INTEGRATION_ACME", "from-outside")
	w.create(t, "acme", "env:INTEGRATION_ACME")
	shown, err := w.Get(t.Context(), "acme")
	require.NoError(t, err)
	assert.Contains(t, string(shown.ProviderConfig), `"env:INTEGRATION_ACME"`)
	found, err := w.Find(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, "from-outside", found.Credential.Secret.Reveal())
}

func TestWhatIsWrongWithAnIntegration(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct{ config, want string }{
		"no object":        {`[]`, "want a JSON object"},
		"unknown key":      {`{"type":"ticketing_mock_ticketing","colour":"red"}`, "colour: unknown key"},
		"unknown type":     {`{"type":"jira"}`, "unknown value"},
		"no url":           {`{"type":"ticketing_jira","credential":{"type":"basic","username":"u","secret":"s"}}`, "url: missing"},
		"no secret":        {`{"type":"ticketing_jira","url":"https://x.example","credential":{"type":"basic","username":"u"}}`, "credential.secret: missing"},
		"secret of stored": {`{"type":"ticketing_jira","url":"https://x.example","credential":{"type":"basic","username":"u","secret":"[stored]"}}`, "none stored yet"},
		"secret sealed":    {`{"type":"ticketing_jira","url":"https://x.example","credential":{"type":"basic","username":"u","secret":"sealed:v1:a:b"}}`, "give the secret itself"},
		"secret a number":  {`{"type":"ticketing_jira","url":"https://x.example","credential":{"type":"basic","username":"u","secret":7}}`, "want a text"},
		"another's secret": {`{"type":"ticketing_jira","url":"https://x.example","credential":{"type":"basic","username":"u","secret":"env:HOME"}}`, "begin with INTEGRATION_"},
		"another's file":   {`{"type":"ticketing_jira","url":"https://x.example","credential":{"type":"basic","username":"u","secret":"file:/proc/self/environ"}}`, "no files can be referred to"},
	} {
		_, _, err := w.Create(t.Context(), "ann", "acme", Wanted{ProviderConfig: json.RawMessage(c.config)}, time.Time{})
		require.ErrorIs(t, err, operate.ErrInvalid, name)
		assert.ErrorContains(t, err, c.want, name)
	}
	_, _, err := w.Create(t.Context(), "ann", "Not A Name", wantJira("x"), time.Time{})
	assert.ErrorContains(t, err, "want lower-case letters")
	_, _, err = w.Create(t.Context(), "ann", "verify", wantJira("x"), time.Time{})
	assert.ErrorContains(t, err, "not the word verify")
	odd := wantJira("x")
	odd.Account = "a/b"
	_, _, err = w.Create(t.Context(), "ann", "acme", odd, time.Time{})
	assert.ErrorContains(t, err, "account_id: ")
	odd = wantJira("x")
	odd.Person = "nobody@acme.example"
	_, _, err = w.Create(t.Context(), "ann", "acme", odd, time.Time{})
	assert.ErrorContains(t, err, "person: nobody in the catalog")
	assert.Empty(t, w.store.views)
}

// A secret stays when it is not named, but never goes to another place.
func TestASecretStaysWhereItWas(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme", "hunter2")
	edit := func(old, new string) error {
		_, err := w.Edit(t.Context(), "bob", "acme", "", func(in Integration) (Wanted, error) {
			text := strings.Replace(string(in.ProviderConfig), old, new, 1)
			return Wanted{ProviderConfig: json.RawMessage(text)}, nil
		})
		return err
	}
	require.NoError(t, edit(`"OPS"`, `"HELP"`))
	require.NoError(t, edit(`,"secret":"[stored]"`, ``), "left out is as good as [stored]")
	found, err := w.Find(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, "HELP", found.DefaultProject)
	assert.Equal(t, "hunter2", found.Credential.Secret.Reveal())
	for _, c := range [][2]string{
		{"https://acme.example", "https://evil.example"}, {`"ticketing_jira"`, `"ticketing_servicenow"`}, {`"type":"basic"`, `"type":"bearer"`},
	} {
		err := edit(c[0], c[1])
		require.ErrorIs(t, err, operate.ErrInvalid, c[1])
		assert.ErrorContains(t, err, "give the secret again")
	}
	require.NoError(t, edit(string(must(w.Get(t.Context(), "acme")).ProviderConfig), strings.Replace(fmt.Sprintf(jiraConfig, "new"), "acme.", "b.", 1)))
}

func TestTwoEditsAtATimeBothCount(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme", "hunter2")
	full := func(name string) func(Integration) (Wanted, error) {
		return func(in Integration) (Wanted, error) {
			return Wanted{Fullname: in.Fullname + name, ProviderConfig: in.ProviderConfig}, nil
		}
	}
	w.store.before = func() {
		_, err := w.other().Edit(t.Context(), "bob", "acme", "", full(" by bob"))
		assert.NoError(t, err)
	}
	changed, err := w.Edit(t.Context(), "ann", "acme", "", full(" by ann"))
	require.NoError(t, err)
	assert.Equal(t, "Acme by bob by ann", changed.Fullname)
	_, err = w.Edit(t.Context(), "ann", "acme", "else", full(" late"))
	assert.ErrorIs(t, err, operate.ErrConflict, "who names what it has seen is told")
	assert.ErrorIs(t, w.Delete(t.Context(), "ann", "acme", "else", true), operate.ErrConflict)
	seen := changed.Tag
	require.NoError(t, w.Delete(t.Context(), "ann", "acme", seen, true))
	w.now = w.now.Add(time.Second)
	w.create(t, "acme", "hunter2")
	_, err = w.Edit(t.Context(), "ann", "acme", seen, full(" of another"))
	assert.ErrorIs(t, err, operate.ErrConflict, "another one of that name")
}

func TestThoseOfTheFileAreReadOnly(t *testing.T) {
	w := newWorld(t)
	shown, err := w.Get(t.Context(), "of-file")
	require.NoError(t, err)
	assert.True(t, shown.ReadOnly)
	assert.NotContains(t, string(shown.ProviderConfig), "hunter2")
	assert.Contains(t, string(shown.ProviderConfig), `"custom_field_mappings":[{"name":"due","project_id":"*","provider_field_path":"duedate"}]`)
	_, _, err = w.Create(t.Context(), "ann", "of-file", wantJira("x"), time.Time{})
	assert.ErrorIs(t, err, ErrReadOnly)
	_, err = w.Edit(t.Context(), "ann", "of-file", "", nil)
	assert.ErrorIs(t, err, ErrReadOnly)
	assert.ErrorIs(t, w.Delete(t.Context(), "ann", "of-file", "", true), ErrReadOnly)
	_, _, err = w.AddToken(t.Context(), "ann", "of-file", "", time.Time{})
	assert.ErrorIs(t, err, ErrReadOnly)
	w.create(t, "acme", "s")
	all, err := w.List(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, "acme", all[1].Name)
}

func TestAnIntegrationInUseIsDeletedOnlyByForce(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme", "hunter2")
	w.store.used = 3
	err := w.Delete(t.Context(), "ann", "acme", "", false)
	require.ErrorIs(t, err, operate.ErrConflict)
	assert.ErrorContains(t, err, "3 workflows still work")
	require.NoError(t, w.Delete(t.Context(), "ann", "acme", "", true))
	_, err = w.Get(t.Context(), "acme")
	assert.ErrorIs(t, err, operate.ErrNotFound)
	_, err = w.Find(t.Context(), "acme")
	assert.ErrorIs(t, err, operate.ErrNotFound, "the memory of this process, too")
}

func TestAnIntegrationIsVerifiedBeforeItIsMade(t *testing.T) {
	w := newWorld(t)
	want := wantJira("hunter2")
	require.NoError(t, w.Check(t.Context(), "acme", &want))
	assert.Empty(t, w.store.views)
	w.create(t, "acme", "hunter3")
	require.NoError(t, w.Check(t.Context(), "acme", nil))
	require.Len(t, w.verified, 2)
	assert.Equal(t, "hunter2", w.verified[0].Credential.Secret.Reveal())
	assert.Equal(t, "hunter3", w.verified[1].Credential.Secret.Reveal())
	assert.ErrorIs(t, w.Check(t.Context(), "nobody", nil), operate.ErrNotFound)
}

func TestWithoutManagersOnlyTheFileCounts(t *testing.T) {
	w := newWorld(t)
	w.store.views["acme"] = contract.IntegrationView{Name: "acme"}
	r := New(Options{File: &config.Config{}, Store: w.store, Now: w.Now})
	_, err := r.Find(t.Context(), "acme")
	assert.ErrorContains(t, err, `unknown integration "acme"`)
	assert.Zero(t, w.store.asked)
}

// Files are open to the API in one folder only.
func TestFilesThatTheAPIMayReferTo(t *testing.T) {
	w := newWorld(t)
	w.SecretDir = t.TempDir()
	for name, good := range map[string]bool{"/token": true, "/deep/token": true, "/../token": false, "": false, "-other/token": false} {
		path := w.SecretDir + name
		if good {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			require.NoError(t, os.WriteFile(path, []byte("hunter2"), 0o600))
		}
		want := wantJira("file:" + path)
		err := w.Check(t.Context(), "acme", &want)
		assert.Equal(t, good, err == nil, "%s: %v", name, err)
	}
	relative := wantJira("file:token")
	assert.ErrorContains(t, w.Check(t.Context(), "acme", &relative), "TICKETBRIDGE_SECRET_DIR")
}

func must(in Integration, err error) Integration {
	if err != nil {
		panic(err)
	}
	return in
}

// Names that no integration can have are not asked for.
func TestOddNamesAreNotAskedFor(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"", "\x00", "a/b", "\U0001F6A2", "verify", strings.Repeat("x", 64)} {
		_, err := w.Get(t.Context(), name)
		assert.ErrorIs(t, err, operate.ErrNotFound, name)
		assert.False(t, w.bears(t, w.Registry, "tb_"+name+"_"+strings.Repeat("0", 64)), name)
	}
	assert.Zero(t, w.store.asked)
}
