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
// database cannot tell apart when they pay at once; some are paid before the clock starts, so that all connections know their statements.
const (
	nodePayers = 2_000
	nodeWarms  = 400
	nodePays   = 2_000
)

// benchNodes pays the same orders over HTTP through one node and through two, on copies of one database and on the same
// processors: what two do less is what they cost each other. The nodes are whole servers with their night shift and couriers; they
// share this process, so that neither has more memory or processors than the one. Five turns, the best of each.
func benchNodes(dir, admin string) ([]line, error) {
	s, err := furnishedPostgres(dir, admin, nodePayers)
	if err != nil {
		return nil, err
	}
	s.dues = s.dues[:nodeWarms+nodePays]
	var one, two time.Duration
	for range 5 {
		a, err := throughNodes(s, 1, nodeWarms)
		if err != nil {
			return nil, fmt.Errorf("one node: %w", err)
		}
		b, err := throughNodes(s, 2, nodeWarms)
		if err != nil {
			return nil, fmt.Errorf("two nodes: %w", err)
		}
		one, two = least(one, a), least(two, b)
	}
	rate := func(d time.Duration) float64 { return nodePays / d.Seconds() }
	return []line{share("PostgreSQL: paying orders through two nodes, against one", rate(two), rate(one), 0.90)}, nil
}

// throughHTTP pays everything through a server.
func throughHTTP(s *stores) (time.Duration, error) { return throughNodes(s, 1, 0) }

// throughNodes pays everything through servers on one database, each with as many connections as another: the requests are signed
// before the clock starts, the client is a socket and little else. The first few warm up and do not count.
func throughNodes(s *stores, nodes, warms int) (took time.Duration, err error) {
	data, database, err := s.copy()
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, nodes)
	started := 0
	defer func() {
		stop()
		for range started {
			err = errors.Join(err, <-over)
		}
	}()
	endpoints := make([]string, nodes)
	for i := range endpoints {
		folder := data
		if i > 0 {
			folder = filepath.Join(s.dir, fmt.Sprintf("node-%d-%d", s.n, i))
			if err := os.CopyFS(folder, os.DirFS(data)); err != nil { // the key is everybody's
				return 0, err
			}
		}
		h, err := openShop(folder, database)
		if err != nil {
			return 0, err
		}
		if endpoints[i], err = serveShop(ctx, h, over); err != nil {
			return 0, err
		}
		started++
	}
	requests := make([][]byte, len(s.dues))
	for i := range s.dues {
		if requests[i], err = signedPayment(&s.dues[i], endpoints[0]); err != nil {
			return 0, err
		}
	}
	conns := make(chan net.Conn, hands)
	for i := range hands {
		conn, err := net.Dial("tcp", strings.TrimPrefix(endpoints[i%nodes], "http://"))
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		conns <- conn
	}
	pay := func(i int) error {
		conn := <-conns
		defer func() { conns <- conn }()
		if _, err := conn.Write(requests[i]); err != nil {
			return err
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && answer.StatusCode != http.StatusNoContent {
			text := make([]byte, 500)
			n, _ := answer.Body.Read(text)
			err = fmt.Errorf("%s: %s", answer.Status, text[:n])
		}
		return err
	}
	if err := parallel(warms, hands, pay); err != nil {
		return 0, err
	}
	began := time.Now()
	err = parallel(len(requests)-warms, hands, func(i int) error { return pay(warms + i) })
	return time.Since(began), err
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
