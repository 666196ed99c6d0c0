package integration

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// pageThrough lists what a query selects, page by page, and lets things change
// in between. It counts how often each name was listed.
func (c *connector) pageThrough(t *testing.T, q url.Values, change func(page int)) (names map[string]int, pages int) {
	t.Helper()
	names = map[string]int{}
	for ; ; pages++ {
		require.Less(t, pages, 100, "the list has no end")
		page, err := c.queryTickets(t.Context(), q)
		require.NoError(t, err)
		for _, each := range page.Result {
			names[each.Name]++
		}
		if page.Cursor == "" {
			return names, pages + 1
		}
		q.Set("cursor", page.Cursor)
		change(pages)
	}
}

const staying = 12

// assertStayed: what did not change was listed once each, and nothing was listed twice.
func assertStayed(t *testing.T, order string, names map[string]int) {
	t.Helper()
	for n := range staying {
		assert.Equal(t, 1, names[stays(n)], "%s: %s", order, stays(n))
	}
	for name, times := range names {
		assert.Equal(t, 1, times, "%s: %s", order, name)
	}
}

func stays(n int) string { return fmt.Sprintf("Stays %02d", n) }

// Tickets that come and go between two pages make no other one be left out, or be
// listed twice, whatever the order: on the same page, before it and behind it.
func TestPagesUnderChange(t *testing.T) {
	t.Parallel()
	orders := []string{"", "created_at[asc]", "created_at[desc]", "name[asc]"}
	t.Run("Jira", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		for n, order := range orders {
			s.testJiraPages(t, fmt.Sprintf("list%d", n), order)
		}
	})
	t.Run("test provider", func(t *testing.T) {
		t.Parallel()
		s := startTry(t, "", options{})
		for n, order := range orders {
			t.Run(order, func(t *testing.T) {
				t.Parallel()
				s.testTryPages(t, fmt.Sprintf("list%d", n), order)
			})
		}
	})
}

func pagesOf(tag, order string) url.Values {
	q := url.Values{"filter": {"tags[in]" + tag}, "limit": {"4"}}
	if order != "" {
		q.Set("order", order)
	}
	return q
}

func (s *stack) testJiraPages(t *testing.T, tag, order string) {
	add := func(name string) jira.Issue {
		made, err := s.jira.CreateAsOther("OPS", name, tag)
		require.NoError(t, err)
		return made
	}
	var going []jira.Issue
	for n := range staying {
		add(stays(n))
		going = append(going, add(fmt.Sprintf("Goes %02d", n)))
	}
	added := 0
	names, pages := s.connector(1).pageThrough(t, pagesOf(tag, order), func(page int) {
		if added++; added <= 3 { // the list would else never end in some orders
			add(fmt.Sprintf("Added %d A", page))
			add(fmt.Sprintf("Stays Added %d", page))
		}
		for _, gone := range []int{page, staying - 1 - page} {
			if gone < len(going) && gone >= 0 && going[gone].ID != "" {
				require.NoError(t, s.jira.Delete(going[gone].ID))
				going[gone].ID = ""
			}
		}
	})
	assert.Greater(t, pages, 3, order)
	assertStayed(t, order, names)
}

// Nothing can be deleted at the test provider; what loses its tag leaves the list.
func (s *stack) testTryPages(t *testing.T, tag, order string) {
	c := s.connector(1)
	add := func(name string) string {
		made, err := c.createTicket(t.Context(), map[string]any{"name": name, "tags": []string{tag}})
		require.NoError(t, err)
		return made.ID
	}
	var going []string
	for n := range staying {
		add(stays(n))
		going = append(going, add(fmt.Sprintf("Goes %02d", n)))
	}
	names, pages := c.pageThrough(t, pagesOf(tag, order), func(page int) {
		add(fmt.Sprintf("Added %d", page))
		for _, gone := range []int{page, staying - 1 - page} {
			_, err := s.connector(1).patchTicket(t.Context(), going[gone], replace("/tags", []string{}))
			require.NoError(t, err)
		}
	})
	assert.Greater(t, pages, 3, order)
	assertStayed(t, order, names)
	assert.NotContains(t, names, "Added 0", "a list is decided by its first page")
}
