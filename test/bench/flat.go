package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/purser-cloud/purser/client"
)

// The flat bench: a server of its own takes usage in and settles it, first few records, then ten times as many; its memory
// and what a record costs must stay the same. BENCH=long goes from a million to ten.

// load is one run: how long a record took in all, and of the server's processor time; and the most memory that it ever had.
type load struct {
	each, worked time.Duration
	most         int64
}

func benchFlat(purser, dir string) ([]line, error) {
	few, many := 100, 1_000 // batches of 1,000
	if os.Getenv("BENCH") == "long" {
		few, many = 1_000, 10_000
	}
	small, err := runLoad(purser, filepath.Join(dir, "few"), few)
	if err != nil {
		return nil, fmt.Errorf("%d batches: %w", few, err)
	}
	large, err := runLoad(purser, filepath.Join(dir, "many"), many)
	if err != nil {
		return nil, fmt.Errorf("%d batches: %w", many, err)
	}
	ratio := func(what, ours, peer string, r float64) line {
		return line{what, ours, peer, fmt.Sprintf("%.2f×", r), "1.3×", r <= 1.3}
	}
	of := func(what string) string {
		return fmt.Sprintf("%s, %d records against %d", what, many*batchSize, few*batchSize)
	}
	return []line{
		ratio(of("SQLite: most memory"), fmt.Sprintf("%d MiB", large.most>>20), fmt.Sprintf("%d MiB", small.most>>20), float64(large.most)/float64(small.most)),
		ratio(of("SQLite: a record accepted and settled"), large.each.String(), small.each.String(), large.each.Seconds()/small.each.Seconds()),
		ratio(of("SQLite: processor time of a record accepted and settled"), large.worked.String(), small.worked.String(), large.worked.Seconds()/small.worked.Seconds()),
	}, nil
}

func runFlat(purser string) error {
	dir, err := os.MkdirTemp("", "purser-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lines, err := benchFlat(purser, dir)
	if err != nil {
		return err
	}
	return report(lines)
}

func runLoad(purser, dir string, batches int) (out load, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return out, err
	}
	p, d, err := startPurser(purser, dir, "--test-clock", "--log-level", "warn")
	if err != nil {
		return out, err
	}
	defer stop(p)
	idle, err := cpu(p.Process.Pid)
	if err != nil {
		return out, err
	}
	customers := make([]string, len(d.Customers))
	for i, c := range d.Customers {
		customers[i] = c.DomainID
	}
	from := time.Now().Truncate(time.Hour).Add(time.Hour)
	began := time.Now()
	err = parallel(batches, senders, func(i int) error {
		var said struct{ Accepted int }
		err := ask(&d, http.MethodPost, "/purser/v1/usage-records", batchOf(i, customers, from), &said)
		if err == nil && said.Accepted != batchSize {
			err = fmt.Errorf("%d accepted", said.Accepted)
		}
		return err
	})
	if err != nil {
		return out, err
	}
	hours := (batches + meteredCustomers - 1) / meteredCustomers
	var job struct {
		ID    string `json:"job_id"`
		State string
	}
	to := from.Add(time.Duration(hours+1) * time.Hour).UTC().Format(time.RFC3339)
	err = ask(&d, http.MethodPut, "/purser/v1/clocks", fmt.Appendf(nil, `{"time":%q}`, to), &job)
	for err == nil && job.State == "running" {
		time.Sleep(200 * time.Millisecond)
		err = ask(&d, http.MethodGet, "/purser/v1/jobs/"+job.ID, nil, &job)
	}
	if err != nil {
		return out, err
	}
	busy, err := cpu(p.Process.Pid)
	if err != nil {
		return out, err
	}
	each := func(d time.Duration) time.Duration {
		return (d / time.Duration(batches*batchSize)).Round(10 * time.Nanosecond)
	}
	out.each, out.worked = each(time.Since(began)), each(busy-idle)
	out.most, err = most(p.Process.Pid)
	return out, err
}

// batchOf is the n-th batch: an hour of 1,000 servers; batches go round among 50,000 servers of some customers.
func batchOf(n int, customers []string, start time.Time) []byte {
	group, hour := n%meteredCustomers, n/meteredCustomers
	from := start.Add(time.Duration(hour) * time.Hour).UTC()
	customer := customers[group%len(customers)]
	var b bytes.Buffer
	b.WriteByte('[')
	for i := range batchSize {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"source":"meter-%d","id":"%08x-%04x","customer_id":%q,"resource_id":"server-%04x%08x","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"ap-southeast-1","usage_factor":"Duration","usage_value":"3600","usage_measure_id":6,"start_time":%q,"end_time":%q}`,
			group, n, i, customer, group, i, from.Format(time.RFC3339), from.Add(time.Hour).Format(time.RFC3339))
	}
	b.WriteByte(']')
	return b.Bytes()
}

// ask asks the server as the operator.
func ask(d *demo, method, path string, body []byte, out any) error {
	r, err := http.NewRequest(method, d.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if err := (client.Credential{AccessKey: d.Operator.AccessKey, SecretKey: d.Operator.SecretKey, DomainID: d.Operator.DomainID}).Sign(r, time.Now()); err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(answer.Body)
	err = errors.Join(err, answer.Body.Close())
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %.300s", method, path, answer.Status, text)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}
