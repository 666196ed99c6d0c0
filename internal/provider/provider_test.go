package provider

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/registry"
)

const examples = "../../examples"

// known is what this version implements.
func known() config.Known {
	return config.Known{FeedTypes: []string{config.TypeCloudFeeds, config.TypeAcronis}, IntegrationTypes: Types()}
}

// setSecrets sets the variables that the examples and tests refer to.
func setSecrets(t *testing.T) {
	t.Helper()
	for _, name := range []string{"RACKSPACE_API_KEY", "RACKSPACE_TOKEN", "ACRONIS_SECRET", "JIRA_TOKEN", "MONITORING_TOKEN"} {
		t.Setenv(name, "secret-value-of-"+name)
	}
}

// write puts text into a configuration file of its own directory.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ticketbridge.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func fileOnly(in ...config.Integration) (*Set, error) {
	c := &config.Config{Integrations: in}
	return New(c, registry.New(registry.Options{File: c}))
}

// Matching needs all of these of every provider.
func TestEveryProviderDoesWhatMatchingNeeds(t *testing.T) {
	for _, r := range all() {
		set, err := fileOnly(bare(t, r.kind.Name))
		require.NoError(t, err, r.kind.Name)
		found, err := set.Integration(t.Context(), "x")
		require.NoError(t, err)
		assert.Equal(t, Short(r.kind.Name), found.Provider)
		assert.Equal(t, []string{found.Provider}, append(set.Providers(), set.ProvidersInServe()...), "one program makes its calls")
		assert.Implements(t, (*activities.TicketCreator)(nil), found.Client)
		assert.Implements(t, (*activities.TicketRecoverer)(nil), found.Client)
		assert.Implements(t, (*activities.TicketFinder)(nil), found.Client)
		assert.Implements(t, (*activities.TicketGetter)(nil), found.Client)
		assert.Implements(t, (*activities.TicketPatcher)(nil), found.Client)
		assert.Implements(t, (*activities.CommentCreator)(nil), found.Client)
		assert.Implements(t, (*activities.CommentRecoverer)(nil), found.Client)
	}
}

func TestATypeToComeIsNotAvailable(t *testing.T) {
	_, err := fileOnly(config.Integration{Name: "x", Type: config.TypeTorq})
	assert.ErrorContains(t, err, "type ticketing_torq is not available in this version")
}

// The tickets of the test provider are in the memory of one program, and only that
// one calls it.
func TestTheTestProviderLivesInServe(t *testing.T) {
	jira := config.Integration{
		Name: "ops", Type: config.TypeJira, URL: "https://x.example",
		Credential: config.Credential{Type: config.CredentialBasic, Username: "u", Secret: config.NewSecret("hunter2")},
	}
	set, err := fileOnly(config.Integration{Name: "try", Type: config.TypeMock}, jira, config.Integration{Name: "again", Type: config.TypeMock})
	require.NoError(t, err)
	assert.Equal(t, []string{"jira"}, set.Providers())
	assert.Equal(t, []string{"mock"}, set.ProvidersInServe())
	first, err := set.Integration(t.Context(), "try")
	require.NoError(t, err)
	again, err := set.Integration(t.Context(), "try")
	require.NoError(t, err)
	other, err := set.Integration(t.Context(), "again")
	require.NoError(t, err)
	assert.Same(t, first.Client, again.Client, "one memory an integration")
	assert.NotSame(t, first.Client, other.Client)
}

func TestFaultsOfTheTestProviderAreThoseOfTheConfiguration(t *testing.T) {
	with := func(fault mockFault) config.Integration {
		own := noMockKeys()
		own.Mock.Faults = []mockFault{fault}
		return config.Integration{Name: "try", Own: own}
	}
	for _, kind := range faultKinds() {
		_, err := newMock(with(mockFault{Kind: kind, Operators: operatorNames()}))
		assert.NoError(t, err)
	}
	_, err := newMock(with(mockFault{Kind: "mood"}))
	assert.ErrorContains(t, err, "integration try: mock.faults[0]")
}

// The staging table is used where the configuration says so, and checked then.
func TestAStagingTableReachesItsClient(t *testing.T) {
	in := config.Integration{
		Name: "x", Type: config.TypeServiceNow, URL: "https://x.example",
		Credential: config.Credential{Type: config.CredentialBasic, Username: "u", Secret: config.NewSecret("hunter2")},
		Own:        &serviceNowKeys{CreateMode: createByImport, ImportTable: "No Table", ImportFields: map[string]string{"description": "No Column"}},
	}
	_, err := fileOnly(in)
	assert.ErrorContains(t, err, "import_table")
	assert.ErrorContains(t, err, "import_fields.description")
	in.Own = serviceNowDefaults()
	_, err = fileOnly(in)
	assert.NoError(t, err)
}
