package cli

import (
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// queueFlags are the settings of the queue before usage.
func (d *desk) queueFlags(f *pflag.FlagSet) {
	f.StringVar(&d.config.Queue.URL, "nats", "", "`URL` of a NATS cluster with JetStream that reported usage waits in, nats://USER:PASSWORD@HOST:PORT, several with commas (see docs/operator.md)")
	f.StringVar(&d.config.Queue.Listen, "cluster", "", "`address` of this node, HOST:PORT as its peers reach it: usage waits in a queue that the nodes keep together")
	f.Func("cluster-peers", "`addresses` of all nodes of the cluster, with commas", func(text string) error {
		d.config.Queue.Peers = strings.Split(text, ",")
		return nil
	})
	f.Func("queue-replicas", "`number` of servers that keep what waits, before it is acknowledged: 1, 3 or 5 (default 3; 1 in a cluster of fewer nodes)", func(text string) (err error) {
		if d.config.Queue.Replicas, err = strconv.Atoi(text); err == nil && d.config.Queue.Replicas != 1 && d.config.Queue.Replicas != 3 && d.config.Queue.Replicas != 5 {
			err = errors.New("must be 1, 3 or 5")
		}
		return err
	})
}
