package doorway

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts requests. Labels are operations of the contracts and statuses only, so their number is bounded.
type Metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	mu       sync.RWMutex
	counters map[counterKey]prometheus.Counter
	timers   map[string]prometheus.Observer
}

type counterKey struct {
	operation string
	status    int
}

// NewMetrics registers the request metrics.
func NewMetrics(on prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "purser_requests_total", Help: "Requests answered, by operation and HTTP status."}, []string{"operation", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "purser_request_seconds", Help: "Time from the first byte read to the answer sent.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"operation"}),
		counters: map[counterKey]prometheus.Counter{}, timers: map[string]prometheus.Observer{},
	}
	on.MustRegister(m.requests, m.seconds)
	return m
}

func (m *Metrics) prepare(_, operation string) {
	m.timers[operation] = m.seconds.WithLabelValues(operation)
}

func (m *Metrics) count(v *visit, took time.Duration) {
	if m == nil {
		return
	}
	name := v.name()
	if name == "" {
		name = "unknown"
	}
	key := counterKey{name, v.status}
	m.mu.RLock()
	c := m.counters[key]
	m.mu.RUnlock()
	if c == nil {
		c = m.requests.WithLabelValues(name, strconv.Itoa(v.status))
		m.mu.Lock()
		m.counters[key] = c
		m.mu.Unlock()
	}
	c.Inc()
	if timer := m.timers[name]; timer != nil {
		timer.Observe(took.Seconds())
	}
}
