package acronis

// DefaultTransform is the jq program from an event to the parameters of the
// Events API. Its input is the event as the Event Manager sent it.
//
// The texts leave out what differs each time the same thing happens (times, ids,
// counts): without a known configuration item they decide which request an event
// belongs to.
const DefaultTransform = `def words: sub("^.*~"; "") | sub("\\.v[0-9.]+$"; "") | sub("^a\\.(p\\.)?"; "") | gsub("[._]"; " ");
def steady: with_entries(select((.key | test("(^|_)(id|uuid|time|date|at|count)$|[a-z](Id|ID|Uuid|UUID|Time|Date|At|Count)$") | not)
  and (.value | if type == "string" then test("^[0-9]{4}-[0-9]{2}-[0-9]{2}|^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-") | not else type == "boolean" end)));
(.type | words) as $what
| (.data | if type == "object" then . else {} end) as $data
| ([$data | .name?, .resourceName?, .resource_name?, .title? | strings | select(. != "")] | .[0]) as $name
| {
    source: "Acronis",
    sourceID: (.subject // .id),
    subject: "\($what): \($name // .subject // .tenant_id // "unknown")",
    note: ([
      "Acronis reports: \($what).", "",
      "- Type: \(.type)", "- Tenant: \(.tenant_id // "none")", "- Subject: \(.subject // "none")", "- Reported by: \(.source // "unknown")",
      ($data | steady | to_entries[] | "- \(.key): \(.value)")
    ] | join("\n")),
    ci_source: "Acronis",
    ci_sourceID: .subject,
    impact: ({critical: "high", error: "high", high: "high", warning: "medium", medium: "medium",
      information: "low", info: "low", low: "low"}[$data.severity | strings | ascii_downcase] // null)
  }`
