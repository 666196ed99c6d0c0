package main

import (
	"fmt"

	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

// stepsOfTicket is how many entries a made-up ticket has: it is opened, worked
// on, and closed.
const stepsOfTicket = 3

// invent makes the n-th entry after the recorded story. The same n always makes
// the same entry, so that nothing but n needs to be kept.
func invent(n int) cloudfeeds.Entry {
	// Two tickets run side by side: 0 1 0 1 0 1, 2 3 2 3 2 3, ...
	pair, within := n/(2*stepsOfTicket), n%(2*stepsOfTicket)
	number, step := 2*pair+within%2, within/2
	trouble := troubles()[number%len(troubles())]
	says := trouble.says[step]
	return cloudfeeds.Entry{
		TicketID: fmt.Sprintf("260113-lon-%07d", 1000+number),
		Type:     []string{"CREATE", "UPDATE", "UPDATE"}[step],
		Subject:  fmt.Sprintf("%s on crane-%02d", trouble.subject, 1+number%24),
		Status:   []string{"New", "In Progress", "Closed"}[step],
		Comments: []cloudfeeds.Comment{{
			ID:     fmt.Sprintf("260113-lon-%07d", 70000+n),
			Author: []string{"Monitoring", "Priya N.", "Priya N."}[step], AuthorType: "Rackspace", Text: says,
		}},
	}
}

type trouble struct {
	subject string
	says    [stepsOfTicket]string
}

func troubles() []trouble {
	return []trouble{
		{"Load sensor silent", [stepsOfTicket]string{"No value for 10 minutes.", "The gateway hangs; restarting it.", "Values every second again."}},
		{"CPU at 100 %", [stepsOfTicket]string{"Above 95 % for 15 minutes.", "A hanging report; stopped it.", "Back to 12 %."}},
		{"Clock is 4 s off", [stepsOfTicket]string{"Offset to the time server: 4.1 s.", "The time server's address had changed.", "Offset below 1 ms."}},
		{"Camera stream stopped", [stepsOfTicket]string{"No picture since the last gust.", "The cable was loose; a technician is on the way.", "Picture is back, cable is fastened."}},
		{"Certificate warning", [stepsOfTicket]string{"Ends in 14 days.", "Ordered a new one.", "New certificate installed."}},
	}
}
