package main

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"slices"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

// recorded is a day of a ticketing feed, in the form in which the feed answers:
// newest entry first.
//
//go:embed story.xml
var recorded []byte

// page is as much of an answer of the feed as the story needs.
type page struct {
	Entries []struct {
		Updated time.Time `xml:"updated"`
		Event   struct {
			Type    string `xml:"type,attr"`
			Product struct {
				Subject  string    `xml:"subject,attr"`
				Status   string    `xml:"status,attr"`
				TicketID string    `xml:"ticketId,attr"`
				Comments []comment `xml:"comment"`
			} `xml:"product"`
		} `xml:"content>event"`
	} `xml:"entry"`
}

type comment struct {
	ID         string `xml:"id,attr"`
	Author     string `xml:"author,attr"`
	AuthorType string `xml:"authorType,attr"`
	Text       string `xml:"text,attr"`
}

// readStory makes entries to publish of a recorded page, oldest first. They
// have no times: those are given when they are published.
func readStory(data []byte) ([]cloudfeeds.Entry, error) {
	var p page
	if err := xml.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("read the recorded feed: %w", err)
	}
	var story []cloudfeeds.Entry
	for _, e := range p.Entries {
		product := e.Event.Product
		entry := cloudfeeds.Entry{
			TicketID: product.TicketID, Type: e.Event.Type, Subject: product.Subject, Status: product.Status,
		}
		for _, c := range product.Comments {
			entry.Comments = append(entry.Comments, cloudfeeds.Comment{ID: c.ID, Author: c.Author, AuthorType: c.AuthorType, Text: c.Text})
		}
		story = append(story, entry)
	}
	slices.Reverse(story)
	return story, nil
}
