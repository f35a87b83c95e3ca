package doorway

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Queue is what numbers are made of.
type Queue interface {
	Messages(ctx context.Context) map[int]uint64 // of those partitions that answer
	Leads() (cluster, partitions, consumers int)
}

// QueueMetrics tell how much waits in each of a queue's partitions, which of them answer, and what of the cluster's this node leads, asked when they are.
func QueueMetrics(of Queue, partitions int) prometheus.Collector {
	return &queueMetrics{
		of, partitions, prometheus.NewDesc("purser_queue_messages", "Messages of usage that wait in the queue; of partitions that answer.", []string{"partition"}, nil),
		prometheus.NewDesc("purser_queue_answers", "1 when a partition of the queue answers this node, else 0.", []string{"partition"}, nil),
		prometheus.NewDesc("purser_queue_leads", "What of the queue's cluster the server inside this node leads.", []string{"of"}, nil),
	}
}

type queueMetrics struct {
	of                       Queue
	partitions               int
	messages, answers, leads *prometheus.Desc
}

// Describe names the metrics.
func (m *queueMetrics) Describe(to chan<- *prometheus.Desc) {
	to <- m.messages
	to <- m.answers
	to <- m.leads
}

// Collect asks the queue; one that does not answer soon has no count of messages.
func (m *queueMetrics) Collect(to chan<- prometheus.Metric) {
	cluster, partitions, consumers := m.of.Leads()
	for of, n := range map[string]int{"cluster": cluster, "partitions": partitions, "consumers": consumers} {
		to <- prometheus.MustNewConstMetric(m.leads, prometheus.GaugeValue, float64(n), of)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	list := m.of.Messages(ctx)
	for p := range m.partitions {
		n, answers := list[p]
		if answers {
			to <- prometheus.MustNewConstMetric(m.messages, prometheus.GaugeValue, float64(n), strconv.Itoa(p))
		}
		to <- prometheus.MustNewConstMetric(m.answers, prometheus.GaugeValue, one(answers), strconv.Itoa(p))
	}
}

func one(so bool) float64 {
	if so {
		return 1
	}
	return 0
}
