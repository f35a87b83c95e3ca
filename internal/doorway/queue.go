package doorway

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// QueueMetrics tell how much waits in each partition of a queue, asked when they are.
func QueueMetrics(waiting func(ctx context.Context) ([]uint64, error)) prometheus.Collector {
	return &queueMetrics{waiting, prometheus.NewDesc("purser_queue_messages", "Messages of usage that wait in the queue.", []string{"partition"}, nil)}
}

type queueMetrics struct {
	waiting func(ctx context.Context) ([]uint64, error)
	desc    *prometheus.Desc
}

// Describe names the metric.
func (m *queueMetrics) Describe(to chan<- *prometheus.Desc) { to <- m.desc }

// Collect asks the queue; one that does not answer soon has no metric.
func (m *queueMetrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	list, err := m.waiting(ctx)
	if err != nil {
		return
	}
	for p, n := range list {
		to <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, float64(n), strconv.Itoa(p))
	}
}
