package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/rest"
)

func attachmentCommand(flags *deskFlags) *cobra.Command {
	cmd := group("attachment", "Files of a ticket",
		attachmentAdd(flags), attachmentList(flags), attachmentDownload(flags), partDelete(flags, "file", "attachments"))
	cmd.Aliases = []string{"file"}
	return cmd
}

func attachmentAdd(flags *deskFlags) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "add TICKET FILE", Short: "Attach a file; - reads it from standard input",
		Long: `add attaches a file. One above 1 MB is streamed to a running starter serve, which --url
names; it is sent once, and asked for until it is at the ticket.`, Args: wantArgs("TICKET", "FILE"),
	}
	cmd.Flags().StringVar(&name, "name", "", "what it is called at the ticket; absent: as the file is")
	return writesTicket(flags, cmd, func(cmd *cobra.Command, args []string) (ticketWrite, error) {
		switch {
		case name == "" && args[1] == "-":
			return ticketWrite{}, usageError{errors.New("--name: missing: standard input has none")}
		case name == "":
			name = filepath.Base(args[1])
		}
		file, err := uploadOf(cmd.InOrStdin(), args[1], name)
		return ticketWrite{path: at("attachments", args[0]), file: &file}, err
	}, func(w io.Writer, made attachment) { showAttachments(w, []attachment{made}) })
}

func attachmentList(flags *deskFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "list TICKET", Short: "List a ticket's files", Args: wantArgs("TICKET")}
	return reads(flags, cmd, func(args []string) string { return at("attachments", args[0]) }, showAttachments)
}

// download says where a file goes.
type download struct {
	to    string
	force bool
}

func attachmentDownload(flags *deskFlags) *cobra.Command {
	var to download
	cmd := &cobra.Command{
		Use: "download TICKET ID", Short: "Download a file, whatever its size", Args: wantArgs("TICKET", "ID"),
		Aliases: []string{"get"},
		Example: `  starter ticket attachment download OPS-12 10017 -O df.txt`,
	}
	cmd.Flags().StringVarP(&to.to, "out", "O", "", "where to put it, - for standard output; absent: here, as it is called at the ticket")
	cmd.Flags().BoolVar(&to.force, "force", false, "overwrite a file that is there")
	return asking(flags, cmd, func(cmd *cobra.Command, p printer, d *desk, args []string) error {
		if err := to.free(); err != nil {
			return err
		}
		found, err := d.open(cmd.Context(), at("attachments", args[0], args[1], "download"))
		if err != nil {
			return err
		}
		defer found.Body.Close()
		if to.to == "-" {
			_, err := io.Copy(cmd.OutOrStdout(), found.Body)
			return err
		}
		if to.to == "" {
			to.to = nameOf(found, args[1])
		}
		defer d.progress("download")()
		size, err := to.save(cmd.Context(), found.Body)
		if err != nil {
			return err
		}
		return p.print(saved{to.to, size}, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", to.to, sizeText(size)) })
	})
}

// saved is what a download prints.
type saved struct {
	File string `json:"file"`
	Size int64  `json:"size"`
}

// nameOf is a file's name at the ticket, without any folder: it is foreign.
func nameOf(d *rest.Download, id string) string {
	_, params, err := mime.ParseMediaType(d.Header.Get("Content-Disposition"))
	name := filepath.Base(filepath.Clean("/" + params["filename"]))
	if err != nil || name == "/" || name == "." || name[0] == '.' {
		return "attachment-" + filepath.Base(filepath.Clean("/"+id))
	}
	return name
}

// free refuses a place that is taken, before anything is asked for.
func (d download) free() error {
	if d.force || d.to == "-" || d.to == "" {
		return nil
	}
	if _, err := os.Lstat(d.to); err == nil {
		return usageError{fmt.Errorf("%s is there already; give --force to overwrite it, or -O another place", d.to)}
	}
	return nil
}

// save writes a file that is there only when it is whole.
func (d download) save(ctx context.Context, body io.Reader) (int64, error) {
	if err := d.free(); err != nil {
		return 0, err
	}
	part, err := os.CreateTemp(filepath.Dir(d.to), ".download-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(part.Name()) // it has another name by then, if all went well
	size, err := io.Copy(part, body)
	if err = errors.Join(err, part.Close()); err != nil {
		return 0, fmt.Errorf("download to %s: %w", d.to, errors.Join(err, ctx.Err()))
	}
	if err := os.Chmod(part.Name(), 0o644); err != nil {
		return 0, err
	}
	return size, d.place(part.Name())
}

// place gives the file its name. A link, unlike a renaming, replaces nothing; some
// file systems have none.
func (d download) place(part string) error {
	if !d.force {
		err := os.Link(part, d.to)
		if err == nil {
			return nil
		}
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s appeared meanwhile: %w", d.to, err)
		}
	}
	return os.Rename(part, d.to)
}
