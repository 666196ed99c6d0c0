package servicenow

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// tagsTitle begins the line of the description that holds a ticket's tags:
// ServiceNow's own belong to people, not to records.
const tagsTitle = "Tags: "

// takeTags takes the line of the tags out of the last paragraph of a description.
// What is left is the description of the model.
func takeTags(description string) (text string, tags []string) {
	body, last := "", strings.ReplaceAll(description, "\r\n", "\n")
	if at := strings.LastIndex(last, "\n\n"); at >= 0 {
		body, last = last[:at], last[at+2:]
	}
	lines := strings.Split(last, "\n")
	at := slices.IndexFunc(lines, func(line string) bool {
		list, ok := strings.CutPrefix(line, tagsTitle)
		return ok && len(readTags(list)) > 0
	})
	if at < 0 {
		return description, nil
	}
	tags = readTags(strings.TrimPrefix(lines[at], tagsTitle))
	if lines = slices.Delete(lines, at, at+1); len(lines) == 0 {
		return body, tags
	}
	return paragraphs(body, strings.Join(lines, "\n")), tags
}

func readTags(list string) []string { return some(strings.Split(strings.TrimSpace(list), ", ")...) }

// writeTags is the line that holds tags, empty for none, in at most that many
// characters. What is not read back as it was given is a warning.
func writeTags(tags []string, most int) (line string, warnings []string) {
	var kept []string
	length := utf8.RuneCountInString(tagsTitle)
	for _, tag := range tags {
		tag = strings.ReplaceAll(strings.Join(strings.Fields(clean(tag)), " "), ", ", ",")
		if length += utf8.RuneCountInString(tag) + 2; tag != "" && length <= most {
			kept = append(kept, tag)
		}
	}
	if !slices.Equal(kept, tags) {
		warnings = []string{fmt.Sprintf("tags: kept as %q: they are one line of the description, with commas between them, of up to %d characters", kept, most)}
	}
	return tagsLine(kept), warnings
}

func tagsLine(tags []string) string {
	if len(tags) == 0 {
		return ""
	}
	return tagsTitle + strings.Join(tags, ", ")
}

// paragraphs puts those that say something one below the other.
func paragraphs(texts ...string) string { return strings.Join(some(texts...), "\n\n") }

// fitAbove cuts a text so that it fits into a column above the paragraph that ends it.
func fitAbove(text, end string, width int, notice string) string {
	if end == "" || text == "" {
		return cut(paragraphs(text, end), width, notice)
	}
	return paragraphs(cut(text, width-utf8.RuneCountInString(end)-2, notice), end)
}

// tagsRoom is how much of a description of this width its tags may take.
func tagsRoom(width int) int { return width / 2 }
