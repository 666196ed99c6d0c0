package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"
)

// Styles, as in the terminal's control sequences.
const (
	plain  = ""
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
	cyan   = "36"
)

// screen writes lines that stay, and on a terminal one live line below them
// that is written over. It may be used by several goroutines.
type screen struct {
	out      io.Writer
	terminal bool
	colours  bool
	width    func() int

	mu   sync.Mutex
	live string
}

func newScreen(out *os.File, getenv func(string) string) *screen {
	terminal := isatty.IsTerminal(out.Fd()) && getenv("TERM") != "dumb"
	return &screen{
		out: out, terminal: terminal, colours: terminal && getenv("NO_COLOR") == "",
		width: func() int { return widthOf(out) },
	}
}

const (
	usualWidth = 100
	leastWidth = 40
)

func widthOf(out *os.File) int {
	size, err := unix.IoctlGetWinsize(int(out.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 {
		return usualWidth
	}
	return max(int(size.Col), leastWidth)
}

// line writes a line that stays.
func (s *screen) line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	fmt.Fprintln(s.out, text)
	s.draw()
}

// done, note and trouble are steps of starting and stopping.
func (s *screen) done(format string, args ...any) { s.step(green, "✓", format, args...) }
func (s *screen) note(format string, args ...any) { s.step(dim, "·", format, args...) }
func (s *screen) trouble(format string, args ...any) {
	s.step(red, "!", format, args...)
}

func (s *screen) step(style, sign, format string, args ...any) {
	s.line("  " + s.paint(style, sign) + " " + fmt.Sprintf(format, args...))
}

// show puts text into the live line; empty removes it. Without a terminal there
// is none.
func (s *screen) show(text string) {
	if !s.terminal {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	s.live = text
	s.draw()
}

func (s *screen) erase() {
	if s.live != "" {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
}

func (s *screen) draw() {
	if s.live != "" {
		// One column is left free: some terminals wrap when the last is written.
		fmt.Fprint(s.out, s.paint(dim, fit(s.live, s.width()-1)))
	}
}

func (s *screen) paint(style, text string) string {
	if !s.colours || style == plain || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

const (
	kindWidth   = 8
	ticketWidth = 18
)

// happened writes something that happened to a ticket. A link is left out where
// it does not fit beside a good part of the text.
func (s *screen) happened(at time.Time, style, kind, ticket, text, link string) {
	width := s.width()
	if !s.terminal {
		width = 0 // whoever reads a file gets everything
	}
	head := 2 + 8 + 2 + kindWidth + 1 + ticketWidth + 2
	room := width - head
	text, link = clean(text), clean(link)
	if width > 0 && link != "" && room-len(link)-2 < 30 {
		link = ""
	}
	if link != "" {
		room -= len(link) + 2
		link = "  " + s.paint(dim, link)
	}
	if width > 0 {
		text = fit(text, room)
	}
	s.line("  " + s.paint(dim, at.Local().Format(time.TimeOnly)) + "  " + s.paint(style, pad(kind, kindWidth)) + " " +
		pad(clean(ticket), ticketWidth) + "  " + text + link)
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-len([]rune(text))))
}

// fit shortens text to width characters.
func fit(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return string(runes[:max(0, width-1)]) + "…"
}

// clean makes one line of foreign text, without anything that a terminal would obey.
func clean(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)), " ")
}

// elapsed is a time as people say it: 7 s, 2 min 5 s.
func elapsed(d time.Duration) string {
	seconds := int(d.Round(time.Second).Seconds())
	if seconds < 60 {
		return fmt.Sprintf("%d s", seconds)
	}
	return fmt.Sprintf("%d min %d s", seconds/60, seconds%60)
}
