package usage

import (
	"context"
	"sync"

	"github.com/purser-cloud/purser/internal/db"
)

// Meters remembers meters, which never change. The zero Meters is ready.
type Meters struct {
	mu    sync.RWMutex
	known map[meterKey]*Meter
}

type meterKey struct {
	customer string
	no       int64
}

// metersMost bounds the memory; beyond it the memory begins anew.
const metersMost = 200_000

// Of finds meters of a customer by their numbers.
func (m *Meters) Of(ctx context.Context, r db.Reader, customer string, numbers []int64) (map[int64]*Meter, error) {
	out := make(map[int64]*Meter, len(numbers))
	var missing []int64
	m.mu.RLock()
	for _, no := range numbers {
		if one := m.known[meterKey{customer, no}]; one != nil {
			out[no] = one
		} else {
			missing = append(missing, no)
		}
	}
	m.mu.RUnlock()
	if len(missing) == 0 {
		return out, nil
	}
	read, err := MetersOf(ctx, r, customer, missing)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known)+len(read) > metersMost {
		m.known = map[meterKey]*Meter{}
	}
	for no, one := range read {
		out[no] = one
		m.known[meterKey{customer, no}] = one
	}
	return out, nil
}
