package config_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider"
)

// schemaOf is the schema of a type that the program has.
func schemaOf(t *testing.T, name string) *config.Schema {
	t.Helper()
	for _, known := range provider.Types() {
		if known.Name == name {
			return known.Schema()
		}
	}
	require.Fail(t, "there is no such type", name)
	return nil
}

// sample is a value for each key that some integration must have.
func sample(key string) string {
	return map[string]string{
		"name": "ops", "url": "https://acme.example", "username": "u", "client_id": "c", "secret": `"env:JIRA_TOKEN"`,
	}[key]
}

// What the schema calls required is all that the configuration asks for, and
// nothing of it can be left out, for each way to write the credential.
func TestRequiredKeysOfASchemaAreThoseOfTheConfiguration(t *testing.T) {
	setSecrets(t)
	load := func(kind config.IntegrationType, credential *config.Schema, without string) error {
		var b strings.Builder
		b.WriteString("integrations:\n  - type: " + kind.Name + "\n")
		for _, key := range kind.Schema().Required {
			if key != "type" && key != "credential" && key != without {
				fmt.Fprintf(&b, "    %s: %s\n", key, sample(key))
			}
		}
		if credential != nil && without != "credential" {
			fmt.Fprintf(&b, "    credential:\n      type: %s\n", credential.Properties["type"].Enum[0])
			for _, key := range credential.Required {
				if key != "type" && "credential."+key != without {
					fmt.Fprintf(&b, "      %s: %s\n", key, sample(key))
				}
			}
		}
		_, err := config.Load(write(t, b.String()), config.Known{IntegrationTypes: provider.Types()})
		return err
	}
	for _, kind := range provider.Types() {
		s := kind.Schema()
		credentials := []*config.Schema{nil}
		if slices.Contains(s.Required, "credential") {
			credentials = s.Properties["credential"].OneOf
		}
		for _, credential := range credentials {
			require.NoError(t, load(kind, credential, ""), kind.Name)
			for _, key := range s.Required {
				if key != "type" {
					assert.ErrorContains(t, load(kind, credential, key), key, kind.Name)
				}
			}
			if credential == nil {
				continue
			}
			for _, key := range credential.Required[1:] {
				assert.ErrorContains(t, load(kind, credential, "credential."+key), key, kind.Name)
			}
		}
	}
}

func TestASchemaHasTheKeysOfItsType(t *testing.T) {
	mock := schemaOf(t, config.TypeMock)
	assert.NotContains(t, mock.Properties, "url")
	assert.NotContains(t, mock.Properties, "credential")
	assert.Contains(t, mock.Properties["mock"].Properties["faults"].Items.Properties["kind"].Enum, "error_after")
	jira := schemaOf(t, config.TypeJira)
	assert.NotContains(t, jira.Properties, "mock")
	assert.Equal(t, "Task", jira.Properties["default_issue_type"].Default)
	assert.Equal(t, 8, jira.Properties["rate"].Properties["concurrency"].Default)
	assert.Equal(t, 2, schemaOf(t, config.TypeServiceNow).Properties["rate"].Properties["concurrency"].Default)
	data, err := json.Marshal(jira)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"settling":{"type":"string","description":`)
	assert.Contains(t, string(data), `"default":"1m"`)
}

func TestEveryKeyOfASchemaIsDescribed(t *testing.T) {
	var undescribed func(path string, s *config.Schema)
	undescribed = func(path string, s *config.Schema) {
		assert.NotEmpty(t, s.Description, path)
		for key, property := range s.Properties {
			undescribed(path+"."+key, property)
		}
		if s.Items != nil {
			undescribed(path+"[]", s.Items)
		}
		for _, one := range s.OneOf {
			for key, property := range one.Properties {
				assert.True(t, property.Description != "" || key == "type", path+"."+key)
			}
		}
	}
	for _, kind := range provider.Types() {
		undescribed(kind.Name, kind.Schema())
	}
}
