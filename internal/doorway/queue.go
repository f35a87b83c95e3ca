package doorway

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Queue is what numbers are made of.
type Queue interface {
	Messages(ctx context.Context) ([]uint64, error)
	Leads() (cluster, partitions, consumers int)
}

// QueueMetrics tell how much waits in each partition of a queue, and what of the cluster's this node leads, asked when they are.
func QueueMetrics(of Queue) prometheus.Collector {
	return &queueMetrics{
		of, prometheus.NewDesc("purser_queue_messages", "Messages of usage that wait in the queue.", []string{"partition"}, nil),
		prometheus.NewDesc("purser_queue_leads", "What of the queue's cluster the server inside this node leads.", []string{"of"}, nil),
	}
}

type queueMetrics struct {
	of              Queue
	messages, leads *prometheus.Desc
}

// Describe names the metrics.
func (m *queueMetrics) Describe(to chan<- *prometheus.Desc) { to <- m.messages; to <- m.leads }

// Collect asks the queue; one that does not answer soon has no count of messages.
func (m *queueMetrics) Collect(to chan<- prometheus.Metric) {
	cluster, partitions, consumers := m.of.Leads()
	for of, n := range map[string]int{"cluster": cluster, "partitions": partitions, "consumers": consumers} {
		to <- prometheus.MustNewConstMetric(m.leads, prometheus.GaugeValue, float64(n), of)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	list, err := m.of.Messages(ctx)
	if err != nil {
		return
	}
	for p, n := range list {
		to <- prometheus.MustNewConstMetric(m.messages, prometheus.GaugeValue, float64(n), strconv.Itoa(p))
	}
}
