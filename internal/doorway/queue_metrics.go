package doorway

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/purser-cloud/purser/internal/queue"
)

// queueMetrics tell how much usage waits in the queue, asked when they are.
type queueMetrics struct {
	queue *queue.Queue
	desc  *prometheus.Desc
}

// ShowQueue shows how many messages of usage wait in each partition of the queue.
func ShowQueue(on prometheus.Registerer, q *queue.Queue) {
	on.MustRegister(&queueMetrics{q, prometheus.NewDesc("purser_queue_messages", "Messages of usage that wait in the queue.", []string{"partition"}, nil)})
}

// Describe names the metric.
func (m *queueMetrics) Describe(to chan<- *prometheus.Desc) { to <- m.desc }

// Collect asks the queue; one that does not answer soon has no metric.
func (m *queueMetrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	list, err := m.queue.Waiting(ctx)
	if err != nil {
		return
	}
	for p, n := range list {
		to <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, float64(n), strconv.Itoa(p))
	}
}
