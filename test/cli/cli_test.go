// Package cli_test tells what the command line does, as transcripts (testdata/*.txtar), and kills it in the middle.
package cli_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/purser-cloud/purser/internal/cli"
	"github.com/purser-cloud/purser/internal/db/dbtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"nats-server": natsServer,
		"purser":      func() { os.Exit(cli.Main("test", os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// program is purser as a program of its own: this very test, which is purser when it is called so.
func program(t *testing.T) string {
	t.Helper()
	test, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "purser")
	if err := os.Symlink(test, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// Scripts may ask [postgres] and have "database NAME" put the address of an empty database into $NAME.
func TestTranscripts(t *testing.T) {
	admin := os.Getenv("PURSER_TEST_POSTGRES")
	commands := maps.Clone(traceCommands)
	commands["database"] = func(s *testscript.TestScript, _ bool, args []string) { s.Setenv(args[0], dbtest.NewDatabase(t, admin)) }
	commands["refused"] = func(s *testscript.TestScript, _ bool, args []string) { // refused WORDS FLAGS…: purser serve ends with exit code 2 and says so
		command := exec.Command(filepath.Join(strings.SplitN(s.Getenv("PATH"), string(os.PathListSeparator), 2)[0], "purser"), append([]string{"serve", "--data", s.MkAbs("d")}, args[1:]...)...)
		command.Env = append(os.Environ(), "PURSER_CLUSTER_PEERS="+s.Getenv("PURSER_CLUSTER_PEERS"))
		out, _ := command.CombinedOutput()
		if code := command.ProcessState.ExitCode(); code != 2 || !strings.Contains(string(out), args[0]) {
			s.Fatalf("exit code %d, %s", code, out)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true,
		Condition: func(what string) (bool, error) {
			if what != "postgres" {
				return false, fmt.Errorf("no condition %q", what)
			}
			return admin != "", nil
		},
		Cmds: commands,
	})
}

// kill -9 at any moment of an import leaves the old catalogue whole, or the new one.
func TestKillDuringImport(t *testing.T) {
	dir := t.TempDir()
	purser := program(t)
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(purser, append(args, "--data", filepath.Join(dir, "data"))...).CombinedOutput()
		if err != nil {
			t.Fatalf("purser %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run("catalog", "import", "shipped")
	run("catalog", "export", filepath.Join(dir, "old"))
	// The other catalogue: every product has another name, so that an import touches every row.
	other := filepath.Join(dir, "other")
	if err := os.CopyFS(other, os.DirFS(filepath.Join(dir, "old"))); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(other, "services", "*.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatal("no files exported", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(strings.ReplaceAll(string(text), "en: ", "en: Other ")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	run("catalog", "import", other)
	whole := time.Since(began)
	run("catalog", "import", filepath.Join(dir, "old"), "--rewrite-history")
	killed := 0
	for i := range 12 {
		c := exec.Command(purser, "catalog", "import", other, "--data", filepath.Join(dir, "data"))
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole * time.Duration(i+1) / 13)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if c.Wait() != nil {
			killed++
		}
		same := func(folder string) bool {
			return strings.Contains(run("catalog", "import", folder, "--dry-run"), "nothing changes")
		}
		if same(other) {
			run("catalog", "import", filepath.Join(dir, "old"))
		} else if !same(filepath.Join(dir, "old")) {
			t.Fatalf("killed after %s: the catalogue is neither the old one nor the new one", fmt.Sprint(whole*time.Duration(i+1)/13))
		}
	}
	if killed == 0 {
		t.Error("no import was killed in time: the test shows nothing")
	}
}
