package seal

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func keyText(fill byte) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(fill)), keySize)))
}

func keysOf(t *testing.T, text string) Keys {
	t.Helper()
	k, err := NewKeys(text)
	require.NoError(t, err)
	return k
}

func TestASealedSecretOpensForItsOwnerOnly(t *testing.T) {
	k := keysOf(t, keyText('a'))
	one, err := k.Seal("integration:x", "hunter2")
	require.NoError(t, err)
	two, err := k.Seal("integration:x", "hunter2")
	require.NoError(t, err)
	assert.NotEqual(t, one, two, "equal secrets do not look equal")
	assert.NotContains(t, one, "hunter2")
	got, err := k.Open("integration:x", one)
	require.NoError(t, err)
	assert.Equal(t, "hunter2", got)
	_, err = k.Open("integration:y", one)
	assert.ErrorContains(t, err, "sealed for another integration")
}

func TestKeysAreRenewed(t *testing.T) {
	old := keysOf(t, keyText('a'))
	sealed, err := old.Seal("o", "hunter2")
	require.NoError(t, err)
	both := keysOf(t, keyText('b')+", "+keyText('a'))
	got, err := both.Open("o", sealed)
	require.NoError(t, err)
	assert.Equal(t, "hunter2", got)
	fresh, err := both.Seal("o", "hunter2")
	require.NoError(t, err)
	_, err = old.Open("o", fresh)
	assert.ErrorContains(t, err, "is not among TICKETBRIDGE_SECRET_KEYS", "the first key seals")
}

func TestWithoutAKeyNothingIsSealed(t *testing.T) {
	none := keysOf(t, "")
	_, err := none.Seal("o", "hunter2")
	assert.ErrorIs(t, err, ErrNoKey)
}

func TestWrongKeysAreNotQuoted(t *testing.T) {
	for _, text := range []string{"c2hvcnQ=", "!!secret!!", keyText('a') + ",!!secret!!"} {
		_, err := NewKeys(text)
		require.Error(t, err, text)
		assert.NotContains(t, err.Error(), "secret!!")
		assert.NotContains(t, err.Error(), "c2hv")
	}
}

func FuzzOpen(f *testing.F) {
	k, err := NewKeys(keyText('a'))
	require.NoError(f, err)
	sealed, err := k.Seal("o", "hunter2")
	require.NoError(f, err)
	for _, seed := range []string{sealed, sealed[:len(sealed)-4], "sealed:v1::", "sealed:", "", "sealed:v1:" + strings.Repeat("a", 8) + ":AAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := k.Open("o", text); err == nil {
			assert.Equal(t, "hunter2", got, "nothing else was ever sealed")
		}
	})
}
