package doorway

import (
	"context"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

type someQueue map[int]uint64

func (q someQueue) Messages(context.Context) map[int]uint64 { return q }
func (q someQueue) Leads() (cluster, partitions, consumers int) {
	return 1, 3, 2
}

// A partition that does not answer has no number of messages, not none, and is told of by a number of its own.
func TestQueueMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(QueueMetrics(someQueue{0: 0, 2: 7}, 3))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			got[strings.TrimPrefix(f.GetName(), "purser_queue_")+" "+m.Label[0].GetValue()] = m.Gauge.GetValue()
		}
	}
	want := map[string]float64{"messages 0": 0, "messages 2": 7, "answers 0": 1, "answers 1": 0, "answers 2": 1, "leads cluster": 1, "leads partitions": 3, "leads consumers": 2}
	for name, n := range want {
		if have, there := got[name]; !there || have != n {
			t.Errorf("%s: %v, want %v", name, have, n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
}
