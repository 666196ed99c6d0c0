package main

import (
	"encoding/json"
	"fmt"

	"github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

// happening is an event of Acronis, and what it is called where people watch.
type happening struct {
	event acronis.Event
	// about is a machine or a tenant.
	about, text string
}

// stepsOfMishap is how many events a mishap has: it comes, and it is over.
const stepsOfMishap = 2

// estateEvent tells which event of Acronis comes along with entry n of the
// feed, where one does: by turns after three entries and after four.
func estateEvent(n int) (number int, due bool) {
	week, within := n/7, n%7
	switch within {
	case 3:
		return 2 * week, true
	case 6:
		return 2*week + 1, true
	default:
		return 0, false
	}
}

// happen makes the n-th event of Acronis; the same n always makes the same one.
func happen(n int) happening {
	// Two mishaps run side by side, as the tickets of invent do.
	pair, within := n/(2*stepsOfMishap), n%(2*stepsOfMishap)
	number, step := 2*pair+within%2, within/2
	m := mishaps()[number%len(mishaps())]
	office := offices()[number%len(offices())]
	about, subject, subjectType := fmt.Sprintf("%s-pc-%02d", office.name, 1+number%17), fmt.Sprintf("7f3a0c52-6d1e-4b8f-9a27-%012x", 0x1000+number), "agent"
	if m.ofTenant {
		about, subject, subjectType = office.name, office.id, "tenant"
	}
	data, _ := json.Marshal(map[string]string{ // texts always marshal
		"title": m.title + ": " + about, "severity": m.severity[step], "resource": about, "message": m.says[step],
	})
	return happening{
		event: acronis.Event{
			Topic: acronis.TopicTenant, Type: acronis.TypePrefix + m.types[step], Source: m.source,
			TenantID: office.id, Subject: subject, SubjectType: subjectType, Data: data,
		},
		about: about, text: m.title + " · " + m.says[step],
	}
}

// office is a tenant of the harbour.
type office struct{ name, id string }

func offices() []office {
	return []office{
		{"customs", "0b9d5f14-3c70-4e86-a1d2-6b8f20c4e511"},
		{"pilots", "0b9d5f14-3c70-4e86-a1d2-6b8f20c4e522"},
		{"dredging", "0b9d5f14-3c70-4e86-a1d2-6b8f20c4e533"},
	}
}

type mishap struct {
	title, source string
	ofTenant      bool
	types         [stepsOfMishap]string
	severity      [stepsOfMishap]string
	says          [stepsOfMishap]string
}

func mishaps() []mishap {
	alarm := [stepsOfMishap]string{"critical", "information"}
	return []mishap{
		{"Backup failed", "backup-service", false,
			[stepsOfMishap]string{"a.p.agent.backup_failed.v1.0", "a.p.agent.backup_succeeded.v1.0"}, [stepsOfMishap]string{"warning", "information"},
			[stepsOfMishap]string{"The nightly backup stopped: the disk of the vault is full.", "Old copies were removed; the backup is complete."}},
		{"Tenant disabled", "account-server", true,
			[stepsOfMishap]string{"a.p.tenant.disabled.v1.0", "a.p.tenant.enabled.v1.0"}, alarm,
			[stepsOfMishap]string{"Nobody of this office can sign in.", "The office can sign in again."}},
		{"Suspicious program", "edr-service", false,
			[stepsOfMishap]string{"a.edr.incident.created.v1.0", "a.edr.incident.closed.v1.0"}, alarm,
			[stepsOfMishap]string{"A macro in an invoice started a shell; the machine is cut off.", "Cleaned and checked; the machine is back in the network."}},
		{"Agent out of touch", "agent-manager", false,
			[stepsOfMishap]string{"a.p.agent.offline.v1.0", "a.p.agent.re_registered.v1.0"}, [stepsOfMishap]string{"warning", "information"},
			[stepsOfMishap]string{"Not heard of for two days.", "Registered again after a new certificate."}},
	}
}
