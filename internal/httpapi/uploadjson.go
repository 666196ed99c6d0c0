package httpapi

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// readAttachmentJSON reads createAttachmentRequest without ever holding its
// content: that is decoded as it comes, up to maxBase64 bytes of it. said: by its
// content type it is JSON; else it may be a file whose name is missing.
func (a *api) readAttachmentJSON(body io.Reader, said bool) (contract.NewAttachment, SpooledFile, error) {
	asked := contract.NewAttachment{Content: []byte{}}
	var file SpooledFile
	most := min(maxBase64, a.MaxUpload)
	object := &contentSplitter{body: bufio.NewReaderSize(body, 32<<10), most: most}
	if start, err := object.body.Peek(1); !said && err == nil && !bytes.Contains([]byte("{[ \t\r\n"), start) {
		return asked, nil, namelessFile()
	}
	err := object.split(func(content io.Reader) error {
		var err error
		file, err = a.take(&asked, content, -1, most)
		return err
	})
	if err == nil {
		asked.FileName, err = object.fileName()
	}
	if err != nil && file != nil {
		file.Discard()
	}
	bad, known := errors.AsType[*refusal](err)
	switch {
	case known && errors.Is(bad, ErrTooLarge) && a.Spool != nil && a.MaxUpload > most:
		bad.remediation = fmt.Sprintf("Send the bytes of the file as the body (application/octet-stream, ?file_name=): so it may have %d MB.", a.MaxUpload>>20)
	case known && errors.Is(bad, errNotJSON) && !said && !object.seen:
		bad.remediation = "A file that comes as it is needs its name: ?file_name="
	}
	return asked, file, err
}

// namelessFile is the answer to what is no JSON, and was taken for it only because
// it has no name.
func namelessFile() error {
	return badParameter("query", "file_name", "", errors.New("file_name: missing: the body is no JSON, and a file that comes as it is needs ?file_name="))
}

// maxMembers bounds what the members besides the content may have, in bytes.
const maxMembers = 64 << 10

// contentSplitter reads a JSON object and gives the text of its member "content"
// as it comes. What it has read besides is in rest, with an empty content: that is
// for encoding/json to judge.
type contentSplitter struct {
	body *bufio.Reader
	rest bytes.Buffer
	seen bool
	// most is what the content may be, in bytes, for errors to tell.
	most int64
}

// fileName is what the rest of the object says. Errors where it, or the content, is
// missing.
func (s *contentSplitter) fileName() (string, error) {
	if err := goodText(s.rest.Bytes()); err != nil {
		return "", err
	}
	var body createAttachmentRequest
	if err := decodeTicketing(s.rest.Bytes(), &body); err != nil {
		return "", err
	}
	if err := goodFileName(body.FileName); err != nil {
		return "", bodyError("/file_name", err.Error())
	}
	if !s.seen { // "" is an empty file
		return "", bodyError("/content", "missing")
	}
	return body.FileName, nil
}

// split calls content with the text of the content; where the object has none, or
// what is no text, not at all. What is no JSON is left to the rest.
func (s *contentSplitter) split(content func(io.Reader) error) error {
	depth, key, isKey := 0, "", false
	for {
		c, err := s.keep()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch c {
		case '{', '[':
			depth++
			isKey = depth == 1 && c == '{'
		case '}', ']':
			depth--
		case ',':
			isKey = depth == 1
		case ':':
			isKey = false
		case '"':
			switch {
			case depth == 1 && !isKey && strings.EqualFold(key, "content"):
				if err := s.content(content); err != nil {
					return err
				}
			case depth == 1 && isKey:
				if key, err = s.text(); err != nil {
					return err
				}
			default:
				if _, err := s.text(); err != nil {
					return err
				}
			}
		}
	}
}

// keep reads a byte into the rest.
func (s *contentSplitter) keep() (byte, error) {
	c, err := s.body.ReadByte()
	if err != nil {
		if err == io.EOF {
			return 0, err
		}
		return 0, unreadFile(err, s.most)
	}
	if s.rest.Len() == maxMembers {
		return 0, tooLarge(fmt.Sprintf("The members besides the content are larger than %d KB.", maxMembers>>10))
	}
	return c, s.rest.WriteByte(c)
}

// text reads a string whose first quote is read; empty where it is none.
func (s *contentSplitter) text() (string, error) {
	start := s.rest.Len() - 1
	for escaped := false; ; {
		c, err := s.keep()
		if err == io.EOF {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if c == '"' && !escaped {
			break
		}
		escaped = c == '\\' && !escaped
	}
	var text string
	if json.Unmarshal(s.rest.Bytes()[start:], &text) != nil {
		return "", nil
	}
	return text, nil
}

// content gives the string whose first quote is read, out of base64.
func (s *contentSplitter) content(give func(io.Reader) error) error {
	if s.seen {
		return bodyError("/content", "is there twice")
	}
	s.seen = true
	literal := &jsonText{body: s.body}
	err := give(base64.NewDecoder(base64.StdEncoding, literal))
	_, broken := errors.AsType[base64.CorruptInputError](err)
	switch {
	case broken:
		return bodyError("/content", "is not base64")
	case errors.Is(err, io.ErrUnexpectedEOF) && literal.ended:
		return bodyError("/content", "is not base64: it ends too early")
	case err != nil:
		return unreadFile(err, s.most)
	}
	return s.rest.WriteByte('"')
}

// jsonText is the text of a JSON string up to its last quote. It is base64, so
// nothing in it needs more than a byte.
type jsonText struct {
	body  *bufio.Reader
	ended bool
}

func (t *jsonText) Read(p []byte) (int, error) {
	if t.ended {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	_, err := t.body.Peek(1)
	if err == io.EOF {
		return 0, notJSON("it ends within the content")
	}
	if err != nil {
		return 0, err
	}
	here, err := t.body.Peek(min(len(p), t.body.Buffered()))
	if err != nil {
		return 0, err
	}
	for _, special := range []byte("\"\\\r\n") { // a few fast looks at all of it
		if n := bytes.IndexByte(here, special); n >= 0 {
			here = here[:n]
		}
	}
	if len(here) > 0 {
		copy(p, here)
		return t.body.Discard(len(here))
	}
	switch c, err := t.body.ReadByte(); {
	case err != nil:
		return 0, err
	case c == '"':
		t.ended = true
		return 0, io.EOF
	case c == '\\':
		p[0], err = t.escaped()
		return 1, err
	default:
		return 0, notJSON("a line break within the content")
	}
}

// escaped is what stands after a backslash: some programs escape / or +.
func (t *jsonText) escaped() (byte, error) {
	bad := bodyError("/content", "is not base64")
	c, err := t.body.ReadByte()
	if err != nil {
		return 0, bad
	}
	switch c {
	case '/':
		return c, nil
	case 'n', 'r': // base64 in lines
		return '\n', nil
	case 'u':
	default:
		return 0, bad
	}
	var digits [4]byte
	if _, err := io.ReadFull(t.body, digits[:]); err != nil {
		return 0, bad
	}
	code, err := strconv.ParseUint(string(digits[:]), 16, 7)
	if err != nil {
		return 0, bad
	}
	return byte(code), nil
}
