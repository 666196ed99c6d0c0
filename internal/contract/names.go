// Package contract holds every name that users or the web UI see: task queues,
// workflows, signals, queries, updates, search attributes, workflow ids, and
// the shapes of inputs and answers.
package contract

import "time"

// Task queues.
const (
	QueueWorkflows = "ticketbridge"
	QueueFeeds     = "ticketbridge-feeds"
	queueProvider  = "ticketbridge-"
	queueUploads   = "ticketbridge-uploads-"
)

// ProviderQueue is the task queue of a provider's calls; provider is its short
// name, e.g. "jira".
func ProviderQueue(provider string) string { return queueProvider + provider }

// UploadQueue is the task queue of the process that holds files of uploads; spool
// is the id of where it holds them.
func UploadQueue(spool string) string { return queueUploads + spool }

// Workflow types.
const (
	PollFeed    = "PollFeed"
	MatchEvents = "MatchEvents"
	WriteTicket = "WriteTicket"
)

// Signals of PollFeed; Retry, Discard and Amend are shared by all workflows.
const (
	SignalPause   = "pause"
	SignalResume  = "resume"
	SignalRewind  = "rewind"
	SignalPollNow = "poll-now"
)

// Signals of MatchEvents.
const (
	SignalEvent         = "event"
	SignalTicketChanged = "ticket-changed"
	SignalRetry         = "retry"
	SignalDiscard       = "discard"
	SignalAmend         = "amend"
)

// Signals of WriteTicket: a 2xx was written to the caller in full; a caller took
// a 202 and asks later; a process holds the file that is to be attached.
const (
	SignalAnswered = "answered"
	SignalAsync    = "async"
	SignalHeld     = "held"
)

// QueryState is answered by every workflow.
const QueryState = "state"

// UpdateOutcome waits for the decision about one event, or for what becomes of a
// write.
const UpdateOutcome = "outcome"

// Search attributes. All are keywords but BridgeRequest, an integer.
const (
	AttributeState       = "BridgeState"
	AttributeFeed        = "BridgeFeed"
	AttributeIntegration = "BridgeIntegration"
	AttributeSource      = "BridgeSource"
	AttributeCI          = "BridgeCI"
	AttributeRequest     = "BridgeRequest"
	AttributeTicket      = "BridgeTicket"
)

// Values of BridgeState.
const (
	StatePolling    = "polling"    // a feed that is read
	StatePaused     = "paused"     // a feed that a person stopped
	StateBlocked    = "blocked"    // a feed that needs its configuration mended
	StateDelivering = "delivering" // a request or write with something on its way to the provider
	StateOpen       = "open"       // a request whose ticket is up to date
	StateParked     = "parked"     // something waits for a person
	StateActive     = "active"     // an integration made by the API
	StateClosed     = "closed"     // all requests of the key are completed or expired; a write has ended
)

// Metrics that workflows count, by kind; exported with the suffix _total.
const (
	MetricParked   = "ticketbridge_parked"
	MetricUnparked = "ticketbridge_unparked"
)

// UploadHeartbeat is how long the process that sends a held file may be silent
// before Temporal takes it for dead.
const UploadHeartbeat = 30 * time.Second

// Error types of activities, as they appear in Temporal.
const (
	ErrorRetry          = "Retry"
	ErrorRateLimited    = "RateLimited"
	ErrorCredentials    = "Credentials"
	ErrorOutcomeUnknown = "OutcomeUnknown"
	ErrorRefused        = "Refused"
	ErrorNotFound       = "NotFound"
	ErrorConfiguration  = "Configuration"
	ErrorInvalidInput   = "InvalidInput"
	ErrorTicketClosed   = "TicketClosed"
	ErrorNotHeld        = "NotHeld"
)
