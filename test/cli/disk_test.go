package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/purser-cloud/purser/internal/db/dbtest"
)

// A disk that is full under a running server refuses what has no room, in words; reading goes on; with room again all goes on
// without a restart, and what was acknowledged is there once, also after kill -9.
func TestFullDisk(t *testing.T) {
	o := newOffice(t, "")
	fill, free := o.fillable()
	o.start()
	defer o.kill()
	customer := o.demo.Customer[2].Domain
	sent, refused := 0, 0
	send := func() error {
		var said struct{ Accepted, Duplicates int }
		err := o.ask("POST", "/purser/v1/usage-records", one(customer, sent), &said)
		if err == nil && said.Accepted+said.Duplicates != 1 {
			t.Errorf("record %d: %+v", sent, said)
		}
		if err == nil {
			sent++
		}
		return err
	}
	for range 20 {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	fill()
	for range 3000 { // the log of the store may have room left of its own
		err := send()
		if err == nil {
			continue
		}
		if text := err.Error(); !strings.Contains(text, "503") || !strings.Contains(text, "the disk of the store is full") && !strings.Contains(text, "the store cannot be written") {
			t.Fatalf("on a full disk: %v", err)
		}
		if refused++; refused == 10 {
			break
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
	if err := o.ask("GET", "/purser/v1/customers/"+customer, nil, &struct{}{}); err != nil {
		t.Errorf("reading on a full disk: %v", err)
	}
	free()
	for range 20 {
		if err := send(); err != nil {
			t.Errorf("with room again: %v", err)
		}
	}
	o.kill()
	o.start()
	for i := range sent {
		var said struct{ Duplicates int }
		if err := o.ask("POST", "/purser/v1/usage-records", one(customer, i), &said); err != nil || said.Duplicates != 1 {
			t.Fatalf("record %d: %+v, %v", i, said, err)
		}
	}
	o.stop()
	if out, err := exec.Command(o.purser, "check", "--data", o.data).CombinedOutput(); err != nil {
		t.Errorf("purser check: %v\n%s", err, out)
	}
	t.Logf("%d records taken, %d refused", sent, refused)
}

// PostgreSQL with no room on its disk: what has no room is refused with 503 and says so, also when the server gives up over it
// (it does when its log finds no room); with room again, and the server started should it have stopped, all goes on without a restart
// of purser. What was acknowledged is there once, and no more than what was asked for.
func TestFullDiskOfPostgreSQL(t *testing.T) {
	if os.Getenv("PURSER_LONG") == "" {
		t.Skip("in test-long")
	}
	small := dbtest.NewSmall(t, 320)
	o := newOffice(t, "")
	if out, err := exec.Command(o.purser, "migrate", "--data", o.data, "--database", small.URL).CombinedOutput(); err != nil {
		t.Fatalf("purser migrate: %v\n%s", err, out)
	}
	o.database = small.URL
	o.start()
	defer func() { o.kill() }()
	payer, user := o.demo.Customer[1].Domain, o.demo.Customer[2].Domain
	records, payments := 0, 0
	said := map[string]int{}
	send := func() (wrong error) {
		var got struct{ Accepted, Duplicates int }
		padded := bytes.Replace(one(user, records), []byte(`"source"`), fmt.Appendf(nil, `"tags":{"k":"%040d"},"source"`, records), 1)
		switch err := o.ask("POST", "/purser/v1/usage-records", padded, &got); {
		case err == nil && got.Accepted+got.Duplicates == 1:
			records++
		default:
			wrong = fmt.Errorf("record %d: %+v, %v", records, got, err)
		}
		body := fmt.Appendf(nil, `{"amount":"0.01","reference":"full-%d"}`, payments)
		switch err := o.ask("POST", "/purser/v1/customers/"+payer+"/top-ups", body, &struct{}{}); {
		case err == nil, strings.Contains(err.Error(), "PURSER.0301"): // booked, and its answer lost
			payments++
		default:
			wrong = errors.Join(wrong, fmt.Errorf("payment %d: %w", payments, err))
		}
		return wrong
	}
	for range 20 {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	small.Fill(t)
	refused, read := 0, false
	for n := 0; n < 4000 && refused < 30; n++ {
		err := send()
		if err == nil {
			continue
		}
		refused++
		for line := range strings.Lines(err.Error()) {
			i := slices.IndexFunc(troubles, func(text string) bool { return strings.Contains(line, text) })
			if i < 0 || !strings.Contains(line, "503") {
				t.Fatalf("on a full disk: %s", line)
			}
			said[troubles[i]]++
		}
		if !read && small.Runs() {
			read = o.ask("GET", "/purser/v1/customers/"+payer, nil, &struct{}{}) == nil
		}
	}
	if refused == 0 || said[troubles[0]] == 0 {
		t.Errorf("%d were refused: %v", refused, said)
	}
	t.Logf("%d records and %d payments taken, %d rounds refused: %v; the server runs: %t, was read from: %t", records, payments, refused, said, small.Runs(), read)
	small.Room(t)
	wait(t, "all goes on", func() bool { return small.Start() && send() == nil })
	for range 20 {
		if err := send(); err != nil {
			t.Errorf("with room again: %v", err)
		}
	}
	o.kill()
	o.start()
	for i := range records {
		var got struct{ Duplicates int }
		padded := bytes.Replace(one(user, i), []byte(`"source"`), fmt.Appendf(nil, `"tags":{"k":"%040d"},"source"`, i), 1)
		if err := o.ask("POST", "/purser/v1/usage-records", padded, &got); err != nil || got.Duplicates != 1 {
			t.Fatalf("record %d: %+v, %v", i, got, err)
		}
	}
	out, err := exec.Command("psql", "-Atq", small.URL, "-c", "SELECT count(*), count(DISTINCT reference) FROM ledger_entry WHERE reference LIKE 'full-%'").CombinedOutput()
	if want := fmt.Sprintf("%d|%d", payments, payments); err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("payments booked: %s, %v; want %s", out, err, want)
	}
	o.stop()
	if out, err := exec.Command(o.purser, "check", "--data", o.data, "--database", small.URL).CombinedOutput(); err != nil {
		t.Errorf("purser check: %v\n%s", err, out)
	}
}

// troubles are what a database whose disk is full may be said to have.
var troubles = []string{"the disk of the database is full", "the database is not there at the moment", "the database does not answer"}

// fillable puts the office's data on a small disk of its own, where one can be mounted, else forbids the server's files to
// grow. It is called before the server starts.
func (o *office) fillable() (fill, free func()) {
	t := o.t
	disk := t.TempDir()
	if exec.Command("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk).Run() == nil {
		t.Cleanup(func() { exec.Command("umount", "-l", disk).Run() }) //nolint:errcheck // it was ours
		data := filepath.Join(disk, "data")
		if err := os.CopyFS(data, os.DirFS(o.data)); err != nil {
			t.Fatal(err)
		}
		o.data = data
		filler := filepath.Join(disk, "filler")
		return func() {
				f, err := os.Create(filler)
				for err == nil {
					_, err = f.Write(make([]byte, 4096))
				}
				if f != nil {
					f.Close() //nolint:errcheck // it holds nothing
				}
			}, func() {
				if err := os.Remove(filler); err != nil {
					t.Error(err)
				}
			}
	}
	limit := func(size string) {
		if out, err := exec.Command("prlimit", "--pid", strconv.Itoa(o.process.Process.Pid), "--fsize="+size+":").CombinedOutput(); errors.Is(err, exec.ErrNotFound) {
			t.Skip("neither mount nor prlimit: a disk cannot be filled here")
		} else if err != nil {
			t.Fatalf("prlimit: %v\n%s", err, out)
		}
	}
	return func() {
		var most int64
		for _, name := range []string{"purser.db", "purser.db-wal"} {
			if at, err := os.Stat(filepath.Join(o.data, name)); err == nil {
				most = max(most, at.Size())
			}
		}
		limit(fmt.Sprint(most))
	}, func() { limit("unlimited") }
}
