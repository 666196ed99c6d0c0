package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func testScreen(terminal, colours bool, width int) (*screen, *bytes.Buffer) {
	var out bytes.Buffer
	return &screen{out: &out, terminal: terminal, colours: colours, width: func() int { return width }}, &out
}

func TestForeignTextCannotCommandTheTerminal(t *testing.T) {
	assert.Equal(t, "[31mred two tab end", clean("\x1b[31mred\ntwo\ttab\r\x07 end"))
}

func TestFit(t *testing.T) {
	assert.Equal(t, "abc", fit("abc", 3))
	assert.Equal(t, "äö…", fit("äöüß", 3))
	assert.Equal(t, "…", fit("abc", 0), "too narrow is no crash")
}

func TestElapsed(t *testing.T) {
	assert.Equal(t, "7 s", elapsed(7200*time.Millisecond))
	assert.Equal(t, "2 min 5 s", elapsed(125*time.Second))
}

func TestALineFitsTheTerminal(t *testing.T) {
	link := "http://127.0.0.1:8090/jira/browse/OPS-1"
	s, out := testScreen(true, false, 80)
	s.happened(time.Now(), green, "ticket", "OPS-1", strings.Repeat("long ", 50), link)
	assert.LessOrEqual(t, len([]rune(strings.TrimRight(out.String(), "\n"))), 80)
	assert.NotContains(t, out.String(), link, "no room for it")

	s, out = testScreen(true, false, 140)
	s.happened(time.Now(), green, "ticket", "OPS-1", "short", link)
	assert.Contains(t, out.String(), "ticket   OPS-1               short  "+link)
}

func TestWhatIsReadByProgramsIsPlainAndWhole(t *testing.T) {
	s, out := testScreen(false, false, 40)
	text := strings.Repeat("x", 300)
	s.show("building")
	s.happened(time.Now(), green, "ticket", "OPS-1", text, "http://x")
	s.done("worker runs")
	assert.Contains(t, out.String(), text+"  http://x\n")
	assert.NotContains(t, out.String(), "\x1b")
	assert.NotContains(t, out.String(), "\r")
	assert.NotContains(t, out.String(), "building", "there is no live line without a terminal")
}

func TestTheLiveLineStaysBelow(t *testing.T) {
	s, out := testScreen(true, false, 60)
	s.show("3 events")
	s.line("hello")
	s.show("")
	assert.Equal(t, "3 events\r\x1b[Khello\n3 events\r\x1b[K", out.String())
}

func TestColours(t *testing.T) {
	s, _ := testScreen(true, true, 80)
	assert.Equal(t, "\x1b[32mok\x1b[0m", s.paint(green, "ok"))
	s, _ = testScreen(true, false, 80)
	assert.Equal(t, "ok", s.paint(green, "ok"))
}
