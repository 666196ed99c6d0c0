package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/config/strictyaml"
)

// Load reads the configuration at path and finds everything that is wrong with
// it at once: its error is of type Problems. Secrets are resolved; relative
// paths in the file are taken from the file's own directory.
func Load(path string, known Known) (*Config, error) {
	cfg := &Config{Catalog: &catalog.Catalog{}}
	c := &checker{cfg: cfg, known: known, file: path, dir: filepath.Dir(path), reported: map[string]bool{}}
	data, err := readFile(path, strictyaml.MaxBytes)
	if err != nil {
		hint := "; examples/ticketbridge.yaml shows what to write, and TICKETBRIDGE_CONFIG names another place"
		return nil, Problems{{File: path, Message: unreadable(err, hint)}}
	}
	doc, faults := strictyaml.DecodeMore(data, cfg, c.own)
	c.doc = doc
	c.faults(faults)
	if !unparsable(faults) {
		c.defaults()
		c.check()
	}
	if len(c.problems) > 0 {
		return nil, c.problems.sorted(path)
	}
	cfg.Warnings = c.warnings.sorted(path)
	return cfg, nil
}

// unparsable tells faults of the whole file, after which nothing else is worth
// saying.
func unparsable(faults []strictyaml.Fault) bool {
	return slices.ContainsFunc(faults, func(f strictyaml.Fault) bool { return f.Path == "" })
}

// checker collects what is wrong with a configuration.
type checker struct {
	cfg      *Config
	known    Known
	doc      *strictyaml.Document
	file     string
	dir      string
	problems Problems
	warnings Problems
	// open gives the secret that was sealed; nil in files, which have none.
	open func(sealed string) (string, error)
	// reported are the paths that have a problem; the first one is enough.
	reported map[string]bool
}

func (c *checker) check() {
	c.checkCatalog()
	c.checkIntegrations()
	c.checkFeeds()
	c.checkCallers()
}

func (c *checker) report(line int, path, message string) {
	if c.reported[path] {
		return
	}
	c.reported[path] = true
	c.problems = append(c.problems, Problem{File: c.file, Line: line, Path: path, Message: message})
}

func (c *checker) problem(path, format string, args ...any) {
	c.report(c.doc.Line(path), path, fmt.Sprintf(format, args...))
}

func (c *checker) warn(path, format string, args ...any) {
	c.warnings = append(c.warnings, Problem{File: c.file, Line: c.doc.Line(path), Path: path, Message: fmt.Sprintf(format, args...)})
}

// require reports a key that is absent or empty.
func (c *checker) require(path, value string) bool {
	if strings.TrimSpace(value) == "" {
		c.problem(path, "missing")
		return false
	}
	return true
}

// oneOf reports a value that is not among the allowed ones, and what was
// probably meant.
func (c *checker) oneOf(path, value string, allowed []string) bool {
	if !c.require(path, value) {
		return false
	}
	if !slices.Contains(allowed, value) {
		c.problem(path, "unknown value %q%s", value, strictyaml.Suggest(value, allowed))
		return false
	}
	return true
}

// available reports a type that does not exist, or not in this program.
func (c *checker) available(path, value string, all, implemented []string) bool {
	if !c.oneOf(path, value, all) {
		return false
	}
	if !slices.Contains(implemented, value) {
		c.problem(path, "%q is not available in this version; available: %s", value, strings.Join(implemented, ", "))
		return false
	}
	return true
}
