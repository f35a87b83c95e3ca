package doorway

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestReplicaMetrics(t *testing.T) {
	var wrong error
	reg := prometheus.NewRegistry()
	reg.MustRegister(ReplicaMetrics(func(context.Context) (time.Duration, error) { return 1500 * time.Millisecond, wrong }, func() (old, primary int64) { return 7, 2 }))
	gathered := func() string {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, f := range families {
			b.WriteString(f.String() + "\n")
		}
		return b.String()
	}
	for _, want := range []string{"purser_replica_lag_seconds", "value:1.5", "purser_replica_reads_total", "value:7", "value:2"} {
		if text := gathered(); !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	wrong = errors.New("it never answered")
	if text := gathered(); strings.Contains(text, "lag_seconds") {
		t.Errorf("a lag that is not known: %s", text)
	}
}
