package config

import (
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/config/strictyaml"
)

// checkCatalog reads the catalog. Its problems carry its own name and lines.
func (c *checker) checkCatalog() {
	if c.cfg.CatalogFile == "" {
		return
	}
	path := relativeTo(c.dir, c.cfg.CatalogFile)
	data, err := readFile(path, strictyaml.MaxBytes)
	if err != nil {
		c.problem("catalog", "%s: %s", path, unreadable(err, ""))
		return
	}
	cat, problems := decodeCatalog(path, data)
	c.cfg.Catalog = cat
	if len(problems) > 0 {
		c.problems = append(c.problems, problems...)
		c.reported["catalog"] = true
	}
}

// LoadCatalog reads a catalog file by itself; its error is of type Problems.
func LoadCatalog(path string) (*catalog.Catalog, error) {
	data, err := readFile(path, strictyaml.MaxBytes)
	if err != nil {
		return nil, Problems{{File: path, Message: unreadable(err, "")}}
	}
	cat, problems := decodeCatalog(path, data)
	if len(problems) > 0 {
		return nil, problems.sorted(path)
	}
	return cat, nil
}

func decodeCatalog(path string, data []byte) (*catalog.Catalog, Problems) {
	var problems Problems
	cat := &catalog.Catalog{}
	doc, faults := strictyaml.Decode(data, cat)
	for _, fault := range faults {
		if fault.Path == "t0" || fault.Path == "notes" {
			continue // a scenario's fixture also holds its clock and remarks
		}
		problems = append(problems, Problem{File: path, Line: fault.Line, Path: fault.Path, Message: fault.Message})
	}
	if len(problems) > 0 {
		return cat, problems // references into what could not be read would only mislead
	}
	for _, err := range cat.Validate() {
		where, message, found := strings.Cut(err.Error(), ": ")
		if !found {
			where, message = "", err.Error()
		}
		problems = append(problems, Problem{File: path, Line: doc.Line(where), Path: where, Message: message})
	}
	return cat, problems
}
