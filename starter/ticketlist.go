package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// listFlags select from a list.
type listFlags struct {
	filters, orders []string
	limit           int
	cursor          string
	all             bool
}

// mostOfAPage is the API's own limit.
const mostOfAPage = 500

func (f *listFlags) addPages(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.limit, "limit", 0, fmt.Sprintf("how many at most, up to %d; absent: a page of the API", mostOfAPage))
	cmd.Flags().StringVar(&f.cursor, "cursor", "", "where to go on: what the command before said")
	cmd.Flags().BoolVar(&f.all, "all", false, "all pages")
}

func (f *listFlags) addFilters(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.filters, "filter", nil, "`FIELD[OPERATOR]VALUE` or FIELD=VALUE; may be repeated: all must hold")
}

// query is the first page's; it names what is wrong before anything is asked.
func (f *listFlags) query(cmd *cobra.Command) (url.Values, error) {
	query := url.Values{}
	for _, text := range f.filters {
		if _, err := ticket.ParseFilter(text); err != nil {
			return nil, usageError{fmt.Errorf("--%w", err)}
		}
		query.Add("filter", text)
	}
	for _, text := range f.orders {
		if _, err := ticket.ParseOrder(text); err != nil {
			return nil, usageError{fmt.Errorf("--%w", err)}
		}
		query.Add("order", text)
	}
	switch {
	case f.all && cmd.Flags().Changed("limit"):
		return nil, usageError{errors.New("--all and --limit: give one of them")}
	case f.all:
		query.Set("limit", strconv.Itoa(mostOfAPage))
	case cmd.Flags().Changed("limit"):
		if f.limit < 1 || f.limit > mostOfAPage {
			return nil, usageError{fmt.Errorf("--limit %d: want 1 to %d, or --all", f.limit, mostOfAPage)}
		}
		query.Set("limit", strconv.Itoa(f.limit))
	}
	if f.cursor != "" {
		query.Set("cursor", f.cursor)
	}
	return query, nil
}

// page is a list as the API answers it.
type page[T any] struct {
	Result []T    `json:"result"`
	Cursor string `json:"cursor"`
}

// lists is a command that prints a list that comes in pages.
func lists[T any](flags *deskFlags, cmd *cobra.Command, list *listFlags, path string, show func(io.Writer, []T)) *cobra.Command {
	return asking(flags, cmd, func(cmd *cobra.Command, p printer, d *desk, _ []string) error {
		query, err := list.query(cmd)
		if err != nil {
			return err
		}
		answer, err := list.pages(cmd, d, path, query)
		if err != nil {
			return err
		}
		shown := make([]T, len(answer.Result))
		for i, one := range answer.Result {
			if err := decodeAnswer(one, &shown[i]); err != nil {
				return err
			}
		}
		return p.print(answer, func(w io.Writer) {
			show(w, shown)
			morePages(cmd.ErrOrStderr(), answer.Cursor)
		})
	})
}

// pages are one page, or all of them as one. A page may hold less than was asked
// for, even nothing, and still not be the last: without --all, they are read up to
// the first that holds something.
func (f *listFlags) pages(cmd *cobra.Command, d *desk, path string, query url.Values) (page[json.RawMessage], error) {
	all := page[json.RawMessage]{Result: []json.RawMessage{}}
	defer d.progress("list")()
	for {
		resp, err := d.call(cmd.Context(), asked{method: http.MethodGet, path: path, query: query})
		if err != nil {
			return all, err
		}
		var next page[json.RawMessage]
		if err := decodeAnswer(resp.Body, &next); err != nil {
			return all, err
		}
		all.Result, all.Cursor = append(all.Result, next.Result...), next.Cursor
		if next.Cursor == "" || !f.all && len(all.Result) > 0 {
			return all, nil
		}
		query.Set("cursor", next.Cursor)
	}
}
