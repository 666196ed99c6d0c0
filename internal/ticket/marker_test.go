package ticket

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMadeByKnowsAnOperationAndItsHash(t *testing.T) {
	const operation = "match:ops:widget-nagios-29-501:abc/event-1"
	// Golden: tickets that exist are found by it.
	assert.Equal(t, "6c462ba3fa05306d", OperationHash(operation)[:16])
	assert.Len(t, OperationHash(operation), 32)
	assert.True(t, Ticket{Operation: operation}.MadeBy(operation))
	assert.True(t, Ticket{Operation: OperationHash(operation)}.MadeBy(operation))
	assert.False(t, Ticket{Operation: OperationHash("another")}.MadeBy(operation))
	assert.False(t, Ticket{}.MadeBy(""), "a ticket without a marker was made by nobody of us")
}
