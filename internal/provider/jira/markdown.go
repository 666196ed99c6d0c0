package jira

import (
	"strconv"
	"strings"
)

// toADF reads Markdown. The rules are strict where the text of monitoring tools
// looks like markup: what does not follow them to the letter stays as it is,
// character by character, and every line break stays a line break.
//
//	# Heading       1 to 6 signs and a space
//	- item          also * and +; 1. item; deeper levels by indentation
//	> quote
//	``` fence       closed; else its lines are plain text
//	blank line      between paragraphs
func toADF(text string) document {
	text = strings.Trim(clean(text), "\n")
	if strings.TrimSpace(text) == "" {
		return newDocument(nil)
	}
	p := blockParser{lines: strings.Split(text, "\n")}
	return newDocument(p.blocks(0))
}

// maxDepth bounds nesting; what is deeper is plain text.
const maxDepth = 6

type blockParser struct {
	lines []string
	at    int
}

func (p *blockParser) more() bool { return p.at < len(p.lines) }

func (p *blockParser) blocks(depth int) []node {
	var out []node
	for p.more() {
		line := p.lines[p.at]
		switch {
		case strings.TrimSpace(line) == "":
			p.at++
		case p.fenceEnd() > 0:
			out = append(out, p.fence())
		case headingLevel(line) > 0:
			out = append(out, p.heading())
		case depth < maxDepth && isQuote(line):
			out = append(out, p.quote(depth))
		case depth < maxDepth && itemOf(line).ok:
			out = append(out, p.list(depth))
		default:
			out = append(out, p.paragraph(depth))
		}
	}
	return out
}

// starts reports whether line begins a block of its own.
func (p *blockParser) starts(depth int) bool {
	line := p.lines[p.at]
	return p.fenceEnd() > 0 || headingLevel(line) > 0 || depth < maxDepth && (isQuote(line) || itemOf(line).ok)
}

func (p *blockParser) paragraph(depth int) node {
	var content []node
	for first := true; p.more(); first = false {
		line := p.lines[p.at]
		if strings.TrimSpace(line) == "" || !first && p.starts(depth) {
			break
		}
		if !first {
			content = append(content, node{Type: "hardBreak"})
		}
		content = append(content, inline(strings.TrimRight(line, " \t"))...)
		p.at++
	}
	return paragraph(content)
}

func headingLevel(line string) int {
	level := len(line) - len(strings.TrimLeft(line, "#"))
	if level < 1 || level > 6 || !strings.HasPrefix(line[level:], " ") || strings.TrimSpace(line[level:]) == "" {
		return 0
	}
	return level
}

func (p *blockParser) heading() node {
	level := headingLevel(p.lines[p.at])
	content := inline(strings.TrimSpace(p.lines[p.at][level:]))
	p.at++
	return node{Type: "heading", Attrs: map[string]any{"level": level}, Content: content}
}

const fenceMark = "```"

// fenceEnd is the line that closes a fence which opens at the current line; 0 if none does.
func (p *blockParser) fenceEnd() int {
	marks, language, ok := fenceOpen(p.lines[p.at])
	if !ok || strings.ContainsAny(language, " \t`") {
		return 0
	}
	for i := p.at + 1; i < len(p.lines); i++ {
		if strings.TrimRight(p.lines[i], " \t") == marks {
			return i
		}
	}
	return 0
}

func fenceOpen(line string) (marks, language string, ok bool) {
	language = strings.TrimLeft(line, "`")
	marks = line[:len(line)-len(language)]
	return marks, strings.TrimSpace(language), len(marks) >= len(fenceMark)
}

func (p *blockParser) fence() node {
	end := p.fenceEnd()
	_, language, _ := fenceOpen(p.lines[p.at])
	code := node{Type: "codeBlock"}
	if language != "" {
		code.Attrs = map[string]any{"language": language}
	}
	if text := strings.Join(p.lines[p.at+1:end], "\n"); text != "" {
		code.Content = []node{{Type: "text", Text: text}}
	}
	p.at = end + 1
	return code
}

func isQuote(line string) bool { return line == ">" || strings.HasPrefix(line, "> ") }

// quote holds paragraphs only: Jira allows little more in one.
func (p *blockParser) quote(depth int) node {
	var inner []string
	for p.more() && isQuote(p.lines[p.at]) {
		inner = append(inner, strings.TrimPrefix(p.lines[p.at][1:], " "))
		p.at++
	}
	sub := blockParser{lines: inner}
	var content []node
	for sub.more() {
		if strings.TrimSpace(sub.lines[sub.at]) == "" {
			sub.at++
			continue
		}
		content = append(content, sub.paragraph(maxDepth+depth))
	}
	if len(content) == 0 {
		content = []node{paragraph(nil)}
	}
	return node{Type: "blockquote", Content: content}
}

// item is the begin of a list item.
type item struct {
	ok      bool
	ordered bool
	number  int
	indent  int // of the marker
	width   int // of indentation, marker and space
}

func itemOf(line string) item {
	indent := len(line) - len(strings.TrimLeft(line, " "))
	rest := line[indent:]
	found := item{indent: indent}
	switch digits := leadingDigits(rest); {
	case strings.HasPrefix(rest, "- "), strings.HasPrefix(rest, "* "), strings.HasPrefix(rest, "+ "):
		found.width = indent + 2
	case digits > 0 && digits <= 6 && (rest[0] != '0' || digits == 1) && strings.HasPrefix(rest[digits:], ". "):
		found.ordered = true
		found.number, _ = strconv.Atoi(rest[:digits]) // at most six digits
		found.width = indent + digits + 2
	default:
		return item{}
	}
	found.ok = strings.TrimSpace(line[found.width:]) != ""
	return found
}

func leadingDigits(text string) int {
	return len(text) - len(strings.TrimLeft(text, "0123456789"))
}

// list takes the items of one level. An ordered list counts on by one; another
// number begins another list, so that no number is changed.
func (p *blockParser) list(depth int) node {
	first := itemOf(p.lines[p.at])
	list := node{Type: "bulletList"}
	if first.ordered {
		list = node{Type: "orderedList", Attrs: map[string]any{"order": first.number}}
	}
	for count := 0; p.more(); count++ {
		next := itemOf(p.lines[p.at])
		if !next.ok || next.ordered != first.ordered || next.indent != first.indent ||
			next.ordered && next.number != first.number+count {
			break
		}
		list.Content = append(list.Content, p.listItem(next, depth))
	}
	return list
}

// listItem takes an item's own line, the lines indented under it, and blank
// lines between those.
func (p *blockParser) listItem(it item, depth int) node {
	lines := []string{p.lines[p.at][it.width:]}
	for p.at++; p.more(); p.at++ {
		line := p.lines[p.at]
		if strings.TrimSpace(line) == "" {
			if !p.indentedAfterBlank(it.width) {
				break
			}
			lines = append(lines, "")
			continue
		}
		if !strings.HasPrefix(line, strings.Repeat(" ", it.width)) {
			break
		}
		lines = append(lines, line[it.width:])
	}
	sub := blockParser{lines: lines}
	return node{Type: "listItem", Content: itemContent(sub.itemBlocks(depth + 1))}
}

// itemBlocks reads the first line as text, whatever it looks like: "- # x" is
// an item that says "# x".
func (p *blockParser) itemBlocks(depth int) []node {
	first := p.paragraph(depth)
	return append([]node{first}, p.blocks(depth)...)
}

func (p *blockParser) indentedAfterBlank(width int) bool {
	for i := p.at; i < len(p.lines); i++ {
		if strings.TrimSpace(p.lines[i]) != "" {
			return strings.HasPrefix(p.lines[i], strings.Repeat(" ", width))
		}
	}
	return false
}

// itemContent keeps to what Jira allows in a list item: paragraphs, lists and
// code; headings and quotes become paragraphs.
func itemContent(blocks []node) []node {
	var out []node
	for _, b := range blocks {
		switch b.Type {
		case "heading":
			marks := strings.Repeat("#", b.Attrs["level"].(int)) + " "
			out = append(out, paragraph(append([]node{{Type: "text", Text: marks}}, b.Content...)))
		case "blockquote":
			for _, quoted := range b.Content {
				out = append(out, paragraph(append([]node{{Type: "text", Text: "> "}}, quoted.Content...)))
			}
		default:
			out = append(out, b)
		}
	}
	return out
}
