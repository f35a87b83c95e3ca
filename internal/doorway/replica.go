package doorway

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ReplicaMetrics tell how old a read from the replica would be and how many reads it has answered, asked when they are.
func ReplicaMetrics(lag func(ctx context.Context) (time.Duration, error), reads func() (old, primary int64)) prometheus.Collector {
	return &replicaMetrics{
		lag, reads,
		prometheus.NewDesc("purser_replica_lag_seconds", "How old what is read from the replica is at most; grows while it does not answer, missing until it has.", nil, nil),
		prometheus.NewDesc("purser_replica_reads_total", "Reads that may be a little old, by who answered.", []string{"from"}, nil),
	}
}

type replicaMetrics struct {
	lag   func(ctx context.Context) (time.Duration, error)
	reads func() (old, primary int64)
	aged  *prometheus.Desc
	count *prometheus.Desc
}

// Describe names the metrics.
func (m *replicaMetrics) Describe(to chan<- *prometheus.Desc) { to <- m.aged; to <- m.count }

// Collect asks the replica.
func (m *replicaMetrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if lag, err := m.lag(ctx); err == nil {
		to <- prometheus.MustNewConstMetric(m.aged, prometheus.GaugeValue, lag.Seconds())
	}
	old, primary := m.reads()
	to <- prometheus.MustNewConstMetric(m.count, prometheus.CounterValue, float64(old), "replica")
	to <- prometheus.MustNewConstMetric(m.count, prometheus.CounterValue, float64(primary), "primary")
}
