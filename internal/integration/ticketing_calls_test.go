package integration

import (
	"context"
	"net/url"
)

// The 19 operators as the client library sends them.

func (c *connector) queryTickets(ctx context.Context, q url.Values) (pageShape[ticketShape], error) {
	return ask[pageShape[ticketShape]](ctx, c, "GET", "/v1/ticketing/tickets", q, nil)
}

func (c *connector) createTicket(ctx context.Context, asked map[string]any) (ticketShape, error) {
	return unwrap[ticketShape](ask[resultShape[ticketShape]](ctx, c, "POST", "/v1/ticketing/tickets", nil, asked))
}

func (c *connector) getTicket(ctx context.Context, id string) (ticketShape, error) {
	return unwrap[ticketShape](ask[resultShape[ticketShape]](ctx, c, "GET", place("/v1/ticketing/tickets/%s", id), nil, nil))
}

func (c *connector) patchTicket(ctx context.Context, id string, patch ...patchOp) (ticketShape, error) {
	return unwrap[ticketShape](ask[resultShape[ticketShape]](ctx, c, "PATCH", place("/v1/ticketing/tickets/%s", id), nil, patch))
}

func (c *connector) listComments(ctx context.Context, id string) ([]commentShape, error) {
	return unwrap[[]commentShape](ask[resultShape[[]commentShape]](ctx, c, "GET", place("/v1/ticketing/tickets/%s/comments", id), nil, nil))
}

func (c *connector) createComment(ctx context.Context, id, content string) (commentShape, error) {
	body := map[string]any{"content": content}
	return unwrap[commentShape](ask[resultShape[commentShape]](ctx, c, "POST", place("/v1/ticketing/tickets/%s/comments", id), nil, body))
}

func (c *connector) deleteComment(ctx context.Context, id, comment string) error {
	return c.drop(ctx, place("/v1/ticketing/tickets/%s/comments/%s", id, comment))
}

func (c *connector) listNotes(ctx context.Context, id string) ([]noteShape, error) {
	return unwrap[[]noteShape](ask[resultShape[[]noteShape]](ctx, c, "GET", place("/v1/ticketing/tickets/%s/notes", id), nil, nil))
}

func (c *connector) createNote(ctx context.Context, id, title, content string) (noteShape, error) {
	body := map[string]any{"title": title, "content": content}
	return unwrap[noteShape](ask[resultShape[noteShape]](ctx, c, "POST", place("/v1/ticketing/tickets/%s/notes", id), nil, body))
}

func (c *connector) patchNote(ctx context.Context, id, note string, patch ...patchOp) (noteShape, error) {
	return unwrap[noteShape](ask[resultShape[noteShape]](ctx, c, "PATCH", place("/v1/ticketing/tickets/%s/notes/%s", id, note), nil, patch))
}

func (c *connector) deleteNote(ctx context.Context, id, note string) error {
	return c.drop(ctx, place("/v1/ticketing/tickets/%s/notes/%s", id, note))
}

func (c *connector) createAttachment(ctx context.Context, id, name string, content []byte) (attachmentInfoShape, error) {
	body := map[string]any{"file_name": name, "content": content} // base64, as Go writes bytes
	return unwrap[attachmentInfoShape](ask[resultShape[attachmentInfoShape]](ctx, c, "POST", place("/v1/ticketing/attachments/%s", id), nil, body))
}

func (c *connector) listAttachments(ctx context.Context, id string) ([]attachmentInfoShape, error) {
	return unwrap[[]attachmentInfoShape](ask[resultShape[[]attachmentInfoShape]](ctx, c, "GET", place("/v1/ticketing/attachments/%s", id), nil, nil))
}

func (c *connector) downloadAttachment(ctx context.Context, id, file string) (attachmentShape, error) {
	return unwrap[attachmentShape](ask[resultShape[attachmentShape]](ctx, c, "GET", place("/v1/ticketing/attachments/%s/%s/download", id, file), nil, nil))
}

func (c *connector) deleteAttachment(ctx context.Context, id, file string) error {
	return c.drop(ctx, place("/v1/ticketing/attachments/%s/%s", id, file))
}

func (c *connector) listProjects(ctx context.Context, q url.Values) (pageShape[projectShape], error) {
	return ask[pageShape[projectShape]](ctx, c, "GET", "/v1/ticketing/projects", q, nil)
}

func (c *connector) listRemoteFields(ctx context.Context) ([]remoteFieldShape, error) {
	return unwrap[[]remoteFieldShape](ask[resultShape[[]remoteFieldShape]](ctx, c, "GET", "/v1/ticketing/remote-fields", nil, nil))
}

func (c *connector) queryEscalationPolicies(ctx context.Context, q url.Values) (pageShape[policyShape], error) {
	return ask[pageShape[policyShape]](ctx, c, "GET", "/v1/ticketing/escalation-policies", q, nil)
}

func (c *connector) listOnCall(ctx context.Context, policy string) ([]agentShape, error) {
	return unwrap[[]agentShape](ask[resultShape[[]agentShape]](ctx, c, "GET", place("/v1/ticketing/escalation-policies/%s/on-call", policy), nil, nil))
}

// drop deletes; the library does not look at what a delete answers.
func (c *connector) drop(ctx context.Context, path string) error {
	_, err := c.call(ctx, "DELETE", path, nil, nil)
	return err
}

func unwrap[T any](envelope resultShape[T], err error) (T, error) { return envelope.Result, err }

// patchOp is an operation of a JSON Patch.
type patchOp struct {
	Op    string  `json:"op"`
	Path  string  `json:"path"`
	From  *string `json:"from,omitempty"`
	Value any     `json:"value,omitempty"`
}

func replace(path string, value any) patchOp { return patchOp{Op: "replace", Path: path, Value: value} }
