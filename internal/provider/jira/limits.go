package jira

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of Jira Cloud, in characters as Jira counts them (UTF-16 units).
const (
	// maxSummary: "Summary must be less than 255 characters", Jira's own refusal.
	maxSummary = 254
	// maxText: jira.text.field.character.limit, "Configuring advanced settings".
	maxText = 32767
	// maxLabel: the width of the label column; Jira refuses longer ones.
	maxLabel = 255
)

// cutNotice ends a text that was too long for Jira.
const cutNotice = "\n\n[cut: the text was longer than Jira takes]"

// oneLine makes text fit for a summary, which Jira refuses with line breaks in it.
func oneLine(text string) string {
	return cutUTF16(strings.Join(strings.Fields(clean(text)), " "), maxSummary, "…")
}

// fitText makes text fit for a description or comment, saying so where it was cut.
func fitText(text string) string { return cutUTF16(text, maxText, cutNotice) }

// label makes text fit for a label: Jira refuses spaces in them.
func label(text string) string {
	return cutUTF16(strings.Join(strings.Fields(clean(text)), "_"), maxLabel, "")
}

// cutUTF16 cuts text to at most n UTF-16 units, notice included, between characters.
func cutUTF16(text string, n int, notice string) string {
	if len(text) <= n || units(text) <= n {
		return text
	}
	left := n - units(notice)
	for i, r := range text {
		left -= utf16.RuneLen(r)
		if left < 0 {
			return text[:i] + notice
		}
	}
	return text
}

func units(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// clean replaces what is not text: broken UTF-8 and control characters, which
// Jira refuses or its storage cannot hold. Line breaks and tabs stay.
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
