package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/purser-cloud/purser/internal/queue"
)

// queueFlags are the settings of the queue before usage.
func (d *desk) queueFlags(f *pflag.FlagSet) {
	f.StringVar(&d.config.Queue.URL, "nats", "", "`URL` of a NATS cluster with JetStream that reported usage waits in, nats://USER:PASSWORD@HOST:PORT, several with commas (see docs/operator.md)")
	f.StringVar(&d.config.Queue.Listen, "cluster", "", "`address` of this node, HOST:PORT as its peers reach it: usage waits in a queue that the nodes keep together")
	f.Func("cluster-peers", "`addresses` of all nodes of the cluster, this one too, with commas", func(text string) error {
		if d.config.Queue.Peers = strings.Split(text, ","); text == "" { // an empty setting is none
			d.config.Queue.Peers = nil
		}
		return nil
	})
	f.Func("queue-replicas", "`number` of servers that keep what waits, before it is acknowledged: 1, 3 or 5 (default 3; 1 in a cluster of fewer nodes)", func(text string) (err error) {
		if d.config.Queue.Replicas, err = strconv.Atoi(text); err == nil && d.config.Queue.Replicas != 1 && d.config.Queue.Replicas != 3 && d.config.Queue.Replicas != 5 {
			err = errors.New("must be 1, 3 or 5")
		}
		return err
	})
}

// checkQueue holds the settings of the queue against each other: a cluster that is half set up would start, and keep nothing safe.
func checkQueue(c *queue.Config) error {
	wrong := func(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }
	switch {
	case c.URL != "" && c.Listen != "":
		return wrong("--nats and --cluster: usage waits in an outside cluster or in one of the nodes' own, not in both")
	case c.Listen == "" && len(c.Peers) > 0:
		return wrong("--cluster-peers needs --cluster: which of %s is this node?", strings.Join(c.Peers, ", "))
	case c.Listen == "" && c.URL == "" && c.Replicas != 0:
		return wrong("--queue-replicas needs a queue: --cluster or --nats")
	case c.Listen == "":
		return nil
	case len(c.Peers) == 0:
		return wrong("--cluster needs --cluster-peers: the addresses of all nodes, this one too (of a node alone: --cluster-peers %s)", c.Listen)
	case !slices.Contains(c.Peers, c.Listen):
		return wrong("--cluster %s is not among --cluster-peers %s: name all nodes, this one too, by the same addresses on each", c.Listen, strings.Join(c.Peers, ","))
	case c.Replicas > len(c.Peers):
		return wrong("--queue-replicas %d needs as many nodes; --cluster-peers names %d", c.Replicas, len(c.Peers))
	}
	for i, peer := range c.Peers {
		host, text, err := net.SplitHostPort(peer)
		port, bad := strconv.Atoi(text)
		if err = cmp.Or(err, bad); err != nil || host == "" || port < 0 || port > 65535 || port == 0 && len(c.Peers) > 1 {
			return wrong("--cluster-peers: %q is not HOST:PORT", peer)
		}
		if slices.Contains(c.Peers[:i], peer) {
			return wrong("--cluster-peers names %s twice", peer)
		}
	}
	return nil
}
