package httpapi

// connectorID is the one connector that there is.
const connectorID = "ticketing"

// Envelopes of the capabilities.
type (
	providerList struct {
		Result []providerCapabilities `json:"result"`
	}
	providerAnswer struct {
		Result providerCapabilities `json:"result"`
	}
	connectorList struct {
		Result []connectorCapabilities `json:"result"`
	}
)

// connectorCapabilities is a kind of interface with its providers.
type connectorCapabilities struct {
	ID          string                 `json:"id"`
	Name        string                 `json:"name"`
	FullName    string                 `json:"fullname"`
	Description string                 `json:"description"`
	ProviderIDs []string               `json:"provider_ids"`
	Providers   []providerCapabilities `json:"providers,omitempty" doc:"With expand=providers."`
}

// providerCapabilities say what a type of integration can do.
type providerCapabilities struct {
	ID             string              `json:"id" doc:"The integration's type."`
	Name           string              `json:"name"`
	FullName       string              `json:"fullname"`
	Vendor         string              `json:"vendor"`
	Description    string              `json:"description"`
	ConnectorID    string              `json:"connector_id"`
	Connector      any                 `json:"connector,omitempty" doc:"The connector's id; with expand=connector the connector."`
	Operations     []providerOperation `json:"operations"`
	ProviderConfig any                 `json:"provider_config,omitempty" doc:"With expand=provider_config: the integration's keys, as JSON Schema."`
	Release        providerRelease     `json:"release"`
}

type providerRelease struct {
	Availability string   `json:"availability"`
	Environments []string `json:"environments" doc:"prod and test"`
}

// providerOperation is an operation, supported or not.
type providerOperation struct {
	ID                      string           `json:"id"`
	Name                    string           `json:"name"`
	FullName                string           `json:"fullname"`
	Description             string           `json:"description,omitempty"`
	RequestMethod           string           `json:"request_method"`
	RequestPath             string           `json:"request_path"`
	Supported               bool             `json:"supported" doc:"Else the operation is answered with 501."`
	RequiredFields          []string         `json:"required_fields,omitempty" doc:"Members of the body; those that the integration has a default_... for may be left out."`
	SupportedResponseFields []string         `json:"supported_response_fields,omitempty"`
	Filters                 []providerFilter `json:"filters,omitempty"`
	Orders                  []providerOrder  `json:"orders,omitempty"`
	RequestBody             *requestBody     `json:"request_body,omitempty"`
}

type providerFilter struct {
	Name      string   `json:"name"`
	Type      string   `json:"type" doc:"string, datetime, enum or number"`
	Operators []string `json:"operators"`
	Values    []string `json:"values,omitempty" doc:"Of an enum."`
}

type providerOrder struct {
	Name       string   `json:"name"`
	Directions []string `json:"directions"`
}

// requestBody is what an operation is asked with.
type requestBody struct {
	Required bool `json:"required"`
	Schema   any  `json:"schema" doc:"A reference into /openapi.json; with expand=request_body the schema itself."`
}

// operatorPrefix begins the connector's names of operations.
const operatorPrefix = connectorID + "_"
