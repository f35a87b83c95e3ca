package cli_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/house/housetest"
)

// A year of the demo cloud moves from SQLite to PostgreSQL: not under a running server; killed at any moment the target is
// as empty as before, or whole; and what is there at the end is the same, to the byte, and opens to the same keys.
func TestMigrate(t *testing.T) {
	admin := os.Getenv("PURSER_TEST_POSTGRES")
	if admin == "" {
		t.Skip("PURSER_TEST_POSTGRES names no server")
	}
	data, _ := housetest.Furnished(t, "")
	o := &office{t: t, purser: program(t), data: data}
	target := dbtest.NewDatabase(t, admin)
	move := func() *exec.Cmd { return exec.Command(o.purser, "migrate", "--data", data, "--database", target) }
	o.start()
	if out, err := move().CombinedOutput(); err == nil || !strings.Contains(string(out), "in use: stop the server") {
		t.Errorf("under a running server: %v\n%s", err, out)
	}
	keys := o.demo.Operator.Access
	o.stop()
	killed := 0
	for i := range 3 {
		c := move()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(200+300*i) * time.Millisecond)
		c.Process.Kill() //nolint:errcheck // it may be over
		if c.Wait() == nil {
			target = dbtest.NewDatabase(t, admin) // it was done already
			continue
		}
		killed++
	}
	if killed == 0 {
		t.Error("no move was killed in time")
	}
	before := dump(t, data, "")
	out, err := move().CombinedOutput()
	if err != nil && strings.Contains(string(out), "the target is not empty") { // one was killed behind its commit: then it is whole
		if there := dump(t, data, target); !slices.Equal(before, there) {
			t.Errorf("%d rows before, %d of a move that was killed, or they differ", len(before), len(there))
		}
		target = dbtest.NewDatabase(t, admin)
		out, err = move().CombinedOutput()
	}
	if err != nil || !strings.Contains(string(out), "the books of 3 customers add up") {
		t.Fatalf("%v\n%s", err, out)
	}
	after := dump(t, data, target)
	if len(before) < 1000 || !slices.Equal(before, after) {
		t.Errorf("%d rows before, %d after, or they differ", len(before), len(after))
	}
	all, beside := counted(t, target, "usage_segment"), counted(t, target, "usage_segment_before")+counted(t, target, "usage_segment_other")
	if all == 0 || beside != 0 {
		t.Errorf("of %d segments of usage %d lie in no month", all, beside)
	}
	dumpAndRestore(t, o.purser, data, admin, target)
	o.database = target
	o.start()
	defer o.kill()
	if err := o.ask("GET", "/purser/v1/jobs", nil, &struct{}{}); err != nil || o.demo.Operator.Access != keys {
		t.Errorf("with the operator's old key on the new store: %v", err)
	}
}

// counted says how many rows a table of a database has.
func counted(t *testing.T, database, table string) (n int) {
	t.Helper()
	c, err := pgx.Connect(context.Background(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background()) //nolint:errcheck // only read
	if err := c.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// stop ends the server in peace.
func (o *office) stop() {
	o.t.Helper()
	if err := o.process.Process.Signal(os.Interrupt); err != nil {
		o.t.Fatal(err)
	}
	if err := o.process.Wait(); err != nil {
		o.t.Errorf("stopped: %v", err)
	}
}

// dumpAndRestore takes a database through PostgreSQL's own tools, as docs/operator.md says.
func dumpAndRestore(t *testing.T, purser, data, admin, database string) {
	t.Helper()
	if _, err := exec.LookPath("pg_dump"); err != nil {
		t.Log("pg_dump is not on PATH: backup by PostgreSQL's own tools was not tried")
		return
	}
	file, second := filepath.Join(t.TempDir(), "purser.dump"), dbtest.NewDatabase(t, admin)
	for _, command := range [][]string{
		{"pg_dump", "-Fc", "-d", database, "-f", file},
		{"pg_restore", "-d", second, "--single-transaction", file},
		{purser, "check", "--data", data, "--database", second},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	if !slices.Equal(dump(t, data, database), dump(t, data, second)) {
		t.Error("what was restored differs")
	}
}
