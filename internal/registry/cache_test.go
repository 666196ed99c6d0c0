package registry

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

func (w *world) bears(t *testing.T, r *Registry, token string) bool {
	t.Helper()
	_, ok, err := r.Bearer(t.Context(), token)
	require.NoError(t, err)
	return ok
}

func TestATokenIsGoodUntilItIsRevoked(t *testing.T) {
	w := newWorld(t)
	first := w.create(t, "acme_1", "hunter2")
	assert.Regexp(t, `^tb_acme_1_[0-9a-f]{64}$`, first)
	elsewhere := w.other()
	who, ok, err := elsewhere.Bearer(t.Context(), first)
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, Bearer{Name: "integration:acme_1", Integration: "acme_1", CatalogAccount: "harbour"}, who)

	second, kept, err := w.AddToken(t.Context(), "ann", "acme_1", "for tests", time.Time{})
	require.NoError(t, err)
	assert.True(t, w.bears(t, w.Registry, second), "here at once")
	assert.NotContains(t, fmt.Sprint(w.store.views), second)
	require.NoError(t, w.RevokeToken(t.Context(), "ann", "acme_1", w.store.views["acme_1"].Tokens[0].ID))
	assert.False(t, w.bears(t, w.Registry, first), "here at once")
	assert.True(t, w.bears(t, elsewhere, first), "elsewhere not yet")
	w.now = w.now.Add(Fresh)
	assert.False(t, w.bears(t, elsewhere, first), "elsewhere after 30 seconds")
	assert.True(t, w.bears(t, elsewhere, second))
	require.NoError(t, w.RevokeToken(t.Context(), "ann", "acme_1", kept.ID))
	assert.False(t, w.bears(t, w.Registry, second))
}

func TestATokenExpires(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme", "hunter2")
	token, _, err := w.AddToken(t.Context(), "ann", "acme", "", w.now.Add(10*time.Second))
	require.NoError(t, err)
	assert.True(t, w.bears(t, w.Registry, token))
	w.now = w.now.Add(10 * time.Second)
	assert.False(t, w.bears(t, w.Registry, token), "not only when the memory is renewed")
}

func TestNobodyComesInByChance(t *testing.T) {
	w := newWorld(t)
	token := w.create(t, "acme", "hunter2")
	for _, bad := range []string{
		"", "tb_", "tb_acme", "tb_acme_", token[:len(token)-1], token + "0", "tb_acme_" + fmt.Sprintf("%064d", 0),
		"tb_other" + token[len("tb_acme"):], "tb_of-file" + token[len("tb_acme"):], w.store.views["acme"].Tokens[0].Hash,
	} {
		assert.False(t, w.bears(t, w.Registry, bad), bad)
	}
}

// An outage lets nobody in by what was true before, and holds up no ticket.
func TestWhatHoldsWhileTemporalIsDown(t *testing.T) {
	w := newWorld(t)
	token := w.create(t, "acme", "hunter2")
	w.now, w.store.down = w.now.Add(Fresh), true
	_, ok, err := w.Bearer(t.Context(), token)
	assert.False(t, ok)
	require.ErrorIs(t, err, operate.ErrUnavailable)
	found, err := w.Find(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, "hunter2", found.Credential.Secret.Reveal())
	_, err = w.Find(t.Context(), "never-seen")
	assert.ErrorIs(t, err, operate.ErrUnavailable)
}

func TestTemporalIsAskedSeldom(t *testing.T) {
	w := newWorld(t)
	token := w.create(t, "acme", "hunter2")
	r := w.other()
	for range 50 {
		assert.True(t, w.bears(t, r, token))
		_, err := r.Find(t.Context(), "acme")
		require.NoError(t, err)
		_, err = r.Find(t.Context(), "nobody")
		require.ErrorIs(t, err, operate.ErrNotFound)
	}
	assert.Equal(t, 2, w.store.asked, "once for each name")
	for n := range 3 * maxCached {
		_, _ = r.Find(t.Context(), fmt.Sprintf("n%d", n))
	}
	assert.LessOrEqual(t, len(r.cache.entries), maxCached)
	assert.True(t, w.bears(t, r, token))
	assert.Equal(t, 2+3*maxCached, w.store.asked, "what exists is remembered longest")
}

// What an integration is made of is read once for each answer, not for each call.
func TestAnIntegrationIsOpenedOnce(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme", "hunter2")
	opened := 0
	open := w.cache.open
	w.cache.open = func(v contract.IntegrationView) (Found, error) {
		opened++
		return open(v)
	}
	for range 3 {
		w.now = w.now.Add(Fresh)
		for range 10 {
			_, err := w.Find(t.Context(), "acme")
			require.NoError(t, err)
		}
	}
	assert.Equal(t, 3, opened)
}
