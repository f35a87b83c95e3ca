package cli_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
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
