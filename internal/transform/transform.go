// Package transform turns what a feed brings into the parameters of the Events
// API, by a jq program that the user may replace.
package transform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

const (
	// maxTime bounds a run on one entry.
	maxTime = time.Second
	// maxSource bounds a program, in bytes.
	maxSource = 64 << 10
)

// Program is a compiled jq program. It is safe for concurrent use. Neither the
// environment nor files can be read by it.
type Program struct{ code *gojq.Code }

// SyntaxError says where a program is wrong.
type SyntaxError struct {
	// Line counts from 1; 0 where the error belongs to no line.
	Line    int
	Message string
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Message)
}

// Compile reads a program; its errors are *SyntaxError.
func Compile(source string) (*Program, error) {
	if len(source) > maxSource {
		return nil, &SyntaxError{Message: fmt.Sprintf("longer than %d KB", maxSource>>10)}
	}
	query, err := gojq.Parse(source)
	if err != nil {
		return nil, syntaxError(source, err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, &SyntaxError{Message: err.Error()}
	}
	return &Program{code: code}, nil
}

func syntaxError(source string, err error) error {
	parse, ok := errors.AsType[*gojq.ParseError](err)
	if !ok {
		return &SyntaxError{Message: err.Error()}
	}
	before := source[:max(0, min(parse.Offset-len(parse.Token), len(source)))]
	return &SyntaxError{Line: strings.Count(before, "\n") + 1, Message: err.Error()}
}

// Params runs the program on one entry. It must yield one object, whose members
// are the parameters: numbers and booleans become text, objects and lists
// compact JSON, null and empty text are left out. Where it yields nothing, the
// entry is not wanted and ok is false.
func (p *Program) Params(ctx context.Context, entry map[string]any) (params event.Params, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	results := p.code.RunWithContext(ctx, entry)
	first, ok := results.Next()
	if !ok {
		return nil, false, nil
	}
	if params, err = paramsOf(ctx, first); err != nil {
		return nil, false, err
	}
	if second, more := results.Next(); more {
		if err, failed := second.(error); failed {
			return nil, false, failure(ctx, err)
		}
		return nil, false, errors.New("yields more than one value; want one object, or nothing to leave the event out")
	}
	return params, true, nil
}

func paramsOf(ctx context.Context, value any) (event.Params, error) {
	if err, failed := value.(error); failed {
		return nil, failure(ctx, err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("yields %s; want one object, or nothing to leave the event out", gojq.TypeOf(value))
	}
	data, err := gojq.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("its result is no JSON: %w", err)
	}
	var params event.Params
	if err := json.Unmarshal(data, &params); err != nil {
		return nil, err
	}
	return params, nil
}

// failure is what the program said when it failed.
func failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("took longer than %s", maxTime)
	}
	return err
}
