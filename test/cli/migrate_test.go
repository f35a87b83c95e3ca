package cli_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/house/housetest"
)

// A year of the demo cloud moves from SQLite to PostgreSQL: not under a running server; killed at any moment the target is
// as empty as before; and what is there at the end is the same, to the byte, and opens to the same keys.
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
	for i := range 6 {
		c := move()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(200+150*i) * time.Millisecond)
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
	out, err := move().CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the books of 3 customers add up") {
		t.Fatalf("%v\n%s", err, out)
	}
	before, after := dump(t, data, ""), dump(t, data, target)
	if len(before) < 1000 || !slices.Equal(before, after) {
		t.Errorf("%d rows before, %d after, or they differ", len(before), len(after))
	}
	o.database = target
	o.start()
	defer o.kill()
	if err := o.ask("GET", "/purser/v1/jobs", nil, &struct{}{}); err != nil || o.demo.Operator.Access != keys {
		t.Errorf("with the operator's old key on the new store: %v", err)
	}
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
