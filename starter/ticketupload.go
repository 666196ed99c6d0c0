package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// upload is a file to be attached: one that a write can carry is in content, a larger
// one is on disk, and streamed.
type upload struct {
	name    string
	content []byte
	path    string
	size    int64
	// remove ends the need for it.
	remove func()
}

// uploadOf is a file, or what comes on standard input where it is called "-". What
// can be read only once and is large is put into a temporary file.
func uploadOf(stdin io.Reader, file, name string) (upload, error) {
	u := upload{name: name, path: file, remove: func() {}}
	in := io.NopCloser(stdin)
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return u, usageError{err}
		}
		in = opened
	}
	defer in.Close()
	var err error
	if u.content, err = io.ReadAll(io.LimitReader(in, contract.MaxAttachment+1)); err != nil {
		return u, fmt.Errorf("read %s: %w", file, err)
	}
	if len(u.content) <= contract.MaxAttachment {
		return u, nil
	}
	info, err := os.Stat(file)
	if file != "-" && err == nil && info.Mode().IsRegular() {
		u.content, u.size = nil, info.Size()
		return u, nil
	}
	return u, u.keep(in)
}

// keep puts what was read, and what is left, into a temporary file.
func (u *upload) keep(rest io.Reader) error {
	kept, err := os.CreateTemp("", "ticketbridge-upload-*")
	if err != nil {
		return err
	}
	from := u.path
	u.path, u.remove = kept.Name(), func() { _ = os.Remove(kept.Name()) } // the system's own tidying is left
	_, err = kept.Write(u.content)
	if err == nil {
		var more int64
		more, err = io.Copy(kept, rest)
		u.size = int64(len(u.content)) + more
	}
	u.content = nil
	if err = errors.Join(err, kept.Close()); err != nil {
		u.remove()
		return fmt.Errorf("read %s: %w", from, err)
	}
	return nil
}

// call is how the file is sent: a large one as it is, to who takes it.
func (u upload) call(d *desk, path string) (asked, error) {
	if u.size == 0 {
		body, err := encodeBody(map[string]any{"file_name": u.name, "content": u.content})
		return asked{method: http.MethodPost, path: path, body: body}, err
	}
	if !d.streams {
		return asked{}, usageError{fmt.Errorf("%s is larger than %s, and so only sent to a running starter serve, which streams it: "+
			"give its address with --url, and with --token the token of a caller of the integration", u.name, sizeText(contract.MaxAttachment))}
	}
	return asked{
		method: http.MethodPost, path: path, query: url.Values{"file_name": {u.name}},
		file: &rest.Stream{Size: u.size, Open: func() (io.ReadCloser, error) { return os.Open(u.path) }},
	}, nil
}

// send makes the write of a file that is streamed. It is sent once: when it is there,
// to ask what becomes of the write is enough.
func (d *desk) send(ctx context.Context, what string, a asked, how writing) (written, error) {
	if err := d.ready(ctx); err != nil {
		return written{}, err
	}
	defer d.progress(what)()
	a.header = how.header(how.wait)
	resp, err := d.call(ctx, a)
	if err == nil {
		return answered(resp)
	}
	waits, ok := underWay(err)
	switch {
	case !ok && ctx.Err() != nil:
		return written{}, fmt.Errorf("interrupted; the same command sends it again, and joins what was begun: %w", ctx.Err())
	case !ok:
		return written{}, err
	}
	for end := time.Now().Add(how.wait); ; {
		stands, err := d.goesOn(ctx, waits, end, how.async)
		if err != nil || stands.Status != contract.WritePending || how.async {
			return stands.written(err)
		}
	}
}

// written is what a write, asked for by its operation, was answered with, or would
// have been.
func (s standing) written(err error) (written, error) {
	switch {
	case err != nil:
		return written{}, err
	case s.Status == contract.WritePending:
		answer, err := json.Marshal(s)
		return written{answer: answer, pending: &s}, err
	case s.Status != contract.WriteOK:
		return written{}, &refusedCall{Message: "The write was " + s.Status, Detail: s.Reason}
	}
	type problem struct {
		Detail string `json:"detail"`
	}
	type messages struct {
		Problems []problem `json:"problems"`
	}
	var answer struct {
		Result   json.RawMessage `json:"result"`
		Messages *messages       `json:"messages,omitempty"`
	}
	answer.Result = s.Result
	if len(s.Warnings) > 0 {
		answer.Messages = &messages{}
		for _, warning := range s.Warnings {
			answer.Messages.Problems = append(answer.Messages.Problems, problem{warning})
		}
	}
	data, err := json.Marshal(answer)
	return written{answer: data}, err
}
