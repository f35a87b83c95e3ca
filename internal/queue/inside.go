package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startWait is how long the server inside may take to open what it has on disk.
const startWait = 30 * time.Second

const insideUser = "purser"

// startInside starts a server that forms the cluster with its peers. Only this process is its client.
func startInside(c *Config) (*server.Server, error) {
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
		o.Cluster = server.ClusterOpts{Name: "purser", Host: host, Port: port, Username: insideUser, Password: c.Secret}
		for _, peer := range append(others, c.Listen) { // all of them: the first start of a cluster waits for more than half
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", User: url.UserPassword(insideUser, c.Secret), Host: peer})
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	s.SetLoggerV2(teller{c.Log}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(startWait) {
		s.Shutdown()
		return nil, fmt.Errorf("queue: the server inside did not start within %s", startWait)
	}
	return s, nil
}

func (q *Queue) stopInside() {
	if q.inside != nil {
		q.inside.Shutdown()
		q.inside.WaitForShutdown()
	}
}

// serverName follows from a node's address, so that a node that comes again is the same.
func serverName(address string) string {
	sum := sha256.Sum256([]byte(address))
	return "purser-" + hex.EncodeToString(sum[:4])
}

func without(list []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == one })
}

// teller brings the server's words into our log; what it calls an error is mostly a peer that is not there.
type teller struct{ log *slog.Logger }

func (t teller) Noticef(format string, v ...any) { t.log.Debug("queue: " + fmt.Sprintf(format, v...)) }
func (t teller) Warnf(format string, v ...any)   { t.log.Info("queue: " + fmt.Sprintf(format, v...)) }
func (t teller) Fatalf(format string, v ...any)  { t.log.Error("queue: " + fmt.Sprintf(format, v...)) }
func (t teller) Errorf(format string, v ...any)  { t.log.Warn("queue: " + fmt.Sprintf(format, v...)) }
func (t teller) Debugf(format string, v ...any)  {}
func (t teller) Tracef(format string, v ...any)  {}
