package provider

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ticketbridge/ticketbridge/internal/config"
)

// ownPaths are the types of a type's own keys, by their paths as IntegrationType.Keys
// names them.
func ownPaths(kind config.IntegrationType) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	if kind.Own != nil {
		addPaths(all, "", reflect.TypeOf(kind.Own()).Elem())
	}
	return all
}

func addPaths(all map[string]reflect.Type, path string, of reflect.Type) {
	if path != "" {
		all[path] = of
	}
	switch of.Kind() {
	case reflect.Pointer:
		addPaths(all, path, of.Elem())
	case reflect.Slice, reflect.Array, reflect.Map:
		addPaths(all, path+"[]", of.Elem())
	case reflect.Struct:
		for _, field := range reflect.VisibleFields(of) {
			key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if key != "" && key != "-" {
				addPaths(all, strings.TrimPrefix(path+"."+key, "."), field.Type)
			}
		}
	}
}

// flaws are what would go unseen in a type's own keys: a secret that nobody resolves,
// encrypts or cuts out, and what is said of a key that is not where it is looked for.
func flaws(kind config.IntegrationType) []string {
	outermost := func(path string) bool { return !strings.ContainsAny(path, ".[") }
	var found []string
	paths := ownPaths(kind)
	for path, of := range paths {
		if of == reflect.TypeFor[config.Secret]() && !outermost(path) {
			found = append(found, path+": a secret stands among the outermost keys only")
		}
	}
	for path, about := range kind.Keys {
		if _, there := paths[path]; !there {
			found = append(found, path+": there is no such key")
		}
		if (about.Address || about.Required) && !outermost(path) {
			found = append(found, path+": only an outermost key can be an address, or be required")
		}
	}
	slices.Sort(found)
	return found
}

func TestOwnKeysAreWhereTheyAreLookedFor(t *testing.T) {
	for _, r := range withToy() {
		assert.Empty(t, flaws(r.kind), r.kind.Name)
	}
	type deep struct {
		Token config.Secret `yaml:"token"`
		Site  string        `yaml:"site"`
	}
	type odd struct {
		Plain config.Secret            `yaml:"plain,omitempty"`
		API   deep                     `yaml:"api"`
		Many  []*deep                  `yaml:"many"`
		Named map[string]config.Secret `yaml:"named"`
	}
	kind := config.IntegrationType{Own: func() any { return &odd{} }, Keys: map[string]config.Key{
		"plain": {Required: true}, "api": {Address: true}, "api.site": {Address: true}, "many[].site": {Required: true}, "ploin": {},
	}}
	const secret, outermost = ": a secret stands among the outermost keys only", ": only an outermost key can be an address, or be required"
	assert.Equal(t, []string{
		"api.site" + outermost, "api.token" + secret, "many[].site" + outermost, "many[].token" + secret, "named[]" + secret, "ploin: there is no such key",
	}, flaws(kind))
}

// A tag may have more than the key: schema, secrets and keys go by the key alone.
func TestATagOfAnOwnKeyMayHaveOptions(t *testing.T) {
	type tagged struct {
		Code   config.Secret `yaml:"code,omitempty"`
		Hidden string        `yaml:"-"`
	}
	kind := config.IntegrationType{Name: "ticketing_tagged", Own: func() any { return &tagged{} }, Keys: map[string]config.Key{"code": {About: "A code.", Required: true}}}
	known := config.Known{IntegrationTypes: []config.IntegrationType{kind}}
	assert.Equal(t, []string{"code"}, known.SecretKeys(kind.Name))
	own := config.Integration{Own: &tagged{Code: config.NewSecret("hunter2")}}
	assert.Equal(t, "hunter2", own.Secrets()[1].Reveal())
	s := kind.Schema()
	assert.Contains(t, s.Required, "code")
	assert.Equal(t, "A code.", s.Properties["code"].Description)
	for _, key := range slices.Collect(maps.Keys(s.Properties)) {
		assert.NotContains(t, []string{"", "-", "code,omitempty"}, key)
	}
}
