package dbtest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// Pair is a PostgreSQL server of a test's own with a standby that follows it.
type Pair struct {
	Primary, Standby string // addresses; Standby's names both hosts
	Writable         string // of both: whichever takes writes
	t                testing.TB
	folder, bin      string
	port             int // of the standby
	as               *syscall.Credential
}

// NewPair starts both, where PostgreSQL is tested at all and its server's programs are here; they are stopped at the test's end.
func NewPair(t testing.TB) *Pair {
	t.Helper()
	p := newServers(t)
	first := p.free()
	p.port = p.free()
	p.run("initdb", "-D", p.at("a"), "-U", "purser", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
	p.start("a", first)
	t.Cleanup(func() { p.stop("a") }) //nolint:errcheck // its folder goes anyway
	p.run("pg_basebackup", "-h", "127.0.0.1", "-p", strconv.Itoa(first), "-U", "purser", "-D", p.at("b"), "-R", "-X", "stream", "-c", "fast", "--no-sync")
	p.StartStandby()
	t.Cleanup(func() { p.stop("b") }) //nolint:errcheck // a test may have stopped it
	p.Primary = fmt.Sprintf("postgres://purser@127.0.0.1:%d/postgres?sslmode=disable", first)
	p.Standby = fmt.Sprintf("postgres://purser@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable", first, p.port)
	p.Writable = p.Standby + "&target_session_attrs=read-write"
	return p
}

// newServers finds the server's programs and makes a folder for servers.
func newServers(t testing.TB) *Pair {
	t.Helper()
	if os.Getenv("PURSER_TEST_POSTGRES") == "" {
		t.Skip("PURSER_TEST_POSTGRES names no server")
	}
	p := &Pair{t: t}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_basebackup") //nolint:errcheck // the pattern is well formed
	if one, err := exec.LookPath("pg_basebackup"); len(found) == 0 && err == nil {
		found = append(found, one)
	}
	if len(found) == 0 {
		t.Skip("pg_basebackup is not installed")
	}
	slices.Sort(found)
	p.bin = filepath.Dir(found[len(found)-1])
	var err error
	if p.folder, err = os.MkdirTemp("", "purser-pair-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(p.folder) }) //nolint:errcheck // a temporary folder
	if os.Getuid() == 0 {                        // the server refuses to run as root: test/with-postgres has made a user
		who, err := user.Lookup("purser-test")
		if err != nil {
			t.Skip(err)
		}
		uid, _ := strconv.Atoi(who.Uid) //nolint:errcheck // a number on every Unix
		gid, _ := strconv.Atoi(who.Gid) //nolint:errcheck // likewise
		p.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(p.folder, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// StopPrimary ends the primary at once.
func (p *Pair) StopPrimary() {
	if err := p.stop("a"); err != nil {
		p.t.Fatal(err)
	}
}

// StartStandby starts the standby again.
func (p *Pair) StartStandby() { p.start("b", p.port) }

// StopStandby ends the standby at once.
func (p *Pair) StopStandby() {
	if err := p.stop("b"); err != nil {
		p.t.Fatal(err)
	}
}

// StandbyAlone is the address of the standby only; Standby's names the primary first.
func (p *Pair) StandbyAlone() string {
	return fmt.Sprintf("postgres://purser@127.0.0.1:%d/postgres?sslmode=disable", p.port)
}

func (p *Pair) at(name string) string { return filepath.Join(p.folder, name) }

func (p *Pair) start(name string, port int) {
	p.run("pg_ctl", p.startWords(name, port)...)
}

func (p *Pair) startWords(name string, port int) []string {
	return []string{
		"-D", p.at(name), "-w", "-l", p.at(name + ".log"), "start",
		"-o", fmt.Sprintf("-c listen_addresses=127.0.0.1 -c port=%d -c unix_socket_directories=%s -c fsync=off -c hot_standby_feedback=on", port, p.folder),
	}
}

func (p *Pair) stop(name string) error {
	return p.command("pg_ctl", "-D", p.at(name), "-m", "immediate", "-w", "stop").Run()
}

func (p *Pair) command(program string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(p.bin, program), args...)
	c.Dir = p.folder
	if p.as != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	}
	return c
}

// run runs a program of the server. Its output goes into a file: a server that it starts would keep a pipe open.
func (p *Pair) run(program string, args ...string) {
	p.t.Helper()
	out, err := os.Create(p.at(program + ".out"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close() //nolint:errcheck // read by name below
	c := p.command(program, args...)
	c.Stdout, c.Stderr = out, out
	if err := c.Run(); err != nil {
		said, _ := os.ReadFile(out.Name()) //nolint:errcheck // then there is nothing to show
		p.t.Fatal(errors.Join(fmt.Errorf("%s: %w", program, err), errors.New(string(said))))
	}
}

func (p *Pair) free() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only its port is wanted
	return l.Addr().(*net.TCPAddr).Port
}
