package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/config/strictyaml"
)

// ParseIntegration reads one integration that stands outside of the file: JSON with
// the keys of the file's integrations but for the name. open gives a secret that
// was sealed. The error is of type Problems, their paths as in the JSON.
func ParseIntegration(name string, text []byte, known Known, open func(sealed string) (string, error)) (Integration, error) {
	data, err := named(name, text)
	if err != nil {
		return Integration{}, Problems{{Message: err.Error()}}
	}
	cfg := &Config{}
	c := &checker{cfg: cfg, known: known, reported: map[string]bool{}, open: open}
	doc, faults := strictyaml.DecodeMore(data, cfg, c.own)
	c.doc = doc
	c.faults(faults)
	if !unparsable(faults) && len(cfg.Integrations) == 1 {
		c.defaultIntegration(&cfg.Integrations[0])
		c.checkIntegration("integrations[0]", &cfg.Integrations[0], map[string]string{})
	}
	if len(c.problems) > 0 {
		for i, p := range c.problems {
			c.problems[i].Line, c.problems[i].Path = 0, strings.TrimPrefix(p.Path, "integrations[0].")
		}
		return Integration{}, c.problems
	}
	return cfg.Integrations[0], nil
}

// named is a configuration with this one integration; JSON is YAML, too.
func named(name string, text []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, fmt.Errorf("want a JSON object with the keys of an integration")
	}
	if _, has := members["name"]; has {
		return nil, fmt.Errorf("name: stands beside provider_config, not in it")
	}
	members["name"], _ = json.Marshal(name) // a text always marshals
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(map[string]any{"integrations": []any{members}})
	return out.Bytes(), err
}
