package integration

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the Synqly Ticketing Connector's answers hold. Members tagged need:"yes"
// must be there and not null; others may be absent; those that are not named here
// are ignored, as its client libraries do.
type (
	ticketShape struct {
		ID             string                `json:"id" need:"yes"`
		Name           string                `json:"name" need:"yes"`
		Summary        string                `json:"summary" need:"yes"`
		CreatedAt      time.Time             `json:"created_at" need:"yes"`
		UpdatedAt      time.Time             `json:"updated_at" need:"yes"`
		Creator        *string               `json:"creator"`
		Assignee       *string               `json:"assignee"`
		Contact        *string               `json:"contact"`
		Description    *string               `json:"description"`
		Priority       *string               `json:"priority"`
		DueDate        *time.Time            `json:"due_date"`
		CompletionDate *time.Time            `json:"completion_date"`
		Status         *string               `json:"status"`
		Project        *string               `json:"project"`
		IssueType      *string               `json:"issue_type"`
		Parent         *string               `json:"parent"`
		Tags           []string              `json:"tags"`
		Attachments    []attachmentInfoShape `json:"attachments"`
		CustomFields   map[string]any        `json:"custom_fields"`
		Unmapped       map[string]any        `json:"unmapped"`
	}
	commentShape struct {
		ID        string     `json:"id" need:"yes"`
		TicketID  string     `json:"ticket_id" need:"yes"`
		Creator   string     `json:"creator" need:"yes"`
		Content   string     `json:"content" need:"yes"`
		CreatedAt time.Time  `json:"created_at" need:"yes"`
		UpdatedAt *time.Time `json:"updated_at"`
	}
	noteShape struct {
		ID        string     `json:"id" need:"yes"`
		TicketID  string     `json:"ticket_id" need:"yes"`
		Title     string     `json:"title" need:"yes"`
		Content   string     `json:"content" need:"yes"`
		Creator   string     `json:"creator" need:"yes"`
		CreatedAt time.Time  `json:"created_at" need:"yes"`
		UpdatedAt *time.Time `json:"updated_at"`
	}
	attachmentInfoShape struct {
		ID          string    `json:"id" need:"yes"`
		TicketID    string    `json:"ticket_id" need:"yes"`
		FileName    string    `json:"file_name" need:"yes"`
		FileType    string    `json:"file_type" need:"yes"`
		CreatedDate time.Time `json:"created_date" need:"yes"`
		Creator     string    `json:"creator" need:"yes"`
		FileSize    *int      `json:"file_size"`
	}
	attachmentShape struct {
		FileName string `json:"file_name" need:"yes"`
		FileType string `json:"file_type" need:"yes"`
		Content  []byte `json:"content" need:"yes"`
	}
	projectShape struct {
		ID   string `json:"id" need:"yes"`
		Name string `json:"name" need:"yes"`
	}
	remoteFieldShape struct {
		FieldID           string  `json:"field_id" need:"yes"`
		FieldScope        string  `json:"field_scope" need:"yes"`
		ProviderFieldName string  `json:"provider_field_name" need:"yes"`
		ProviderFieldPath *string `json:"provider_field_path"`
		ProjectID         *string `json:"project_id"`
		Schema            *struct {
			FieldTypeID      string   `json:"field_type_id" need:"yes"`
			FieldType        *string  `json:"field_Type"`
			EnumValues       []string `json:"enum_values"`
			EnumOptionValues []struct {
				ID   string `json:"id" need:"yes"`
				Name string `json:"name" need:"yes"`
			} `json:"enum_option_values"`
		} `json:"schema"`
	}
	policyShape struct {
		ID    string  `json:"id" need:"yes"`
		Name  *string `json:"name"`
		Rules []struct {
			ID           *string      `json:"id"`
			DelaySeconds *int         `json:"delay_seconds" need:"yes"`
			Actors       []actorShape `json:"actors" need:"yes"`
		} `json:"rules" need:"yes"`
	}
	// actorShape is a union; checkActor knows what each type needs.
	actorShape struct {
		Type       string  `json:"type" need:"yes"`
		ID         *string `json:"id"`
		UID        *string `json:"uid"`
		Name       *string `json:"name"`
		FullName   *string `json:"full_name"`
		Additional *bool   `json:"additional_properties"`
	}
	agentShape struct {
		UID       string  `json:"uid" need:"yes"`
		FullName  string  `json:"full_name" need:"yes"`
		EmailAddr *string `json:"email_addr"`
		TimeZone  *string `json:"time_zone"`
	}
	problemShape struct {
		Message     string    `json:"message" need:"yes"`
		Status      int       `json:"status" need:"yes"`
		OccurredAt  time.Time `json:"occurred_at" need:"yes"`
		Instance    string    `json:"instance" need:"yes"`
		Detail      *string   `json:"detail"`
		Remediation *string   `json:"remediation"`
		Type        *string   `json:"type"`
		Context     *struct {
			Parameter *struct {
				ID       string  `json:"id" need:"yes"`
				Location string  `json:"location" need:"yes"`
				Value    *string `json:"value"`
			} `json:"parameter"`
			RawError *string `json:"raw_error"`
			// Operation is ours: the write that goes on.
			Operation string `json:"operation"`
		} `json:"context"`
	}
)

// result and page are the envelopes.
type (
	resultShape[T any] struct {
		Result T `json:"result" need:"yes"`
	}
	pageShape[T any] struct {
		Result []T    `json:"result" need:"yes"`
		Cursor string `json:"cursor" need:"yes"`
	}
)

// decodeShape reads an answer: every member of its type, and those that it must
// have there. Go's own reader sees to RFC 3339, and to ids that are texts.
func decodeShape(text []byte, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	var raw any
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	if missing := missingOf(reflect.TypeOf(into), raw, ""); len(missing) > 0 {
		return fmt.Errorf("missing: %s: %s", strings.Join(missing, ", "), text)
	}
	return nil
}

// missingOf names the members that a value must have, and has not.
func missingOf(t reflect.Type, raw any, at string) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var missing []string
	switch value := raw.(type) {
	case []any:
		for i, each := range value {
			if t.Kind() == reflect.Slice {
				missing = append(missing, missingOf(t.Elem(), each, fmt.Sprintf("%s/%d", at, i))...)
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return nil
		}
		for i := range t.NumField() {
			field := t.Field(i)
			name := at + "/" + field.Tag.Get("json")
			if member, there := value[field.Tag.Get("json")]; there && member != nil {
				missing = append(missing, missingOf(field.Type, member, name)...)
			} else if field.Tag.Get("need") != "" {
				missing = append(missing, name)
			}
		}
	}
	return missing
}

func checkActor(t *testing.T, a actorShape) {
	t.Helper()
	switch a.Type {
	case "agent":
		assert.NotNil(t, a.UID)
		assert.NotNil(t, a.FullName)
	case "agent_summary":
		assert.NotNil(t, a.Name)
		fallthrough
	case "group_summary", "schedule_summary":
		assert.NotNil(t, a.ID)
		assert.NotNil(t, a.Additional)
	default:
		assert.Fail(t, "not of the union", a.Type)
	}
}

// A client of the tests that takes everything would prove nothing.
func TestTheTestClientIsStrict(t *testing.T) {
	t.Parallel()
	const good = `{"result":[{"id":"1","name":"n","summary":"s","created_at":"2026-05-06T07:08:09.5+02:00","updated_at":"2026-05-06T07:08:09Z","newer":{"x":1}}],"cursor":""}`
	var page pageShape[ticketShape]
	require.NoError(t, decodeShape([]byte(good), &page))
	for name, change := range map[string][2]string{
		"a number for an id":      {`"id":"1"`, `"id":1`},
		"an offset without colon": {"+02:00", "+0200"},
		"no name":                 {`"name":"n",`, ``},
		"null for a name":         {`"name":"n"`, `"name":null`},
		"no cursor":               {`,"cursor":""`, ``},
		"null for a list":         {`[{`, `null,"more":[{`},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		require.NotEqual(t, good, text, name)
		assert.Error(t, decodeShape([]byte(text), new(pageShape[ticketShape])), name)
	}
}
