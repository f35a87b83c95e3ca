package db

import (
	"context"
	"sync"
)

// lanes let transactions about the same thing follow one another within this process, before they begin: on an
// engine that finds conflicts only afterwards, those who wait are many times faster than those who lose and come
// again. Other processes are not waited for; their conflicts are retried.
type lanes struct {
	mu    sync.Mutex
	taken map[string]*lane
}

type lane struct {
	turn chan struct{} // holds one token while somebody drives
	cars int           // driving and waiting
}

// enter waits for the lane; leave it afterwards.
func (l *lanes) enter(ctx context.Context, key string) error {
	l.mu.Lock()
	if l.taken == nil {
		l.taken = map[string]*lane{}
	}
	one := l.taken[key]
	if one == nil {
		one = &lane{turn: make(chan struct{}, 1)}
		l.taken[key] = one
	}
	one.cars++
	l.mu.Unlock()
	select {
	case one.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		l.gone(key, one)
		return ctx.Err()
	}
}

func (l *lanes) leave(key string) {
	l.mu.Lock()
	one := l.taken[key]
	l.mu.Unlock()
	<-one.turn
	l.gone(key, one)
}

func (l *lanes) gone(key string, one *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.cars--; one.cars == 0 {
		delete(l.taken, key)
	}
}
