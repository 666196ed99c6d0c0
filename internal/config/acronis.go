package config

// Acronis is what only feeds of that type have (Acronis Event Manager,
// "Subscribing to the events" and "Listening for the events").
type Acronis struct {
	// Topic and Types select what is read; a type may end with ".*".
	Topic string   `yaml:"topic"`
	Types []string `yaml:"types"`
	// TenantDepth: the tenant itself (current), its children too (direct), or
	// all below it (all, the default).
	TenantDepth  string   `yaml:"tenant_depth"`
	SubjectTypes []string `yaml:"subject_types"`
	// CEL is a filter over `event` that the Event Manager applies.
	CEL string `yaml:"cel"`
	// Consumer says where the offset is kept.
	Consumer           string   `yaml:"consumer"`
	AutoCommitInterval Duration `yaml:"auto_commit_interval"`
	// SessionTimeout is how long a silent reader keeps others from reading.
	SessionTimeout Duration `yaml:"session_timeout"`
	// LongPoll is how long a request waits for events.
	LongPoll Duration `yaml:"long_poll"`
	// Subscription is the id of one that is there already; empty derives it from
	// the configuration.
	Subscription string `yaml:"subscription"`
}

// Consumer styles of an Acronis feed.
const (
	// ConsumerStateful keeps the offset in the feed's workflow.
	ConsumerStateful = "stateful"
	// ConsumerStateless commits the offset to the subscription after each hand-over.
	ConsumerStateless = "stateless"
	// ConsumerAutoCommit lets the Event Manager commit what reading on acknowledges.
	ConsumerAutoCommit = "auto_commit"
)

// Values of TenantDepth.
const (
	DepthCurrent = "current"
	DepthDirect  = "direct"
	DepthAll     = "all"
)
