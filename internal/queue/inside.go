package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startWait is how long the server inside may take to open what it has on disk.
const startWait = 30 * time.Second

// A server that stopped for want of room is looked after this often, and needs so many bytes to start again.
const (
	roomEvery = 2 * time.Second
	roomLeast = 4 << 20
)

// A peer that is silent for pingEvery × (pingsOut + 1) is given up: until then messages for its partitions go to it and nowhere.
const (
	pingEvery = 2 * time.Second
	pingsOut  = 3
)

const insideUser = "purser"

// inside is a server that forms the cluster with its peers. Only this process is its client.
type inside struct {
	config Config
	ill    atomic.Bool // the disk took something not
	mu     sync.Mutex
	server *server.Server
}

// InProcessConn is how this process comes in.
func (i *inside) InProcessConn() (net.Conn, error) { return i.now().InProcessConn() }

func (i *inside) now() *server.Server {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.server
}

func (i *inside) start() error {
	i.ill.Store(false)
	s, err := startServer(&i.config, &i.ill)
	if err == nil {
		i.mu.Lock()
		i.server = s
		i.mu.Unlock()
	}
	return err
}

func (i *inside) stop() {
	s := i.now()
	s.Shutdown()
	s.WaitForShutdown()
}

// keep starts the server anew whose disk was full, once there is room again: by itself it goes on to refuse, or has given JetStream up.
func (i *inside) keep(ctx context.Context) {
	log := i.config.Log
	for stopped := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(roomEvery):
		}
		if !stopped {
			if stopped = i.ill.Load() || !i.now().JetStreamEnabled(); !stopped {
				continue
			}
			log.Error("the queue of this node has stopped: its disk is full, or cannot be written; it goes on when there is room")
			i.stop()
		}
		err := room(i.config.Folder)
		if err == nil {
			err = i.start()
		}
		if err != nil {
			log.Warn("the queue of this node cannot start again yet", "error", err)
			continue
		}
		stopped = false
		log.Warn("the queue of this node goes on")
	}
}

// room says whether a folder takes as much as a server needs to start.
func room(folder string) error {
	f, err := os.CreateTemp(folder, "room-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // the next start does not mind it
	_, err = f.Write(make([]byte, roomLeast))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func startServer(c *Config, ill *atomic.Bool) (*server.Server, error) {
	host, text, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("queue: address of this node: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("queue: address of this node: %w", err)
	}
	o := &server.Options{
		ServerName: serverName(c.Listen), JetStream: true, StoreDir: c.Folder, SyncAlways: true, NoSigs: true, NoLog: true,
		MaxPayload: 2 * bodyMost,
		Host:       "127.0.0.1", Port: server.RANDOM_PORT, Username: insideUser, Password: c.Secret, // routes want a client port; this process comes in without it
	}
	if c.Secret == "" {
		return nil, errors.New("queue: the server inside needs a secret")
	}
	if others := without(c.Peers, c.Listen); len(others) > 0 {
		o.Cluster = server.ClusterOpts{
			Name: "purser", Host: host, Port: port, Username: insideUser, Password: c.Secret,
			PingInterval: pingEvery, MaxPingsOut: pingsOut,
		}
		for _, peer := range append(others, c.Listen) { // all of them: the first start of a cluster waits for more than half
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", User: url.UserPassword(insideUser, c.Secret), Host: peer})
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	s.SetLoggerV2(teller{c.Log, ill, new(atomic.Bool)}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(startWait) {
		s.Shutdown()
		return nil, fmt.Errorf("queue: the server inside did not start within %s", startWait)
	}
	return s, nil
}

// lockName is the file in a server's folder that it holds.
const lockName = "lock"

// startInside starts the server in its folder, which no other server has meanwhile: two would write into one another's files.
func (q *Queue) startInside() (err error) {
	folder := q.config.Folder
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	switch q.folder, err = hold(filepath.Join(folder, lockName)); {
	case errors.Is(err, errHeld):
		return fmt.Errorf("queue: the folder %s is another running server's: stop that one, or give this node a data folder of its own", folder)
	case err != nil:
		return fmt.Errorf("queue: hold the folder: %w", err)
	}
	if err := q.inside.start(); err != nil {
		return errors.Join(err, q.folder.Close())
	}
	return nil
}

func (q *Queue) stopInside() {
	if q.inside != nil {
		q.inside.stop()
		q.folder.Close() //nolint:errcheck // nothing was written; the lock goes with it
	}
}

// errHeld says that another process, or another queue of this one, holds a file.
var errHeld = errors.New("queue: held")

// serverName follows from a node's address, so that a node that comes again is the same.
func serverName(address string) string {
	sum := sha256.Sum256([]byte(address))
	return "purser-" + hex.EncodeToString(sum[:4])
}

func without(list []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == one })
}

// teller brings the server's words into our log; what it calls an error is mostly a peer that is not there. It hears when the disk is
// full, which the server tells in no other way.
type teller struct {
	log    *slog.Logger
	ill    *atomic.Bool
	routes *atomic.Bool // a peer that is not there was told of a short while ago
}

// A peer that is not there is tried several times a second: it is told of now and then, and is no reason to warn.
const (
	routeError = "Error trying to connect to route"
	routeEvery = 30 * time.Second
)

func (t teller) Noticef(format string, v ...any) { t.log.Debug("queue: " + fmt.Sprintf(format, v...)) }
func (t teller) Warnf(format string, v ...any)   { t.log.Info(t.heard(format, v)) }
func (t teller) Fatalf(format string, v ...any)  { t.log.Error(t.heard(format, v)) }
func (t teller) Errorf(format string, v ...any) {
	if !strings.HasPrefix(format, routeError) {
		t.log.Warn(t.heard(format, v))
		return
	}
	if t.routes.CompareAndSwap(false, true) {
		time.AfterFunc(routeEvery, func() { t.routes.Store(false) })
		t.log.Info("queue: a peer is not reached, and tried again: " + fmt.Sprintf(format, v...))
	}
}
func (t teller) Debugf(format string, v ...any) {}
func (t teller) Tracef(format string, v ...any) {}

// diskErrors are the system's words for a disk that takes nothing.
var diskErrors = []string{syscall.ENOSPC.Error(), syscall.EDQUOT.Error(), syscall.EROFS.Error(), syscall.EIO.Error()}

func (t teller) heard(format string, v []any) string {
	text := "queue: " + fmt.Sprintf(format, v...)
	if slices.ContainsFunc(diskErrors, func(s string) bool { return strings.Contains(text, s) }) {
		t.ill.Store(true)
	}
	return text
}
