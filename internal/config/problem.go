package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the configuration, or a warning.
type Problem struct {
	// File is the file as it was named, empty outside of files; Line its line, 0
	// where none can be named.
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	// Path is where in the file, e.g. feeds[0].poll_interval.
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

// String is the problem as compilers print theirs:
// ticketbridge.yaml:12: feeds[0].poll_interval: ...
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.File != "" {
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems are all that is wrong, by file and line.
type Problems []Problem

// Error has one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// sorted puts the problems of file first, each file's by line.
func (p Problems) sorted(file string) Problems {
	rank := func(name string) int {
		if name == file {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(rank(a.File)-rank(b.File), strings.Compare(a.File, b.File), a.Line-b.Line)
	})
	return p
}
