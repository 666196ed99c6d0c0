package jira

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

// docNode is a node of the Atlassian Document Format.
type docNode struct {
	Type    string         `json:"type"`
	Version *int           `json:"version"`
	Attrs   map[string]any `json:"attrs"`
	Content []docNode      `json:"content"`
	Text    *string        `json:"text"`
	Marks   []docMark      `json:"marks"`
}

type docMark struct {
	Type  string         `json:"type"`
	Attrs map[string]any `json:"attrs"`
}

const maxTextUnits = 32767

// notADocument is what Jira says to plain text where a document belongs.
const notADocument = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"

// CheckDocument validates a document as Jira does; the error is Jira's text.
func CheckDocument(raw json.RawMessage) error {
	var doc docNode
	if json.Unmarshal(raw, &doc) != nil || doc.Type != "doc" || doc.Version == nil || *doc.Version != 1 {
		return errors.New(notADocument)
	}
	var shape struct {
		Content *[]json.RawMessage `json:"content"`
	}
	if json.Unmarshal(raw, &shape) != nil || shape.Content == nil {
		return errors.New(notADocument)
	}
	if err := checkChildren(doc, blocks); err != nil {
		return err
	}
	if units := len(utf16.Encode([]rune(plainText(doc)))); units > maxTextUnits {
		return errors.New("The entered text is too long. It exceeds the allowed limit of 32,767 characters.")
	}
	return nil
}

const (
	blocks  = "paragraph heading codeBlock blockquote bulletList orderedList rule table panel mediaSingle mediaGroup expand taskList decisionList blockCard"
	inlines = "text hardBreak mention emoji inlineCard date status mediaInline"
)

// allowed are the children that each node may have, empty for leaves.
func allowed(kind string) (children string, atLeast int) {
	switch kind {
	case "paragraph", "heading":
		return inlines, 0
	case "codeBlock":
		return "text", 0
	case "blockquote":
		return "paragraph bulletList orderedList codeBlock mediaSingle", 1
	case "bulletList", "orderedList":
		return "listItem", 1
	case "listItem":
		return "paragraph bulletList orderedList codeBlock mediaSingle taskList", 1
	case "panel", "expand", "tableCell", "tableHeader":
		return blocks, 1
	case "table":
		return "tableRow", 1
	case "tableRow":
		return "tableCell tableHeader", 1
	case "mediaSingle", "mediaGroup":
		return "media", 1
	case "taskList":
		return "taskItem", 1
	case "decisionList":
		return "decisionItem", 1
	case "taskItem", "decisionItem":
		return inlines, 0
	default:
		return "", 0
	}
}

func checkChildren(parent docNode, children string) error {
	for _, n := range parent.Content {
		if !strings.Contains(" "+children+" ", " "+n.Type+" ") {
			return fmt.Errorf("INVALID_INPUT: %s is not allowed in %s", n.Type, parent.Type)
		}
		if err := checkNode(n, parent.Type); err != nil {
			return err
		}
		inner, atLeast := allowed(n.Type)
		if len(n.Content) < atLeast {
			return fmt.Errorf("INVALID_INPUT: %s is empty", n.Type)
		}
		if err := checkChildren(n, inner); err != nil {
			return err
		}
	}
	return nil
}

func checkNode(n docNode, parent string) error {
	if n.Type == "text" && (n.Text == nil || *n.Text == "") {
		return errors.New("INVALID_INPUT: a text node must not be empty")
	}
	if n.Type != "text" && n.Text != nil {
		return fmt.Errorf("INVALID_INPUT: %s has text", n.Type)
	}
	if level, ok := n.Attrs["level"].(float64); n.Type == "heading" && (!ok || level < 1 || level > 6) {
		return errors.New("INVALID_INPUT: heading level must be 1 to 6")
	}
	if parent == "codeBlock" && len(n.Marks) > 0 {
		return errors.New("INVALID_INPUT: text of a codeBlock has no marks")
	}
	return checkMarks(n.Marks)
}

func checkMarks(marks []docMark) error {
	seen := map[string]bool{}
	for _, m := range marks {
		if !strings.Contains(" strong em strike code underline subsup textColor link ", " "+m.Type+" ") {
			return fmt.Errorf("INVALID_INPUT: unknown mark %s", m.Type)
		}
		if href, ok := m.Attrs["href"].(string); m.Type == "link" && (!ok || href == "") {
			return errors.New("INVALID_INPUT: link without href")
		}
		if seen[m.Type] {
			return fmt.Errorf("INVALID_INPUT: mark %s twice", m.Type)
		}
		seen[m.Type] = true
	}
	if seen["code"] && (seen["strong"] || seen["em"] || seen["strike"]) {
		return errors.New("INVALID_INPUT: code goes with link only")
	}
	return nil
}

// plainText is the text of a document, a line for each block.
func plainText(n docNode) string {
	var b strings.Builder
	writeText(&b, n)
	return strings.TrimRight(b.String(), "\n")
}

func writeText(b *strings.Builder, n docNode) {
	switch {
	case n.Text != nil:
		b.WriteString(*n.Text)
	case n.Type == "hardBreak":
		b.WriteString("\n")
	case n.Attrs["text"] != nil:
		fmt.Fprint(b, n.Attrs["text"])
	}
	for _, c := range n.Content {
		writeText(b, c)
	}
	switch n.Type {
	case "paragraph", "heading", "codeBlock", "taskItem":
		b.WriteString("\n")
	}
}

// Text is the plain text of a document as it was sent; for judges and pages.
func Text(raw json.RawMessage) string {
	var doc docNode
	if len(raw) == 0 || json.Unmarshal(raw, &doc) != nil {
		return ""
	}
	return plainText(doc)
}
