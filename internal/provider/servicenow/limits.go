package servicenow

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Widths of the baseline, in characters, where the dictionary cannot be read.
const (
	widthTitle = 160
	widthText  = 4000
	// maxJournal is less than a journal entry can hold; the marker at its end must
	// not be lost.
	maxJournal = 32000
)

const cutNotice = "\n\n[cut: the text was longer than ServiceNow takes]"

// moreNotice ends a description whose whole text is in the first comment.
const moreNotice = "\n\n[cut: the whole text is the first comment]"

// commentNotice ends one that a patch gave.
const commentNotice = "\n\n[cut: the whole text is a comment]"

// oneLine makes text fit for a short description.
func oneLine(text string, width int) string {
	return cut(strings.Join(strings.Fields(clean(text)), " "), width, "…")
}

// cutTitle tells of a title that oneLine cuts.
func cutTitle(text string, width int) []string {
	length := utf8.RuneCountInString(strings.Join(strings.Fields(clean(text)), " "))
	if length <= width {
		return nil
	}
	return []string{fmt.Sprintf("name: %d characters: cut at the %d that ServiceNow takes", length, width)}
}

// cut cuts text to at most n characters, notice included.
func cut(text string, n int, notice string) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	runes := []rune(text)
	keep := n - utf8.RuneCountInString(notice)
	if keep < 0 {
		return string(runes[:max(n, 0)])
	}
	return string(runes[:keep]) + notice
}

// clean replaces what is not text: broken UTF-8 and control characters. Line
// breaks and tabs stay.
func clean(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
}

// journalText makes foreign text fit for a journal, which shows what stands
// between [code] and [/code] as HTML.
func journalText(text string) string {
	text = clean(text)
	for _, tag := range []string{"[code", "[/code"} {
		text = breakTag(text, tag)
	}
	return text
}

// breakTag puts a space behind the bracket of a tag, however it is written.
func breakTag(text, tag string) string {
	lower := strings.ToLower(text)
	if len(lower) != len(text) { // letters whose lower case is of another length
		lower = text
	}
	var b strings.Builder
	for {
		i := strings.Index(lower, tag)
		if i < 0 {
			return b.String() + text
		}
		b.WriteString(text[:i+1] + " " + text[i+1:i+len(tag)])
		text, lower = text[i+len(tag):], lower[i+len(tag):]
	}
}
