package doorway

import (
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/operation"
)

// Limits bounds how often one user may call one operation.
type Limits struct {
	perSec   int  // 0: no bound
	provider bool // the contract's own limits instead
	mu       sync.Mutex
	buckets  map[bucket]*rate.Limiter
}

type bucket struct{ operation, who string }

// bucketsMost bounds the memory that callers can make us keep.
const bucketsMost = 100_000

// Limit settings that are words.
const (
	LimitsGenerous = "generous" // 1,000 a second for each operation and user
	LimitsProvider = "provider" // as the provider: 10 a second, order list and details 20
	LimitsOff      = "off"
)

// NewLimits reads the setting: generous, provider, off, or a number of requests a second.
func NewLimits(setting string) (*Limits, error) {
	l := &Limits{buckets: map[bucket]*rate.Limiter{}}
	switch setting {
	case "", LimitsGenerous:
		l.perSec = 1000
	case LimitsProvider:
		l.provider = true
	case LimitsOff:
	default:
		n, err := strconv.Atoi(setting)
		if err != nil || n < 1 || n > math.MaxInt32 {
			return nil, fmt.Errorf("limits %q: want generous, provider, off or a number of requests a second", setting)
		}
		l.perSec = n
	}
	return l, nil
}

// take counts one request; over the limit it is refused with the second after which a retry makes sense.
func (l *Limits) take(call *operation.Call, now time.Time) error {
	most := l.perSec
	if l.provider {
		most = max(call.Operation.PerSec, 1)
		if call.Operation.PerSec == 0 {
			most = 10
		}
	}
	if most == 0 {
		return nil
	}
	who := call.Caller.UserID
	if who == "" {
		who = call.Source
	}
	key := bucket{call.Operation.ID, who}
	l.mu.Lock()
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= bucketsMost {
			clear(l.buckets)
		}
		b = rate.NewLimiter(rate.Limit(most), most)
		l.buckets[key] = b
	}
	l.mu.Unlock()
	if b.AllowN(now, 1) {
		return nil
	}
	f := fault.New(fault.TooMany, "APIG.0308", "The throttling threshold has been reached: policy user over ratelimit,limit:%d,time:1 second", most)
	f.Retry = 1
	return f
}
