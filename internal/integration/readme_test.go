package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// demo is what `make run` starts, in a folder of its own.
type demo struct {
	dir       string
	simulator string
	launcher  *process
}

func startDemo(t *testing.T) *demo {
	t.Helper()
	if os.Getenv(temporalEnv) == "" {
		t.Skipf("%s does not name a temporal CLI; run the tests with `make test`, which builds one", temporalEnv)
	}
	needTctl(t)
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	d := &demo{dir: t.TempDir(), simulator: fmt.Sprintf("http://127.0.0.1:%d", freePort(t))}
	bin := filepath.Join(d.dir, ".run", "bin")
	require.NoError(t, os.MkdirAll(bin, 0o700))
	require.NoError(t, os.Symlink(filepath.Join(root, "examples"), filepath.Join(d.dir, "examples")))
	for name, variable := range map[string]string{"temporal": temporalEnv, "tctl": tctlEnv} {
		require.NoError(t, os.Symlink(os.Getenv(variable), filepath.Join(bin, name)))
	}
	launcher := filepath.Join(d.dir, "run")
	build := exec.Command("go", "build", "-o", launcher, "./run")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	port := func() string { return fmt.Sprint(freePort(t)) }
	d.launcher = startProcessIn(t, "run", root, []string{
		"TB_RUN_DIR=" + filepath.Join(d.dir, ".run"), "TB_TEMPORAL=" + os.Getenv(temporalEnv), "TB_TCTL=" + os.Getenv(tctlEnv),
		"TB_TEMPORAL_PORT=" + port(), "TB_UI_PORT=" + port(), "TB_SIMULATOR_PORT=" + d.simulator[strings.LastIndex(d.simulator, ":")+1:],
		"TICKETBRIDGE_HTTP_ADDR=127.0.0.1:" + port(), "TICKETBRIDGE_METRICS_ADDR=127.0.0.1:" + port(), "TB_PACE=500ms",
	}, launcher)
	t.Cleanup(func() {
		assert.True(t, d.launcher.stop(time.Minute), "the demonstration does not stop when it is asked to")
	})
	require.Eventually(t, func() bool { return len(d.issues()) > 0 }, 4*time.Minute, 200*time.Millisecond,
		"the demonstration makes no ticket; its output is in %s", logDir(t))
	return d
}

// issues are the descriptions and comments of the simulated Jira, by summary.
func (d *demo) issues() map[string]string {
	resp, err := http.Get(d.simulator + "/jira/_control/issues")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	var issues []struct {
		Summary  string `json:"summary"`
		Status   string `json:"status"`
		Text     string `json:"text"`
		Comments []struct{ Text string }
	}
	if data, err := io.ReadAll(resp.Body); err != nil || json.Unmarshal(data, &issues) != nil {
		return nil
	}
	texts := map[string]string{}
	for _, i := range issues {
		texts[i.Summary] += "\n" + i.Status + "\n" + i.Text
		for _, c := range i.Comments {
			texts[i.Summary] += "\n" + c.Text
		}
	}
	return texts
}

// readmeCommands are the commands of the README's marked blocks, in order;
// lines that end with a backslash, or within quotes, belong to the next one.
func readmeCommands(t *testing.T) map[string][]string {
	t.Helper()
	data, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	blocks := map[string][]string{}
	for _, m := range regexp.MustCompile("(?s)<!-- commands: ([a-z]+) -->\n```sh\n(.*?)```").FindAllStringSubmatch(string(data), -1) {
		command := ""
		for line := range strings.SplitSeq(strings.ReplaceAll(m[2], "\\\n", ""), "\n") {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			command += line
			if strings.Count(command, "'")%2 == 1 {
				command += "\n"
				continue
			}
			blocks[m[1]] = append(blocks[m[1]], command)
			command = ""
		}
		require.Empty(t, command, "%s: a quote is not closed", m[1])
	}
	return blocks
}

// assigned is the variable that a command sets, or nothing.
func assigned(command string) string {
	if name, _, ok := strings.Cut(command, "=$("); ok && !strings.ContainsAny(name, " '\"") {
		return name
	}
	return ""
}

// run runs a command as a user's shell does, after what its block began with. Of
// one that sets a variable it returns the value.
func (d *demo) run(before, command string) (string, error) {
	if name := assigned(command); name != "" {
		command += "\nprintf %s \"$" + name + "\""
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", before+"\n"+command)
	cmd.Dir = d.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// try runs a block's commands; each must say what is expected of it.
func (d *demo) try(t *testing.T, block, says []string) {
	t.Helper()
	before := block[0]
	for i, command := range block[1:] {
		var out string
		var err error
		// A request's ticket, for one, takes a moment.
		for deadline := time.Now().Add(soon); ; {
			out, err = d.run(before, command)
			if err != nil || strings.Contains(out, says[i]) || time.Now().After(deadline) {
				break
			}
		}
		assert.NoError(t, err, "%s\n%s", command, out)
		assert.Contains(t, out, says[i], command)
		if variable := assigned(command); variable != "" {
			before += "\n" + variable + "='" + out + "'"
		}
	}
}

// Every command of the README works as it stands there, against what `make run`
// starts.
func TestReadme(t *testing.T) {
	t.Parallel()
	blocks := readmeCommands(t)
	require.Len(t, blocks, 6)
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is missing")
	}
	d := startDemo(t)
	says := map[string][]string{
		"events":   {`"subject":"Database down"`, "updated request", `"status":"completed"`},
		"simulate": {`"outcome":"created"`},
		"feeds":    {"a.p.tenant.v1.0", "a.p.tenant.created.v1.0", "cti.a.p.em.event.v1.0~"},
		"tickets": {
			`"name":"Quay lights are out"`, `"name":"Quay lights are out"`,
			"It was a fuse.", "Done", "OPS-", "INC0010001", `"id":"ticketing_mock_ticketing"`,
		},
		"integrations": {"tb_quay_", `"berth":8`, "the API", "boss", "quay is deleted"},
		"steer": {
			"feed demo runs as workflow feed:demo", "feed:demo", "demo", `polling`, `polling`,
			"", "", "", "", // signals
			"match:demo-jira:harbour-nagios-31-101:x673ed5bcggmg3ij4xyma4bqx5", "match:demo-jira", "", "OPS-",
			"", "", "workflows",
		},
	}
	// Integrations are made twice: what a block leaves behind must not be in its way.
	for _, name := range []string{"tickets", "integrations", "integrations", "events", "simulate", "feeds", "steer"} {
		block := blocks[name]
		require.Equal(t, ". .run/env", strings.TrimSpace(strings.Split(block[0], "#")[0]), "every block begins so")
		require.Len(t, says[name], len(block)-1, "%s: the test knows each command", name)
		d.try(t, block, says[name])
	}
	require.Eventually(t, func() bool {
		text := d.issues()["Database down"]
		return strings.Contains(text, "Done") && strings.Contains(text, "answers again") && strings.Contains(text, "To Do")
	}, soon, 100*time.Millisecond, "the README's events are tickets")
	assert.Equal(t, 1, strings.Count(d.issues()["Database down"], "still no answer"))
	assert.Equal(t, 2, strings.Count(d.issues()["Database down"], "no answer on port 5432"), "one of curl, one by hand")
}
