package dbtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Small is a PostgreSQL server of a test's own with all that it has on a small disk.
type Small struct {
	URL     string
	servers *Pair
	port    int
	over    chan struct{}
	filling sync.WaitGroup
}

// NewSmall starts one on a disk of so many MiB, where PostgreSQL is tested at all and a disk can be mounted.
func NewSmall(t testing.TB, size int) *Small {
	t.Helper()
	p := newServers(t)
	s := &Small{servers: p, port: p.free()}
	disk := p.at("a")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	options := fmt.Sprintf("size=%dm,mode=0700", size)
	if p.as != nil {
		options += fmt.Sprintf(",uid=%d,gid=%d", p.as.Uid, p.as.Gid)
	}
	if err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", disk).Run(); err != nil {
		t.Skip("no disk can be mounted here: ", err)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", disk).Run() }) //nolint:errcheck // it was ours
	p.run("initdb", "-D", disk, "-U", "purser", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C", "--wal-segsize=1")
	settings, err := os.OpenFile(filepath.Join(disk, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = settings.WriteString("max_wal_size = 32MB\nmin_wal_size = 2MB\n")
		err = errors.Join(err, settings.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	p.start("a", s.port)
	t.Cleanup(func() { p.stop("a") }) //nolint:errcheck // its folder goes anyway
	s.URL = fmt.Sprintf("postgres://purser@127.0.0.1:%d/postgres?sslmode=disable", s.port)
	return s
}

func (s *Small) filler() string { return filepath.Join(s.servers.at("a"), "filler") }

// Fill leaves no room on the disk, also not what the server gives back, until Room.
func (s *Small) Fill(t testing.TB) {
	t.Helper()
	f, err := os.Create(s.filler())
	if err != nil {
		t.Fatal(err)
	}
	fill := func() {
		for err := error(nil); err == nil; {
			_, err = f.Write(make([]byte, 4096))
		}
	}
	fill()
	s.over = make(chan struct{})
	s.filling.Go(func() {
		defer f.Close() //nolint:errcheck // it holds nothing
		for {
			select {
			case <-s.over:
				return
			case <-time.After(5 * time.Millisecond):
				fill()
			}
		}
	})
}

// Room takes away what Fill wrote.
func (s *Small) Room(t testing.TB) {
	t.Helper()
	close(s.over)
	s.filling.Wait()
	if err := os.Remove(s.filler()); err != nil {
		t.Fatal(err)
	}
}

// Runs says whether the server does.
func (s *Small) Runs() bool {
	return s.servers.command("pg_ctl", "-D", s.servers.at("a"), "status").Run() == nil
}

// Start starts the server, should it have stopped; it says whether it runs.
func (s *Small) Start() bool {
	return s.Runs() || s.servers.command("pg_ctl", s.servers.startWords("a", s.port)...).Run() == nil
}
