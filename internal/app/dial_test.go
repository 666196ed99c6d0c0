package app

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.temporal.io/sdk/client"
)

func TestCompressionOnlyTowardsOtherMachines(t *testing.T) {
	for address, none := range map[string]bool{
		"localhost:7233": true, "127.0.0.1:7233": true, "[::1]:7233": true,
		"temporal:7233": false, "10.0.0.7:7233": false, "acme.tmprl.cloud:7233": false, "127.0.0.1": false, "": false,
	} {
		_, got := Compression(address).(*client.GrpcCompressionNone)
		assert.Equal(t, none, got, address)
	}
}
