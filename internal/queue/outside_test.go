package queue

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// TestMain is a NATS server of its own, not purser's, when it is called so.
func TestMain(m *testing.M) {
	if words := os.Getenv("QUEUE_TEST_SERVER"); words != "" {
		list := strings.Split(words, " ") // name, folder, port of clients, ports of all servers' routes, its own first
		port := func(s string) int { n, _ := strconv.Atoi(s); return n }
		o := &server.Options{ServerName: list[0], StoreDir: list[1], Host: "127.0.0.1", Port: port(list[2]), JetStream: true, SyncAlways: true, NoLog: true, NoSigs: true}
		if len(list) > 4 {
			o.Cluster = server.ClusterOpts{Name: "outside", Host: "127.0.0.1", Port: port(list[3])}
			for _, p := range list[3:] {
				o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: "127.0.0.1:" + p})
			}
		}
		s, err := server.NewServer(o)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		s.Start()
		s.WaitForShutdown()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// outside is a cluster of NATS servers, each a process.
type outside struct {
	t       *testing.T
	words   []string
	servers []*exec.Cmd
	url     string
}

func newOutside(t *testing.T, n int) *outside {
	var ports []string
	for range 2 * n {
		on, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer on.Close()
		_, port, _ := net.SplitHostPort(on.Addr().String())
		ports = append(ports, port)
	}
	o := &outside{t: t, servers: make([]*exec.Cmd, n)}
	var urls []string
	for i := range n {
		routes := append([]string{ports[n+i]}, slices.DeleteFunc(slices.Clone(ports[n:]), func(p string) bool { return p == ports[n+i] })...)
		o.words = append(o.words, strings.Join(append([]string{fmt.Sprint("outside-", i), filepath.Join(t.TempDir(), "data"), ports[i]}, routes...), " "))
		urls = append(urls, "nats://127.0.0.1:"+ports[i])
	}
	o.url = strings.Join(urls, ",")
	t.Cleanup(func() {
		for i := range n {
			o.kill(i)
		}
	})
	return o
}

func (o *outside) start(i int) {
	o.t.Helper()
	test, err := os.Executable()
	if err != nil {
		o.t.Fatal(err)
	}
	c := exec.Command(test)
	c.Env, c.Stderr = append(os.Environ(), "QUEUE_TEST_SERVER="+o.words[i]), os.Stderr
	if err := c.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.servers[i] = c
}

func (o *outside) kill(i int) {
	if c := o.servers[i]; c != nil {
		c.Process.Kill() //nolint:errcheck // it may be gone
		c.Wait()         //nolint:errcheck // killed
		o.servers[i] = nil
	}
}

// put puts one message, again until it is acknowledged.
func put(t *testing.T, q *Queue, p int, body string) (refused int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; refused++ {
		err := q.Put(t.Context(), []Message{{p, []byte(body)}})
		if err == nil {
			return refused
		}
		if !errors.Is(err, ErrAway) || time.Now().After(end) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// drain takes all messages of a partition that come until it has as many different ones as are wanted, and says how often each came.
func drain(t *testing.T, q *Queue, p, want int) map[string]int {
	t.Helper()
	came := map[string]int{}
	for end := time.Now().Add(time.Minute); len(came) < want && time.Now().Before(end); {
		list, err := q.Take(t.Context(), p, 64*bodyMost, time.Second)
		if err != nil {
			time.Sleep(50 * time.Millisecond) // no leader at the moment
		}
		for i := range list {
			if list[i].Done() == nil {
				came[string(list[i].Body)]++
			}
		}
	}
	if len(came) != want {
		t.Errorf("%d messages came, want %d", len(came), want)
	}
	return came
}

// A server that is not ours, alone and as one of three: what was acknowledged comes out, though servers are killed and started
// again meanwhile; with one of three away reports go on being acknowledged.
func TestOutside(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			if n > 1 && os.Getenv("PURSER_LONG") == "" {
				t.Skip("in test-long: new leaders take their time")
			}
			o := newOutside(t, n)
			q, err := Open(Config{URL: o.url, Replicas: n, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			defer q.Close()
			if err := q.Put(t.Context(), []Message{{0, nil}}); !errors.Is(err, ErrAway) {
				t.Errorf("nobody is there: %v", err)
			}
			for i := range n {
				o.start(i)
			}
			<-q.Reached()
			acknowledged := 0
			some := func(count int) {
				t.Helper()
				for range count {
					put(t, q, 5, fmt.Sprint(acknowledged))
					acknowledged++
				}
			}
			some(20)
			o.kill(0)
			if n > 1 {
				some(20)
			}
			o.start(0)
			some(20)
			came := drain(t, q, 5, acknowledged)
			for i := range acknowledged {
				if came[fmt.Sprint(i)] == 0 {
					t.Errorf("message %d was acknowledged and did not come", i)
				}
			}
		})
	}
}

// With no room on its disk the server inside acknowledges nothing, and with room again it goes on by itself; what it had acknowledged is there.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := exec.Command("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk).Run(); err != nil {
		t.Skip("no disk can be mounted here: ", err)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", disk).Run() }) //nolint:errcheck // it was ours
	q, err := Open(Config{Listen: "127.0.0.1:0", Secret: "test", Folder: filepath.Join(disk, "queue"), Replicas: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	<-q.Reached()
	padding := strings.Repeat(".", 4096)
	filler, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for ; acknowledged < 20; acknowledged++ {
		put(t, q, 5, fmt.Sprint(acknowledged)+padding)
	}
	for _, size := range []int{1 << 20, 4096} {
		for err = nil; err == nil; {
			_, err = filler.Write(make([]byte, size))
		}
	}
	refused := false
	for range 10_000 {
		if err := q.Put(t.Context(), []Message{{5, []byte(fmt.Sprint(acknowledged) + padding)}}); err != nil {
			if !errors.Is(err, ErrAway) {
				t.Fatal(err)
			}
			refused = true
			break
		}
		acknowledged++
	}
	if !refused {
		t.Fatal("nothing was refused")
	}
	filler.Close() //nolint:errcheck // it holds nothing
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	put(t, q, 5, fmt.Sprint(acknowledged)+padding)
	acknowledged++
	came := drain(t, q, 5, acknowledged)
	for i := range acknowledged {
		if came[fmt.Sprint(i)+padding] == 0 {
			t.Errorf("message %d was acknowledged and did not come", i)
		}
	}
}

// Small messages are asked for in growing numbers, large ones a few at a time again at once.
func TestManyNext(t *testing.T) {
	const bytes = 2 << 20
	many := 4
	for range 10 {
		many = manyNext(many, many, many*500, bytes)
	}
	if many != manyMost {
		t.Errorf("small ones: %d", many)
	}
	if got := manyNext(many, 10, 10*500, bytes); got != many {
		t.Errorf("fewer than were asked for: %d", got)
	}
	if got := manyNext(many, many, many*bodyMost, bytes); got != 1 {
		t.Errorf("large ones: %d", got)
	}
	if got := manyNext(4, 4, 4*bodyMost, bytes); got != 4 {
		t.Errorf("as large as may be: %d", got)
	}
}

// Three servers inside find each other; what one puts another takes, and each partition has one leader.
func TestCluster(t *testing.T) {
	t.Parallel()
	var peers []string
	for range 3 {
		on, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		peers = append(peers, on.Addr().String())
		defer on.Close()
		on.Close() //nolint:errcheck // the address is wanted
	}
	began := time.Now()
	nodes := make([]*Queue, 3)
	for i := range nodes {
		q, err := Open(Config{Listen: peers[i], Peers: peers, Secret: "test", Replicas: 3, Folder: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		nodes[i] = q
	}
	for _, q := range nodes {
		<-q.Reached()
	}
	t.Logf("three nodes reach their queue after %s", time.Since(began).Round(100*time.Millisecond))
	put(t, nodes[0], 5, "a")
	drain(t, nodes[1], 5, 1)
	clusters, partitions := 0, 0
	for _, q := range nodes {
		c, p, _ := q.Leads()
		clusters, partitions = clusters+c, partitions+p
	}
	if clusters != 1 || partitions != Partitions {
		t.Errorf("%d lead the cluster, %d partitions are led", clusters, partitions)
	}
}
