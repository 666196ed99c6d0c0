package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	temporalconfig "go.temporal.io/sdk/contrib/envconfig"
	sdklog "go.temporal.io/sdk/log"

	"github.com/ticketbridge/ticketbridge/internal/operate"
)

// Dial connects to Temporal, as the environment says (TEMPORAL_ADDRESS and
// others), and returns the namespace too.
func Dial(ctx context.Context, logger *slog.Logger, metrics client.MetricsHandler) (client.Client, string, error) {
	options, err := temporalconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, "", fmt.Errorf("settings of the Temporal client: %w", err)
	}
	options.Logger = sdklog.NewStructuredLogger(logger)
	options.MetricsHandler = metrics
	options.DataConverter = operate.Converter()
	address, namespace := options.HostPort, options.Namespace
	if address == "" {
		address = client.DefaultHostPort
	}
	if namespace == "" {
		namespace = client.DefaultNamespace
	}
	options.ConnectionOptions.GrpcCompression = Compression(address)
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, "", unreachable(address, err)
	}
	return c, namespace, nil
}

// unreachable tells the person which address was tried and how to change it.
func unreachable(address string, err error) error {
	if errors.As(err, new(*serviceerror.PermissionDenied)) {
		return fmt.Errorf("the Temporal server at %s refused the credentials; check TEMPORAL_API_KEY and the TEMPORAL_TLS_ settings: %w", address, err)
	}
	return fmt.Errorf("no Temporal server answers at %s; start one (`make run` brings its own) or set TEMPORAL_ADDRESS: %w", address, err)
}

// Compression of what goes to a Temporal server: none to one on this machine,
// where it only costs processor time (about a sixth of a worker's), else the
// SDK's default.
func Compression(address string) client.GrpcCompression {
	host, _, err := net.SplitHostPort(address)
	if err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback()) {
		return &client.GrpcCompressionNone{}
	}
	return nil
}
