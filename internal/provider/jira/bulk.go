package jira

import (
	"context"
	"fmt"
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const (
	// bulkSize is the most that one bulk fetch takes.
	bulkSize = 100
	// bulkRounds is how often keys are asked for again which Jira could not
	// answer just then, each time in smaller parts: the reason may be the size.
	bulkRounds = 6
)

// bulk reads issues by id or key. Those that are absent or not visible are
// missing from the answer; those that Jira reports as errors are asked for
// again, and an error in the end: they must not pass for absent.
func (t *turn) bulk(ctx context.Context, wanted, fields []string) ([]issue, error) {
	var out []issue
	seen := map[string]bool{}
	pending, size, problem := wanted, bulkSize, ""
	for round := 0; round < bulkRounds && len(pending) > 0; round++ {
		var again []string
		for part := range slices.Chunk(pending, size) {
			found, unanswered, why, err := t.bulkPart(ctx, part, fields)
			if err != nil {
				return nil, err
			}
			for _, i := range found {
				if !seen[i.ID] {
					out = append(out, i)
				}
				seen[i.ID] = true
			}
			if len(unanswered) > 0 {
				again, problem = append(again, unanswered...), why
			}
		}
		pending, size = again, max(1, size/4)
	}
	if len(pending) > 0 {
		return nil, &ticket.Error{
			Kind: ticket.Retry, Op: t.op, Status: 200,
			Message: fmt.Sprintf("Jira could not answer for %d of the keys asked: %s", len(pending), problem),
		}
	}
	return out, nil
}

// bulkPart asks once. Jira names what it could not answer by id, though it was
// asked by key: all that is missing from such an answer is then unanswered.
func (t *turn) bulkPart(ctx context.Context, part, fields []string) (found []issue, unanswered []string, why string, err error) {
	var answer struct {
		Issues *[]issue `json:"issues"`
		Errors []struct {
			ID      string `json:"id"`
			Message string `json:"errorMessage"`
		} `json:"issueErrors"`
	}
	body := map[string]any{"issueIdsOrKeys": part, "fields": fields, "properties": []string{propertyKey}}
	if err := t.do(ctx, call{endpoint: endBulk, path: "/issue/bulkfetch", body: body}, &answer); err != nil {
		return nil, nil, "", err
	}
	if answer.Issues == nil {
		return nil, nil, "", t.nonsense("a bulk fetch without issues")
	}
	if len(answer.Errors) == 0 {
		return *answer.Issues, nil, "", nil
	}
	for _, wanted := range part {
		if !slices.ContainsFunc(*answer.Issues, func(i issue) bool { return i.Key == wanted || i.ID == wanted }) {
			unanswered = append(unanswered, wanted)
		}
	}
	for _, e := range answer.Errors {
		if e.ID != "" && !slices.Contains(unanswered, e.ID) {
			unanswered = append(unanswered, e.ID)
		}
	}
	return *answer.Issues, unanswered, answer.Errors[0].Message, nil
}
