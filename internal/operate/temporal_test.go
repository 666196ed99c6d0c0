package operate

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
)

// registrar is a Temporal server as far as Register asks it.
type registrar struct {
	client.Client
	operatorservice.OperatorServiceClient
	has                          map[string]enums.IndexedValueType
	describeErr, listErr, addErr error
	added                        []*operatorservice.AddSearchAttributesRequest
}

// namespaces answers for a server that has the namespace asked for, or not.
type namespaces struct {
	workflowservice.WorkflowServiceClient
	err error
}

func (s *registrar) WorkflowService() workflowservice.WorkflowServiceClient {
	return namespaces{err: s.describeErr}
}

func (s *registrar) OperatorService() operatorservice.OperatorServiceClient { return s }

func (n namespaces) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest, ...grpc.CallOption) (*workflowservice.DescribeNamespaceResponse, error) {
	return &workflowservice.DescribeNamespaceResponse{}, n.err
}

func (s *registrar) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.ListSearchAttributesResponse, error) {
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: s.has}, s.listErr
}

func (s *registrar) AddSearchAttributes(_ context.Context, in *operatorservice.AddSearchAttributesRequest, _ ...grpc.CallOption) (*operatorservice.AddSearchAttributesResponse, error) {
	s.added = append(s.added, in)
	return &operatorservice.AddSearchAttributesResponse{}, s.addErr
}

func TestRegisterAddsWhatIsMissing(t *testing.T) {
	s := &registrar{has: map[string]enums.IndexedValueType{"BridgeFeed": enums.INDEXED_VALUE_TYPE_KEYWORD, "Theirs": enums.INDEXED_VALUE_TYPE_TEXT}}
	require.NoError(t, Register(t.Context(), s, "ops"))
	require.Len(t, s.added, 1)
	want := SearchAttributes()
	delete(want, "BridgeFeed")
	assert.Equal(t, want, s.added[0].GetSearchAttributes())
	assert.Equal(t, "ops", s.added[0].GetNamespace())

	s = &registrar{has: SearchAttributes()}
	require.NoError(t, Register(t.Context(), s, "ops"))
	assert.Empty(t, s.added, "nothing is missing")
}

// What a server refuses is either harmless or told with what to do.
func TestRegisterRefused(t *testing.T) {
	denied := serviceerror.NewPermissionDenied("Request unauthorized.", "")
	other := map[string]enums.IndexedValueType{"BridgeRequest": enums.INDEXED_VALUE_TYPE_KEYWORD}
	for name, c := range map[string]struct {
		server registrar
		want   []string
	}{
		"may not list":       {registrar{listErr: denied}, nil},
		"knows no listing":   {registrar{listErr: serviceerror.NewUnimplemented("unknown service")}, nil},
		"somebody was first": {registrar{addErr: serviceerror.NewAlreadyExists("exists")}, nil},
		"may not add": {registrar{addErr: denied}, []string{
			"could not be registered", "Request unauthorized.", "`temporal operator search-attribute create ",
			" --name BridgeState --type Keyword", " --name BridgeRequest --type Int", " --name BridgeTicket --type Keyword",
		}},
		"cannot list":       {registrar{listErr: serviceerror.NewInternal("broken")}, []string{"could not be registered", "broken", "search-attribute create "}},
		"of another type":   {registrar{has: other}, []string{"BridgeRequest is Keyword", "needs Int", "search-attribute remove --name BridgeRequest"}},
		"no such namespace": {registrar{describeErr: serviceerror.NewNamespaceNotFound("ops")}, []string{`namespace "ops" does not exist`, "TEMPORAL_NAMESPACE"}},
		"may not even look": {registrar{describeErr: denied}, []string{`look at namespace "ops"`, "Request unauthorized."}},
		"does not answer":   {registrar{describeErr: serviceerror.NewUnavailable("down")}, []string{`look at namespace "ops"`, "cannot be reached"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := Register(t.Context(), &c.server, "ops")
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			for _, words := range c.want {
				assert.Contains(t, err.Error(), words)
			}
		})
	}
}

// The command line that a person is told to type names all that is needed.
func TestEverySearchAttributeIsNamed(t *testing.T) {
	told := attributesByHand(notRegistered, assert.AnError)
	for name := range SearchAttributes() {
		assert.Equal(t, 1, strings.Count(told.Error(), " --name "+name+" --type "), name)
	}
	assert.ErrorIs(t, told, assert.AnError)
}

// Where the attributes are missing, the first start or signal says so.
func TestMissingSearchAttributesAreTold(t *testing.T) {
	for text, missing := range map[string]bool{
		"Namespace ops has no mapping defined for search attribute BridgeState": true,
		"search attribute BridgeState is not defined":                           true,
		"invalid value for search attribute BridgeRequest of type Int":          false,
		"WorkflowId is not set on request":                                      false,
	} {
		err := classify(fmt.Errorf("start feed lon: %w", serviceerror.NewInvalidArgument(text)))
		assert.Contains(t, err.Error(), text)
		assert.Equal(t, missing, strings.Contains(err.Error(), "search-attribute create --name"), text)
	}
}
