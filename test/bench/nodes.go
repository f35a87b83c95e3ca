package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/house"
)

// runNodes measures what a second node costs, on the server that PURSER_TEST_POSTGRES names.
func runNodes() error {
	admin := os.Getenv("PURSER_TEST_POSTGRES")
	if admin == "" {
		return errors.New("PURSER_TEST_POSTGRES names no server")
	}
	dir, err := os.MkdirTemp("", "purser-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lines, err := benchNodes(dir, admin)
	return errors.Join(err, report(lines))
}

// What is paid through nodes: so many customers have five unpaid orders each, more than share the pages of a small index, whom the
// database cannot tell apart when they pay at once. The first order of each is paid before the clock starts: all connections know
// their statements, all customers have their rows of the month. The rest is paid in slices, one node's and two nodes' in turn.
const (
	nodePayers = 2_000
	nodeSlice  = 200
)

// benchNodes pays the same orders over HTTP through one node and through two, on copies of one database and on the same
// processors: what two do less is what they cost each other. The nodes are whole servers with their night shift and couriers; they
// share this process, so that neither has more memory or processors than the one. All are up all the time and pay in short turns, whose
// times are added up: a machine that is quicker or slower for a while, as guests of a busy host are, is so for both.
func benchNodes(dir, admin string) (lines []line, err error) {
	s, err := furnishedPostgres(dir, admin, nodePayers)
	if err != nil {
		return nil, err
	}
	var tills [2]*till
	for i := range tills {
		if tills[i], err = openTill(s, i+1); err != nil {
			return nil, fmt.Errorf("%d nodes: %w", i+1, err)
		}
		defer func() { err = errors.Join(err, tills[i].close()) }()
		if err := tills[i].pay(0, nodePayers); err != nil {
			return nil, fmt.Errorf("%d nodes: %w", i+1, err)
		}
	}
	var took [2]time.Duration
	for slice, from := 0, nodePayers; from < len(s.dues); slice, from = slice+1, from+nodeSlice {
		for turn := range tills {
			i := (slice + turn) % len(tills) // who begins changes
			began := time.Now()
			if err := tills[i].pay(from, from+nodeSlice); err != nil {
				return nil, fmt.Errorf("%d nodes: %w", i+1, err)
			}
			took[i] += time.Since(began)
		}
	}
	rate := func(d time.Duration) float64 { return float64(len(s.dues)-nodePayers) / d.Seconds() }
	return []line{share("PostgreSQL: paying orders through two nodes, against one", rate(took[1]), rate(took[0]), 0.90)}, nil
}

// throughHTTP pays everything through a server.
func throughHTTP(s *stores) (took time.Duration, err error) {
	t, err := openTill(s, 1)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	began := time.Now()
	err = t.pay(0, len(t.requests))
	return time.Since(began), err
}

// till is where orders are paid over HTTP: servers on one database, each with as many connections of the client as another. The
// requests are signed when it opens, the client is a socket and little else.
type till struct {
	requests [][]byte
	conns    chan net.Conn
	stop     context.CancelFunc
	over     chan error
	started  int
}

// openTill opens servers on a copy of a store.
func openTill(s *stores, nodes int) (t *till, err error) {
	data, database, err := s.copy()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	t = &till{requests: make([][]byte, len(s.dues)), conns: make(chan net.Conn, hands), stop: stop, over: make(chan error, nodes)}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	endpoints := make([]string, nodes)
	for i := range endpoints {
		folder := data
		if i > 0 {
			folder = filepath.Join(s.dir, fmt.Sprintf("node-%d-%d", s.n, i))
			if err := os.CopyFS(folder, os.DirFS(data)); err != nil { // the key is everybody's
				return nil, err
			}
		}
		h, err := openShop(folder, database)
		if err != nil {
			return nil, err
		}
		if endpoints[i], err = serveShop(ctx, h, t.over); err != nil {
			return nil, err
		}
		t.started++
	}
	for i := range s.dues {
		if t.requests[i], err = signedPayment(&s.dues[i], endpoints[0]); err != nil {
			return nil, err
		}
	}
	for i := range hands {
		conn, err := net.Dial("tcp", strings.TrimPrefix(endpoints[i%nodes], "http://"))
		if err != nil {
			return nil, err
		}
		t.conns <- conn
	}
	return t, nil
}

// pay pays the orders from one to before another.
func (t *till) pay(from, to int) error {
	return parallel(to-from, hands, func(i int) error {
		conn := <-t.conns
		defer func() { t.conns <- conn }()
		if _, err := conn.Write(t.requests[from+i]); err != nil {
			return err
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && answer.StatusCode != http.StatusNoContent {
			text := make([]byte, 500)
			n, _ := answer.Body.Read(text)
			err = fmt.Errorf("%s: %s", answer.Status, text[:n])
		}
		return err
	})
}

// close closes the servers.
func (t *till) close() (err error) {
	t.stop()
	for len(t.conns) > 0 {
		_ = (<-t.conns).Close()
	}
	for range t.started {
		err = errors.Join(err, <-t.over)
	}
	return err
}

// serveShop serves a house until ctx ends, closes it then, and says where it is.
func serveShop(ctx context.Context, h *house.House, over chan<- error) (string, error) {
	at, failed := make(chan string, 1), make(chan error, 1)
	go func() {
		err := h.Serve(ctx, func(endpoint, _ string) error { at <- endpoint; return nil })
		failed <- err
		over <- errors.Join(err, h.Close())
	}()
	select {
	case endpoint := <-at:
		return endpoint, nil
	case err := <-failed:
		return "", err
	}
}
