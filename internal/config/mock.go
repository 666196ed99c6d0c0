package config

// Mock is what only the test provider has: how it behaves.
type Mock struct {
	// Latency is how long each call takes before it is carried out.
	Latency Duration `yaml:"latency"`
	// Seed makes the faults fall in the same order again.
	Seed   int         `yaml:"seed"`
	Faults []MockFault `yaml:"faults"`
}

// MockFault is one way in which calls go wrong.
type MockFault struct {
	// Kind is one of the MockFault constants.
	Kind string `yaml:"kind"`
	// Share is the part of the calls that it befalls, up to 1; 0 is all, too.
	Share float64 `yaml:"share"`
	// Operators are those that it befalls; empty for all.
	Operators []string `yaml:"operators"`
	// Delay is how late a slow answer comes.
	Delay Duration `yaml:"delay"`
	// RetryAfter is what a rate limit asks callers to wait; 0 takes the test
	// provider's default.
	RetryAfter Duration `yaml:"retry_after"`
}

// Kinds of a MockFault.
const (
	// MockErrorBefore: an error before anything was done.
	MockErrorBefore = "error_before"
	// MockErrorAfter: all was done, and the answer is an error.
	MockErrorAfter = "error_after"
	// MockSlow: all was done, and the answer comes late.
	MockSlow        = "slow"
	MockRateLimited = "rate_limited"
	MockRefused     = "refused"
	MockCredentials = "credentials"
)

func mockFaultKinds() []string {
	return []string{MockErrorBefore, MockErrorAfter, MockSlow, MockRateLimited, MockRefused, MockCredentials}
}

// MockOperators are the names by which a fault can be held to some calls. Looking
// for what a lost call may have made counts as reading a list of its kind.
func MockOperators() []string {
	return []string{
		"query_tickets", "create_ticket", "get_ticket", "patch_ticket",
		"list_comments", "create_comment", "delete_comment",
		"list_notes", "create_note", "patch_note", "delete_note",
		"create_attachment", "list_attachments_metadata", "download_attachment", "delete_attachment",
		"list_projects", "list_remote_fields", "query_escalation_policies", "list_on_call",
	}
}
