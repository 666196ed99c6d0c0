package integration

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

const account = "faws:576508529999"

// feedConfig reads the simulated feed as often as tests like.
func feedConfig(url string) string {
	return fmt.Sprintf(`feeds:
  - name: rackspace-lon
    type: cloudfeeds
    url: %s/consolidated_ticketing/events/%s
    credential: {type: rackspace_api_key, username: alice, secret: "env:TEST_FEED_KEY", identity_url: "%s/v2.0", requests_per_minute: 600}
    start: oldest
    poll_interval: 200ms
    match: ticket
    integration: jira-ops
`, url, account, url)
}

// startWithFeed adds a simulated feed to the stack and starts reading it.
func startWithFeed(t *testing.T, feed cloudfeeds.Options, o options) (*stack, *cloudfeeds.Server) {
	t.Helper()
	sim := cloudfeeds.New(feed)
	sim.AddUser(cloudfeeds.User{Name: "alice", APIKey: "secret-of-feed"})
	site := httptest.NewServer(sim)
	t.Cleanup(site.Close)
	o.feeds = feedConfig(site.URL)
	s := start(t, o)
	out, status := s.starter("feed", "start", "rackspace-lon")
	require.Zero(t, status, out)
	return s, sim
}

// story is what a feed tells: per foreign ticket its comments in order.
type story struct {
	comments map[string][]string
	subjects map[string]string
	closed   map[string]bool
	entries  []cloudfeeds.Entry
}

// tell makes up a story of events over foreign tickets: each is created,
// commented, some change their subject, some are closed at the end.
func tell(events, tickets int, seed uint64) *story {
	return tellWhere(events, tickets, seed, func(int) bool { return true })
}

// tellMuch is a long story of which little is new, so that a backlog of
// thousands costs Jira little. What is new stands at both ends of the story and of
// every page of the feed, and here and there.
func tellMuch(events, tickets int, seed uint64) *story {
	return tellWhere(events, tickets, seed, func(n int) bool {
		return n < tickets || n%85 == 16 || n%feedPage < 2 || n%feedPage >= feedPage-2 || n >= events-5
	})
}

// feedPage is how many entries a page of the feed holds.
const feedPage = 1000

// tellWhere lets the entries that are not news repeat what their ticket's last one said.
func tellWhere(events, tickets int, seed uint64, news func(n int) bool) *story {
	random := rand.New(rand.NewPCG(seed, 2))
	s := &story{comments: map[string][]string{}, subjects: map[string]string{}, closed: map[string]bool{}}
	at := time.Now().Add(-time.Hour).UTC()
	for n := range events {
		at = at.Add(time.Second)
		i := n
		if n >= tickets {
			i = random.IntN(tickets)
		}
		ticket := fmt.Sprintf("260115-lon-%07d", i)
		if news(n) {
			s.entries = append(s.entries, s.entry(n, i, ticket, at, events))
			continue
		}
		s.entries = append(s.entries, cloudfeeds.Entry{
			Account: account, TicketID: ticket, LastUpdated: at, EventTime: at, Subject: s.subjects[ticket],
		})
	}
	return s
}

func (s *story) entry(n, i int, ticket string, at time.Time, events int) cloudfeeds.Entry {
	e := cloudfeeds.Entry{Account: account, TicketID: ticket, Type: "UPDATE", LastUpdated: at, EventTime: at, Subject: s.subjects[ticket]}
	if e.Subject == "" {
		e.Type, e.Subject = "CREATE", fmt.Sprintf("Story of ticket %02d", i)
	}
	if n%17 == 16 {
		e.Subject = fmt.Sprintf("Story of ticket %02d, chapter %d", i, n)
	}
	s.subjects[ticket] = e.Subject
	id := fmt.Sprintf("comment-%05d.", n)
	e.Comments = []cloudfeeds.Comment{{ID: id, Author: "Racker", AuthorType: "Rackspace", Created: at, Text: id + " We look at it."}}
	s.comments[ticket] = append(s.comments[ticket], id)
	if n >= events-5 && !s.closed[ticket] && i%2 == 0 {
		e.Status = "Closed"
		s.closed[ticket] = true
	}
	return e
}

// told counts the comments.
func (s *story) told() int {
	n := 0
	for _, comments := range s.comments {
		n += len(comments)
	}
	return n
}

// assertTold: Jira holds exactly the tickets and comments that the story
// implies, each once and in order, with the newest subject and status.
func (s *stack) assertTold(t *testing.T, told *story) {
	t.Helper()
	byTicket := map[string][]jira.Issue{}
	for _, issue := range s.jira.Issues() {
		byTicket[foreignTicket(issue)] = append(byTicket[foreignTicket(issue)], issue)
	}
	assert.Len(t, byTicket, len(told.comments))
	for ticket, want := range told.comments {
		issues := byTicket[ticket]
		if !assert.Len(t, issues, 1, "tickets of %s", ticket) {
			continue
		}
		assert.Equal(t, want, commentIDs(issues[0]), "comments of %s at %s", ticket, issues[0].Key)
		assert.Equal(t, told.subjects[ticket], issues[0].Summary, "subject of %s", ticket)
		assert.Equal(t, told.closed[ticket], issues[0].Status == "Done", "status of %s: %s", ticket, issues[0].Status)
	}
}

func (s *stack) delivered() int {
	n := 0
	for _, issue := range s.jira.Issues() {
		n += len(commentIDs(issue))
	}
	return n
}

// foreignTicket is the ticket that an issue's first words are about.
func foreignTicket(issue jira.Issue) string {
	for _, word := range strings.Fields(jira.Text(issue.Description)) {
		word = strings.Trim(word, "().,")
		if strings.Contains(word, "-lon-") {
			return word
		}
	}
	return "?"
}

func commentIDs(issue jira.Issue) []string {
	texts := []string{jira.Text(issue.Description)}
	for _, c := range issue.Comments {
		texts = append(texts, jira.Text(c.Body))
	}
	var ids []string
	for _, text := range texts {
		for _, word := range strings.Fields(text) {
			if strings.HasPrefix(word, "comment-") {
				ids = append(ids, word)
			}
		}
	}
	return ids
}

func (s *stack) awaitTold(t *testing.T, told *story, within time.Duration) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("%d of %d comments are there:\n%s", s.delivered(), told.told(), s.report())
		}
	}()
	require.Eventually(t, func() bool {
		done, current := 0, true
		for _, issue := range s.jira.Issues() {
			if issue.Status == "Done" {
				done++
			}
			current = current && issue.Summary == told.subjects[foreignTicket(issue)]
		}
		return current && done >= len(told.closed) && s.delivered() >= told.told()
	}, within, 200*time.Millisecond, "not all of the story arrives")
}

// A feed's story becomes tickets and comments, in every mode of the feed's
// server, although entries become visible late.
func TestFeedBecomesTickets(t *testing.T) {
	t.Parallel()
	for _, mode := range []cloudfeeds.Mode{cloudfeeds.JDBC, cloudfeeds.DDB, cloudfeeds.DDBBrokenForward} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s, feed := startWithFeed(t, cloudfeeds.Options{Mode: mode, HeadDelay: 200 * time.Millisecond}, options{})
			told := tell(60, 12, 3)
			for i, e := range told.entries {
				if i%10 == 9 && i < 50 {
					// Late, and the last one of its ticket for a while: order
					// within a ticket is only promised for what is in time.
					e.VisibleAt = time.Now().Add(3 * time.Second)
				}
				feed.Publish(e)
			}
			s.awaitTold(t, told, time.Minute)
			s.assertToldAnyOrder(t, told)
		})
	}
}

// At the default rate, looking for earlier tickets leaves room to make new ones.
func TestFeedAtTheDefaultRate(t *testing.T) {
	t.Parallel()
	s, feed := startWithFeed(t, cloudfeeds.Options{HeadDelay: 200 * time.Millisecond}, options{config: func(text string) string {
		return strings.Replace(text, fastRate, "", 1)
	}})
	told := tell(12, 12, 4)
	feed.Publish(told.entries...)
	s.awaitTold(t, told, 30*time.Second)
	requests := s.jira.Stats().Requests
	assert.Equal(t, 12, requests["create"])
	assert.LessOrEqual(t, requests["search"], 24, "searches for 12 tickets")
}

func (s *stack) assertToldAnyOrder(t *testing.T, told *story) {
	t.Helper()
	byTicket := map[string][]jira.Issue{}
	for _, issue := range s.jira.Issues() {
		byTicket[foreignTicket(issue)] = append(byTicket[foreignTicket(issue)], issue)
	}
	assert.Len(t, byTicket, len(told.comments))
	for ticket, want := range told.comments {
		if assert.Len(t, byTicket[ticket], 1, "tickets of %s", ticket) {
			assert.ElementsMatch(t, want, commentIDs(byTicket[ticket][0]), "comments of %s", ticket)
		}
	}
}
