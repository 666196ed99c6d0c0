package jira

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// toMarkdown writes a document as Markdown. Nodes that Markdown has no sign for
// (mentions, panels, media, tables, ...) are flattened to what a person reads.
func toMarkdown(doc node) string {
	return strings.Trim(renderBlocks(doc.Content, 0), "\n")
}

// maxRenderDepth bounds the nesting that is followed in a foreign document.
const maxRenderDepth = 30

func renderBlocks(nodes []node, depth int) string {
	if depth > maxRenderDepth {
		return ""
	}
	var blocks []string
	for i := 0; i < len(nodes); {
		if isInline(nodes[i]) { // seen in list items and cells of old documents
			end := i
			for end < len(nodes) && isInline(nodes[end]) {
				end++
			}
			blocks = append(blocks, renderInline(nodes[i:end]))
			i = end
			continue
		}
		if text := renderBlock(nodes[i], depth); strings.TrimSpace(text) != "" {
			blocks = append(blocks, text)
		}
		i++
	}
	return strings.Join(blocks, "\n\n")
}

func isInline(n node) bool {
	switch n.Type {
	case "text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard", "mediaInline":
		return true
	default:
		return false
	}
}

func renderBlock(n node, depth int) string {
	switch n.Type {
	case "paragraph":
		return renderInline(n.Content)
	case "heading":
		return strings.Repeat("#", min(max(number(n.Attrs["level"], 1), 1), 6)) + " " + strings.ReplaceAll(renderInline(n.Content), "\n", " ")
	case "codeBlock":
		return renderCode(n)
	case "blockquote":
		return prefixLines(renderBlocks(n.Content, depth+1), "> ", "> ")
	case "bulletList", "orderedList", "taskList", "decisionList":
		return renderList(n, depth)
	case "rule":
		return "---"
	case "table":
		return renderTable(n, depth)
	case "blockCard", "embedCard":
		return text(n.Attrs["url"])
	case "media", "mediaSingle", "mediaGroup":
		return renderMedia(n)
	case "expand", "nestedExpand":
		return strings.Trim(text(n.Attrs["title"])+"\n\n"+renderBlocks(n.Content, depth+1), "\n")
	default: // panel, layout, extensions: what is in them
		return renderBlocks(n.Content, depth+1)
	}
}

func renderCode(n node) string {
	var code strings.Builder
	for _, c := range n.Content {
		code.WriteString(c.Text)
	}
	fence := fenceMark
	for strings.Contains(code.String(), fence) {
		fence += "`"
	}
	return fence + text(n.Attrs["language"]) + "\n" + code.String() + "\n" + fence
}

func renderList(n node, depth int) string {
	var items []string
	order := number(n.Attrs["order"], 1)
	for i, it := range n.Content {
		marker := "- "
		switch {
		case n.Type == "orderedList":
			marker = strconv.Itoa(order+i) + ". "
		case it.Type == "taskItem" && text(it.Attrs["state"]) == "DONE":
			marker = "- [x] "
		case it.Type == "taskItem":
			marker = "- [ ] "
		}
		body := renderItem(it, depth)
		items = append(items, prefixLines(body, marker, strings.Repeat(" ", min(len(marker), 8))))
	}
	return strings.Join(items, "\n")
}

// renderItem puts a nested list right under its paragraph.
func renderItem(it node, depth int) string {
	if len(it.Content) > 1 && it.Content[0].Type == "paragraph" && strings.HasSuffix(it.Content[1].Type, "List") {
		head := renderBlocks(it.Content[:1], depth+1)
		return strings.Trim(head+"\n"+renderBlocks(it.Content[1:], depth+1), "\n")
	}
	return renderBlocks(it.Content, depth+1)
}

func renderTable(n node, depth int) string {
	var rows []string
	for i, row := range n.Content {
		var cells []string
		for _, cell := range row.Content {
			body := strings.Join(strings.Fields(renderBlocks(cell.Content, depth+1)), " ")
			cells = append(cells, strings.ReplaceAll(body, "|", "\\|"))
		}
		rows = append(rows, "| "+strings.Join(cells, " | ")+" |")
		if i == 0 {
			rows = append(rows, "|"+strings.Repeat(" --- |", max(len(cells), 1)))
		}
	}
	return strings.Join(rows, "\n")
}

func renderMedia(n node) string {
	if n.Type != "media" {
		var names []string
		for _, c := range n.Content {
			names = append(names, renderMedia(c))
		}
		return strings.Join(names, "\n")
	}
	name := text(n.Attrs["alt"])
	if name == "" {
		name = text(n.Attrs["id"])
	}
	return "[attachment " + strings.TrimSpace(name) + "]"
}

func prefixLines(body, first, others string) string {
	lines := strings.Split(body, "\n")
	for i, line := range lines {
		switch {
		case i == 0:
			lines[i] = first + line
		case line != "" || strings.TrimSpace(others) != "":
			lines[i] = strings.TrimRight(others+line, " ")
			if line != "" {
				lines[i] = others + line
			}
		}
	}
	return strings.Join(lines, "\n")
}

// renderInline writes what has one address as one link, and what has equal
// marks within one pair of signs.
func renderInline(nodes []node) string {
	var b strings.Builder
	for i := 0; i < len(nodes); {
		href, end := address(nodes[i]), i+1
		for href != "" && end < len(nodes) && address(nodes[end]) == href {
			end++
		}
		body := renderMarked(nodes[i:end])
		if href != "" && strings.TrimSpace(body) != "" && plain(nodes[i:end]) != href {
			body = "[" + body + "](" + href + ")"
		}
		b.WriteString(body)
		i = end
	}
	return b.String()
}

func plain(nodes []node) string {
	var b strings.Builder
	for _, n := range nodes {
		b.WriteString(inlineText(n))
	}
	return b.String()
}

func address(n node) string {
	for _, m := range n.Marks {
		if m.Type == "link" {
			return text(m.Attrs["href"])
		}
	}
	return ""
}

func renderMarked(nodes []node) string {
	var b strings.Builder
	for i := 0; i < len(nodes); {
		end := i + 1
		for end < len(nodes) && sameMarks(nodes[i].Marks, nodes[end].Marks) {
			end++
		}
		b.WriteString(wrap(plain(nodes[i:end]), nodes[i].Marks))
		i = end
	}
	return b.String()
}

func sameMarks(a, b []mark) bool {
	return slices.EqualFunc(a, b, func(x, y mark) bool { return x.Type == y.Type })
}

func inlineText(n node) string {
	switch n.Type {
	case "text":
		return n.Text
	case "hardBreak":
		return "\n"
	case "mention":
		return "@" + strings.TrimPrefix(text(n.Attrs["text"]), "@")
	case "emoji":
		if symbol := text(n.Attrs["text"]); symbol != "" {
			return symbol
		}
		return text(n.Attrs["shortName"])
	case "status":
		return "[" + text(n.Attrs["text"]) + "]"
	case "inlineCard":
		return text(n.Attrs["url"])
	case "mediaInline":
		return renderMedia(node{Type: "media", Attrs: n.Attrs})
	case "date":
		return date(text(n.Attrs["timestamp"]))
	default:
		return n.Text + renderInline(n.Content)
	}
}

// wrap puts the signs of marks around text, outside of which spaces must be.
func wrap(body string, marks []mark) string {
	inner := strings.TrimSpace(body)
	if inner == "" || len(marks) == 0 {
		return body
	}
	start := strings.Index(body, inner)
	before, after := body[:start], body[start+len(inner):]
	if has(marks, "code") {
		return before + "`" + inner + "`" + after
	}
	for _, m := range slices.Backward(marks) {
		sign := ""
		switch {
		case m.Type == "strong":
			sign = "**"
		case m.Type == "em" && has(marks, "strong"):
			sign = "_" // three stars in a row would not be read back
		case m.Type == "em":
			sign = "*"
		case m.Type == "strike":
			sign = "~~"
		}
		inner = sign + inner + sign
	}
	return before + inner + after
}

func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

func number(value any, absent int) int {
	switch v := value.(type) {
	case float64:
		return int(v)
	case int:
		return v
	default:
		return absent
	}
}
