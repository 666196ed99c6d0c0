package jira

import "encoding/json"

// node is one node of the Atlassian Document Format, in which Jira's version 3
// holds every rich text.
type node struct {
	Type    string         `json:"type"`
	Version int            `json:"version,omitempty"`
	Attrs   map[string]any `json:"attrs,omitempty"`
	Content []node         `json:"content,omitempty"`
	Text    string         `json:"text,omitempty"`
	Marks   []mark         `json:"marks,omitempty"`
}

type mark struct {
	Type  string         `json:"type"`
	Attrs map[string]any `json:"attrs,omitempty"`
}

// document is the root. Its content is there even when it is empty: Jira wants it.
type document struct {
	Type    string `json:"type"`
	Version int    `json:"version"`
	Content []node `json:"content"`
}

func newDocument(content []node) document {
	if content == nil {
		content = []node{}
	}
	return document{Type: "doc", Version: 1, Content: content}
}

func paragraph(content []node) node { return node{Type: "paragraph", Content: content} }

// richText reads a rich text field: ADF, or plain text where a site still has it.
func richText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var doc node
	if json.Unmarshal(raw, &doc) != nil {
		return ""
	}
	return toMarkdown(doc)
}
