package jira

import (
	"context"
	"strings"
)

// Check finds out whether the integration can work: Jira knows its account, the
// default project and issue type exist, and the create screen has what a ticket
// needs. The error says what to do.
func (c *Client) Check(ctx context.Context) error {
	t, err := c.begin("check integration "+c.config.Name, endMyself, "")
	if err != nil {
		return err
	}
	defer t.end()
	if err := t.present(ctx); err != nil {
		return err
	}
	if c.config.DefaultProject == "" {
		return nil
	}
	in, err := t.projectNow(ctx, c.config.DefaultProject)
	if err != nil || c.config.DefaultIssueType == "" {
		return err
	}
	kind, names, err := t.issueType(ctx, in.Key, c.config.DefaultIssueType)
	if err != nil {
		return err
	}
	if kind.ID == "" {
		return t.permanent("default_issue_type %q: project %s has none of that name that this user may create; it has: %s",
			c.config.DefaultIssueType, in.Key, strings.Join(names, ", "))
	}
	on, err := t.createScreenNow(ctx, in.Key, c.config.DefaultIssueType)
	if err != nil {
		return err
	}
	return t.checkScreen(in, on)
}

func (t *turn) checkScreen(in project, on screen) error {
	if !on.takes("labels") {
		return t.permanent("put the field Labels on the create screen of project %s: tickets are found again by it", in.Key)
	}
	if !on.takes("summary") {
		return t.permanent("the create screen of project %s lacks Summary", in.Key)
	}
	if priorities := on.fields["priority"].Allowed; len(priorities) > 0 {
		return t.checkPriorities(priorities)
	}
	return nil
}

func (t *turn) checkPriorities(allowed []named) error {
	has, names := map[string]bool{}, []string{}
	for _, p := range allowed {
		has[strings.ToLower(p.Name)] = true
		names = append(names, p.Name)
	}
	for _, p := range allPriorities() {
		if name := t.c.jiraPriority(p); !has[strings.ToLower(name)] {
			return t.permanent("priority_map: the site has no priority %q (for %s); it has: %s", name, p, strings.Join(names, ", "))
		}
	}
	return nil
}
