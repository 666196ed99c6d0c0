package jira

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// inline reads the markup within one line: `code`, **bold**, *italic*, _italic_,
// ~~strike~~, [text](address), <address> and bare addresses.
//
// Emphasis opens only at the begin of a word and closes only at its end, so
// host_name_1, *.log and 2*3*4 stay what they are. There is no backslash
// escape: C:\_temp keeps its backslash.
func inline(line string) []node { return spans(line, nil) }

func spans(text string, marks []mark) []node {
	var out []node
	plain := 0 // start of the text not yet put out
	for i := 0; i < len(text); {
		found, length := span(text, i, marks)
		if length == 0 {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
			continue
		}
		out = appendText(out, text[plain:i], marks)
		out = append(out, found...)
		i += length
		plain = i
	}
	return appendText(out, text[plain:], marks)
}

// appendText adds a text node; never an empty one, which Jira refuses.
func appendText(out []node, text string, marks []mark) []node {
	if text == "" {
		return out
	}
	return append(out, node{Type: "text", Text: text, Marks: marks})
}

// span tries to read markup at text[i:]; length 0 means there is none.
func span(text string, i int, marks []mark) (nodes []node, length int) {
	switch text[i] {
	case '`':
		return codeSpan(text, i, marks)
	case '*':
		if strings.HasPrefix(text[i:], "**") {
			return emphasis(text, i, "**", "strong", marks)
		}
		return emphasis(text, i, "*", "em", marks)
	case '_':
		return emphasis(text, i, "_", "em", marks)
	case '~':
		return emphasis(text, i, "~~", "strike", marks)
	case '[':
		return link(text, i, marks)
	case '<':
		return angleLink(text, i, marks)
	case 'h':
		return bareLink(text, i, marks)
	default:
		return nil, 0
	}
}

func codeSpan(text string, i int, marks []mark) ([]node, int) {
	if i > 0 && text[i-1] == '`' || !boundaryBefore(text, i) {
		return nil, 0
	}
	rest := text[i+1:]
	end := strings.IndexByte(rest, '`')
	if end <= 0 || strings.TrimSpace(rest[:end]) == "" || !boundaryAfter(rest, end+1) {
		return nil, 0
	}
	// Jira allows no other mark beside code but a link.
	kept := onlyLink(marks)
	return appendText(nil, rest[:end], append(kept, mark{Type: "code"})), end + 2
}

func onlyLink(marks []mark) []mark {
	for _, m := range marks {
		if m.Type == "link" {
			return []mark{m}
		}
	}
	return nil
}

// maxSpan is the longest text, in bytes, that is emphasised.
const maxSpan = 2000

func emphasis(text string, i int, sign, kind string, marks []mark) ([]node, int) {
	rest, found := strings.CutPrefix(text[i:], sign)
	if !found || has(marks, kind) || !boundaryBefore(text, i) || !wordStarts(rest, sign) {
		return nil, 0
	}
	for from := 0; ; {
		end := strings.Index(rest[from:], sign)
		if end < 0 {
			return nil, 0
		}
		end += from
		if end > maxSpan {
			return nil, 0
		}
		if sign == "_" && !closesWord(rest, end, sign) {
			return nil, 0 // an underscore within is part of a name
		}
		if closesWord(rest, end, sign) {
			inner := append(append([]mark{}, marks...), mark{Type: kind})
			return spans(rest[:end], inner), end + 2*len(sign)
		}
		from = end + len(sign)
	}
}

func has(marks []mark, kind string) bool {
	for _, m := range marks {
		if m.Type == kind {
			return true
		}
	}
	return false
}

// wordStarts: what an emphasis begins with is a word, or other markup of one.
func wordStarts(text, sign string) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(text, "*_~`["))
	return text != "" && text[0] != sign[0] && (wordRune(r) || r == '/')
}

func closesWord(text string, end int, sign string) bool {
	if end == 0 || !boundaryAfter(text, end+len(sign)) || text[end-1] == sign[0] {
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(text[:end])
	return wordRune(r) || strings.ContainsRune(".!?)%`*_~]/", r)
}

func wordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.So, r))
}

func boundaryBefore(text string, i int) bool {
	r, size := utf8.DecodeLastRuneInString(text[:i])
	return size == 0 || unicode.IsSpace(r) || strings.ContainsRune("([\"'“‘", r)
}

func boundaryAfter(text string, i int) bool {
	r, size := utf8.DecodeRuneInString(text[i:])
	return size == 0 || unicode.IsSpace(r) || strings.ContainsRune(".,;:!?)]\"'”’", r)
}

func link(text string, i int, marks []mark) ([]node, int) {
	if has(marks, "link") {
		return nil, 0
	}
	middle := strings.Index(text[i:], "](")
	if middle < 2 || strings.ContainsAny(text[i+1:i+middle], "[]<") {
		return nil, 0
	}
	end := strings.IndexByte(text[i+middle:], ')')
	if end < 0 || !isAddress(text[i+middle+2:i+middle+end]) {
		return nil, 0
	}
	inner := append(append([]mark{}, marks...), linkMark(text[i+middle+2:i+middle+end]))
	return spans(text[i+1:i+middle], inner), middle + end + 1
}

func angleLink(text string, i int, marks []mark) ([]node, int) {
	end := strings.IndexByte(text[i:], '>')
	if end < 0 || has(marks, "link") || !isAddress(text[i+1:i+end]) {
		return nil, 0
	}
	address := text[i+1 : i+end]
	return appendText(nil, address, append(append([]mark{}, marks...), linkMark(address))), end + 1
}

func bareLink(text string, i int, marks []mark) ([]node, int) {
	rest := text[i:]
	if has(marks, "link") || !boundaryBefore(text, i) || !strings.HasPrefix(rest, "http://") && !strings.HasPrefix(rest, "https://") {
		return nil, 0
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>\"`*~()[]", r) })
	if end < 0 {
		end = len(rest)
	}
	address := strings.TrimRight(rest[:end], ".,;:!?'")
	if !isAddress(address) {
		return nil, 0
	}
	return appendText(nil, address, append(append([]mark{}, marks...), linkMark(address))), len(address)
}

func linkMark(address string) mark {
	return mark{Type: "link", Attrs: map[string]any{"href": address}}
}

// isAddress: only whole addresses of the kinds that a browser or mail program
// opens; nothing that runs code.
func isAddress(text string) bool {
	if strings.ContainsAny(text, " \t\n<>\"") {
		return false
	}
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Host != ""
	case "mailto":
		return strings.Contains(u.Opaque, "@")
	default:
		return false
	}
}
