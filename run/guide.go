package main

import (
	"fmt"
	"strings"
)

// guide says where to look and what to try.
func (l *launcher) guide() {
	out := l.out
	out.line("")
	out.line("  " + out.paint(bold, "Look"))
	for _, place := range l.places() {
		out.line("    " + pad(place[0], 20) + " " + out.paint(cyan, place[1]))
	}
	out.line("")
	out.line("  " + out.paint(bold, "Try, in another terminal") + out.paint(dim, "  (in "+l.here+")"))
	for _, try := range l.tries() {
		out.line("    " + out.paint(dim, "# "+try[0]))
		for command := range strings.SplitSeq(try[1], "\n") {
			out.line("    " + command)
		}
	}
	out.line("")
}

func (l *launcher) places() [][2]string {
	var places [][2]string
	if l.embedded() {
		ui := l.uiURL() + "/namespaces/" + l.namespace + "/workflows"
		places = append(places, [2]string{"Temporal web UI", ui})
		for _, f := range l.startedFeeds() {
			places = append(places, [2]string{"feed " + f.Feed, ui + "/" + f.Workflow})
		}
	}
	if l.demo() {
		places = append(places, [2]string{"tickets (simulated)", l.simulatorURL() + "/jira/"})
	}
	return append(places,
		[2]string{"HTTP interfaces", l.httpURL() + "/"},
		[2]string{"metrics", l.metricsURL() + "/metrics"},
		[2]string{"logs", l.in("logs") + "/"})
}

func (l *launcher) tries() [][2]string {
	token, catalogCI := "$TOKEN", ""
	if l.demo() {
		token, catalogCI = demoToken, " -d ci=berth-db-1"
	}
	tries := [][2]string{{
		"a monitoring system reports trouble: it becomes a ticket; once more with another note, a comment",
		fmt.Sprintf(`curl -s -H 'Authorization: Bearer %s' -d subject='Server down' -d source=Nagios%s -d note='not reachable' %s/v1/events`, token, catalogCI, l.httpURL()),
	}}
	if !l.demo() {
		tries[0][1] = strings.Replace(tries[0][1], "'Authorization: Bearer $TOKEN'", `"Authorization: Bearer $TOKEN"`, 1)
	}
	if feeds := l.startedFeeds(); len(feeds) > 0 {
		tries = append(tries, l.triesOfFeed(feeds[0].Workflow)...)
	}
	if pid := l.workerProcess(); pid != 0 {
		tries = append(tries, [2]string{"kill the worker: it comes back, and nothing is lost or doubled", fmt.Sprintf("kill -9 %d", pid)})
	}
	if l.demo() {
		faults := l.simulatorURL() + "/jira/_control/faults"
		tries = append(tries, [2]string{
			"let Jira fail for a minute: what happens meanwhile is made up for",
			fmt.Sprintf(`curl -X PUT -d '[{"kind":"error-before"}]' %s; sleep 60; curl -X DELETE %s`, faults, faults),
		})
	}
	if l.demo() {
		tries = append(tries, [2]string{
			"a ticket at the test provider, by the unified ticketing API",
			fmt.Sprintf(`. %s && starter ticket create --integration try --name 'Quay lights are out' --priority high`, l.in("env")),
		})
	}
	return append(tries, [2]string{"everything else", fmt.Sprintf(". %s && starter --help", l.in("env"))})
}

// triesOfFeed need the address only where it is not the usual one.
func (l *launcher) triesOfFeed(workflow string) [][2]string {
	temporalAt, tctlAt := "", ""
	if l.temporalAt() != "127.0.0.1:7233" {
		temporalAt, tctlAt = " --address "+l.temporalAt(), " --address "+l.temporalAt()
	}
	if l.namespace != "default" {
		temporalAt, tctlAt = temporalAt+" --namespace "+l.namespace, tctlAt+" --namespace "+l.namespace
	}
	var tries [][2]string
	if l.temporal != "" {
		tries = append(tries, [2]string{
			"pause the feed, and let it go on",
			fmt.Sprintf("%[1]s workflow signal -w %[2]s --name pause%[3]s\n%[1]s workflow signal -w %[2]s --name resume%[3]s", l.temporal, workflow, temporalAt),
		})
	}
	what := "how the feed stands"
	if !l.tctlReady() {
		what += " (tctl is still being built; a line here says when it is there)"
	}
	return append(tries, [2]string{what, fmt.Sprintf("%s%s workflow query --workflow_id %s --query_type state", l.tctlPath(), tctlAt, workflow)})
}
