package house

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/queue"
)

// queueFolder is where the server inside keeps what waits, in the data folder.
const queueFolder = "queue"

// replicasWanted is how many servers keep each message where nothing else is said, and as many there are.
const replicasWanted = 3

// openQueue opens the queue before usage, when there is one: takeIn takes usage in until its context ends, closing comes last.
func (h *House) openQueue(metrics *prometheus.Registry) (takeIn func(context.Context), closing func(), err error) {
	c := h.config.Queue
	if c.URL == "" && c.Listen == "" {
		return func(context.Context) {}, func() {}, nil
	}
	if c.Replicas == 0 {
		if c.Replicas = replicasWanted; c.Listen != "" && len(c.Peers) < replicasWanted {
			c.Replicas = 1
		}
	}
	c.Log, c.Folder, c.Secret = h.log, filepath.Join(h.config.Data, queueFolder), cmp.Or(c.Secret, hex.EncodeToString(h.queueKey))
	q, err := queue.Open(c)
	if err != nil {
		return nil, nil, err
	}
	var random [8]byte
	if _, err := io.ReadFull(h.config.Random, random[:]); err != nil {
		q.Close()
		return nil, nil, fmt.Errorf("name of this node: %w", err)
	}
	node := cmp.Or(c.Listen, hex.EncodeToString(random[:]))
	metrics.MustRegister(doorway.QueueMetrics(q, queue.Partitions))
	h.Counter.Queue = q
	return func(ctx context.Context) { h.shift.TakeIn(ctx, q, node) }, q.Close, nil
}
