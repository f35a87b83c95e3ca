package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/purser-cloud/purser/test/simulation"
)

// The life bench: a simulated year of 20 customers as `make simulate` runs them: they buy servers and disks for months and years, renew
// them, change them, give them back; each is metered once a day; transactions crash and answers are lost; every day all invariants
// are looked at. On one core: what counts is the time of the processor, whatever else runs on the machine, the best of three.
const (
	livesOf  = 20 // customers
	liveDays = 365
	liveBar  = 5 * time.Second
)

func benchLife(dir string) ([]line, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var lived *simulation.Report
	var used, took time.Duration
	for turn := range 3 {
		before, err := cpu(os.Getpid())
		if err != nil {
			return nil, err
		}
		began := time.Now()
		if lived, err = simulation.Run(context.Background(), simulation.Plan{
			Seed: 1, Customers: livesOf, Days: liveDays, Faults: true, Yearly: true, Busy: simulation.Busy, Data: filepath.Join(dir, fmt.Sprint(turn)),
		}); err != nil {
			return nil, err
		}
		after, err := cpu(os.Getpid())
		if err != nil {
			return nil, err
		}
		took, used = least(took, time.Since(began)), least(used, after-before)
	}
	what := fmt.Sprintf("a simulated year of %d customers on one core: %d deeds, %d records of usage", livesOf, lived.Deeds, lived.Records)
	return []line{{what, used.Round(10 * time.Millisecond).String(), "-", "wall " + took.Round(10*time.Millisecond).String(), liveBar.String(), used < liveBar}}, nil
}

// runLife measures the simulated year alone.
func runLife() error {
	dir, err := os.MkdirTemp("", "purser-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lines, err := benchLife(dir)
	if err != nil {
		return err
	}
	return report(lines)
}
