// Package house is the wiring: from the configuration to an open store, the rooms, the doors and a running server;
// it starts, drains and stops them. It is where real time and randomness come from.
//
// It owns no rule of the business. Exit is clean: what was accepted is answered, then the store is closed.
package house

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/bssapi"
	"github.com/purser-cloud/purser/internal/bucket"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/clock"
	"github.com/purser-cloud/purser/internal/courier"
	"github.com/purser-cloud/purser/internal/ctsapi"
	"github.com/purser-cloud/purser/internal/cycle"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/epsapi"
	"github.com/purser-cloud/purser/internal/iamapi"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/project"
	"github.com/purser-cloud/purser/internal/provider"
	"github.com/purser-cloud/purser/internal/purserapi"
	"github.com/purser-cloud/purser/internal/queue"
	"github.com/purser-cloud/purser/internal/schema"
	"github.com/purser-cloud/purser/internal/settlement"
	"github.com/purser-cloud/purser/internal/trace"
	"github.com/purser-cloud/purser/internal/usage"
)

// Config is everything that can be set; the zero value of a field is its default.
type Config struct {
	Version   string
	Data      string // folder of the store, the key file, demo.json
	Database  string // postgres://…; empty: SQLite in the data folder
	Replica   string // postgres://… of a standby that is read from where an answer may be a little old; empty: none
	Key       string // 32 bytes, base64 or hex, that seal secrets; empty: the key file in the data folder
	Listen    string
	TLSListen string
	TLSCert   string
	TLSKey    string
	Demo      bool
	TestClock bool             // let the operator turn the clock
	Webhooks  []netip.Prefix   // inside addresses that webhooks may lead to; with Demo the machine itself too
	Orders    order.Rules      // zero: the standard ones
	Settling  settlement.Rules // zero: the standard ones
	Projects  project.Rules    // of enterprise projects; zero: the standard ones
	Bills     bill.Rounding    // empty: truncate
	BillsLate bool             // bills and costs are shown as late as the provider shows them
	PayWithin int              // days from the date of an invoice of a month that is owed; zero: payWithin; below zero: it names no day
	Font      []byte           // TrueType, prints on invoices what the shipped font lacks; nil: none
	Sandbox   bool             // take payments through the sandbox, as Demo does too
	NoPortal  bool             // serve the API without the pages
	Limits    string           // generous, provider, off or a number
	Notice    time.Duration    // how long a stop says that it is not ready and still takes requests, so that a balancer sees it
	Drain     time.Duration    // how long a stop waits for requests under way
	Log       *slog.Logger

	ReplicaLag time.Duration // how old an answer may be; zero: replicaLag

	Proxies      []netip.Prefix // in front of the house: they are believed about where a request comes from
	HomeRegion   string         // whose projects hold the traces of global services; empty: ap-southeast-1
	TraceStore   string         // where trace files are written: a folder or s3+https://HOST/BUCKET; empty: nowhere, with Demo in Data
	StoreKeys    bucket.Keys    // of an S3 service
	TraceEvery   time.Duration  // how often trackers write their files
	TraceKeep    time.Duration  // how long files and digests are kept; zero: for ever
	ExportTo     string         // where everybody's bills are exported each day: as TraceStore
	ExportFiles  []string       // of cycle.PushFiles; empty: the first
	ArchiveAfter int            // months of usage that stay on PostgreSQL; 0: all
	ArchiveTo    string         // where the others are written: as TraceStore
	ArchiveDrop  bool           // and then dropped
	AnyKey       bool           // secrets are not needed: any sealing key will do

	BusinessUnit bool // the API reference's resource type for the enabling of enterprise projects, not the guide's

	Queue queue.Config // where reported usage waits; without an address: nowhere

	// For simulations.
	Clock     func() time.Time // nil: real time
	Random    io.Reader        // nil: the machine's
	Simulated bool             // one thing after the other, so that a run can be repeated; the file store is not synced
	Store     *db.DB           // open, with its schema, of the house before this one; it stays open. nil: it is opened, and closed with the house
}

// homeRegion is where global services are at home on the international site.
const homeRegion = "ap-southeast-1"

// payWithin is in how many days an invoice of a month that is owed is to be paid where nothing is said: the days of grace of arrears.
const payWithin = 15

// replicaLag is how old an answer from a replica may be where nothing is said.
const replicaLag = 10 * time.Second

// Names in the data folder.
const (
	storeFile = "purser.db"
	keyFile   = "purser.key"
	demoFile  = "demo.json"

	// TestClockFile says that a server was started for test clocks on this folder.
	TestClockFile = "test-clock"
)

// House is an open store with its rooms and counter.
type House struct {
	Counter   *operation.Counter
	config    Config
	db        *db.DB
	log       *slog.Logger
	shift     *cycle.Shift
	courier   *courier.Courier
	push      *cycle.Push // nil: no daily export
	draining  atomic.Bool
	portalKey []byte
	queueKey  []byte // that nodes know each other by
}

// Open opens the store, brings its schema up to date and furnishes the rooms. Close it.
func Open(ctx context.Context, c Config) (*House, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Data == "" {
		return nil, errors.New("a data folder is needed: --data DIR")
	}
	_, absent := os.Stat(c.Data)
	if !c.AnyKey || c.Database == "" { // who only looks at a database leaves no folder behind
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make the data folder: %w", err)
		}
	}
	_, missing := os.Stat(filepath.Join(c.Data, keyFile))
	if c.AnyKey && c.Key == "" && errors.Is(missing, fs.ErrNotExist) { // a file of it would be taken for the store's key
		any := make([]byte, 32)
		if _, err := io.ReadFull(c.Random, any); err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
		c.Key = fmt.Sprintf("%x", any)
	}
	key, err := identity.LoadKey(c.Key, filepath.Join(c.Data, keyFile), c.Random)
	if err != nil {
		return nil, err
	}
	pagesKey, err := portalKey(key)
	if err != nil {
		return nil, err
	}
	queueKey, err := identity.SubKey(key, "purser: nodes of the queue")
	if err != nil {
		return nil, err
	}
	sealer, err := identity.NewSealer(key, c.Random)
	if err != nil {
		return nil, err
	}
	store := c.Store
	if store == nil {
		if store, err = openStore(ctx, &c); err != nil {
			return nil, err
		}
	}
	counter := &operation.Counter{
		DB: store, Clock: c.Clock, Random: c.Random, Log: c.Log,
		Identity: identity.NewDesk(sealer, c.Random), Catalogue: &catalog.Shelf{}, Discounts: &discount.Book{}, InvoiceFont: c.Font,
		Pulse: operation.NewPulse(), Version: c.Version, Started: c.Clock(),
	}
	if !c.AnyKey {
		if err := counter.CheckKey(ctx, c.Clock()); err != nil {
			if errors.Is(missing, fs.ErrNotExist) && c.Key == "" { // it was made just now, for nothing
				path := filepath.Join(c.Data, keyFile)
				err = errors.Join(fmt.Errorf("there is no key: PURSER_KEY is not set and there is no %s; it needs to be the key that sealed the secrets of this store", path), os.Remove(path))
				if errors.Is(absent, fs.ErrNotExist) {
					os.Remove(c.Data) //nolint:errcheck // it stays where something else is in it by now
				}
			}
			if c.Store == nil {
				err = errors.Join(err, store.Close())
			}
			return nil, err
		}
	}
	counter.Traces, counter.Homes, counter.Signing, counter.HomeRegion = &trace.Book{}, &operation.Homes{}, &operation.Signing{}, cmp.Or(c.HomeRegion, homeRegion)
	counter.Carrying = operation.TraceRules{Every: c.TraceEvery, Keep: c.TraceKeep}
	if c.BusinessUnit {
		counter.EventTypes = map[string]string{"CreateEnterpriseProjectAuth": "businessUnit"}
	}
	if c.TraceStore == "" && c.Demo {
		c.TraceStore = filepath.Join(c.Data, "trace-files")
	}
	if c.TraceStore != "" {
		if counter.Objects, err = bucket.Open(c.TraceStore, c.StoreKeys, c.Clock); err != nil {
			return nil, errors.Join(err, store.Close())
		}
	}
	if c.Orders.Life == 0 {
		c.Orders = order.StandardRules()
	}
	counter.Orders = &order.Desk{
		Random: c.Random, Currency: money.USD, Catalogue: counter.Catalogue, Discounts: counter.Discounts, Rules: c.Orders, Tell: counter.TellOrder,
		Charged: counter.InvoiceOrder,
	}
	counter.Usage, counter.Accepting = &usage.Intake{}, make(chan struct{}, operation.BatchesAtOnce)
	if c.Settling.Oldest == 0 {
		c.Settling = settlement.StandardRules()
	}
	if err := archive(&c, counter); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if c.Projects.Most == 0 {
		c.Projects.Most = project.StandardRules().Most
	}
	counter.EP = c.Projects
	if c.Bills == "" {
		c.Bills = bill.Truncate
	}
	counter.Bills, counter.BillsLate = &bill.Desk{Currency: money.USD, Rounding: c.Bills}, c.BillsLate
	counter.InvoiceDue = cmp.Or(c.PayWithin, payWithin)
	counter.Settling = &settlement.Desk{Catalogue: counter.Catalogue, Discounts: counter.Discounts, Rules: c.Settling}
	if c.TestClock {
		counter.Clocks = &clock.Wall{}
		if err := os.WriteFile(filepath.Join(c.Data, TestClockFile), nil, 0o600); err != nil {
			return nil, errors.Join(fmt.Errorf("mark the data folder: %w", err), store.Close())
		}
	}
	if c.Sandbox || c.Demo {
		secret, err := identity.SubKey(key, "purser: callbacks of the sandbox payment provider")
		if err != nil {
			return nil, errors.Join(err, store.Close())
		}
		counter.Providers = map[string]provider.Provider{provider.SandboxName: provider.NewSandbox(secret)}
	}
	shift := cycle.New(counter, c.Clock, c.Log)
	if c.Simulated {
		shift.AtOnce = 1
	}
	h := &House{portalKey: pagesKey, queueKey: queueKey, config: c, db: store, log: c.Log, Counter: counter, shift: shift, courier: courier.New(counter, c.Clock, c.Log, c.webhookRanges())}
	if err := h.openPush(); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return h, nil
}

// openStore opens the store and brings its schema up to date.
func openStore(ctx context.Context, c *Config) (*db.DB, error) {
	address, open := c.Database, db.Open
	if address == "" {
		address = filepath.Join(c.Data, storeFile)
		if c.Simulated {
			open = db.OpenUnsynced
		}
	}
	store, err := open(ctx, address)
	if err != nil {
		return nil, err
	}
	if c.Replica != "" {
		if err := store.Follow(c.Replica, cmp.Or(c.ReplicaLag, replicaLag)); err != nil {
			return nil, errors.Join(fmt.Errorf("--database-replica: %w", err), store.Close())
		}
	}
	version, err := schema.Apply(ctx, store.SQL(), store.Engine() == db.SQLite)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	c.Log.Debug("store open", "engine", store.Engine(), "schema", version)
	return store, nil
}

// archive sets what becomes of usage of long ago.
func archive(c *Config, counter *operation.Counter) (err error) {
	counter.Months = &operation.MonthsKept{}
	if c.ArchiveAfter == 0 {
		return nil
	}
	switch least := c.Settling.Oldest + 2; {
	case counter.DB.Engine() != db.PostgreSQL:
		return errors.New("--archive-after-months: only PostgreSQL keeps usage by months")
	case c.ArchiveTo == "":
		return errors.New("--archive-after-months needs --archive-to")
	case c.ArchiveAfter < least:
		return fmt.Errorf("--archive-after-months: must be %d or more, two above --usage-months", least)
	}
	counter.Archive = operation.Archive{After: c.ArchiveAfter, Drop: c.ArchiveDrop}
	counter.Archive.To, err = bucket.Open(c.ArchiveTo, c.StoreKeys, c.Clock)
	return err
}

// openPush opens the place of the daily export, when there is one.
func (h *House) openPush() error {
	if h.config.ExportTo == "" {
		return nil
	}
	place, err := bucket.Open(h.config.ExportTo, h.config.StoreKeys, h.config.Clock)
	if err != nil {
		return err
	}
	files := h.config.ExportFiles
	if len(files) == 0 {
		files = cycle.PushFiles[:1]
	}
	for _, name := range files {
		if !slices.Contains(cycle.PushFiles, name) {
			return fmt.Errorf("export file %q: want some of %s", name, strings.Join(cycle.PushFiles, ", "))
		}
	}
	read, err := h.Reader()
	if err != nil {
		return err
	}
	h.push = &cycle.Push{Store: place, Files: files, Reader: read}
	return nil
}

// Reader makes the public client for calls of the house itself, and the short way to fee records: both read what a call's caller may
// see, unsigned and untraced.
func (h *House) Reader() (func(*operation.Call) (*client.Client, client.FeesReader, error), error) {
	frame, err := h.frame(prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	return func(call *operation.Call) (*client.Client, client.FeesReader, error) {
		c, err := client.New("http://purser.invalid", client.Credential{}, frame.For(call), h.config.Clock)
		return c, frame.FeesFor(call), err
	}, nil
}

// Push makes the day's export of bills, when it is due, and says how many files it has written.
func (h *House) Push(ctx context.Context) (files int64, err error) {
	if h.push == nil {
		return 0, nil
	}
	return h.shift.PushOnce(ctx, h.push)
}

// webhookRanges are the inside addresses that webhooks may lead to.
func (c *Config) webhookRanges() []netip.Prefix {
	if !c.Demo {
		return c.Webhooks
	}
	return append([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, c.Webhooks...)
}

// Night lets everything happen that is due, once.
func (h *House) Night(ctx context.Context) error { return h.shift.Round(ctx) }

// Close closes the store, unless it was open before.
func (h *House) Close() error {
	if h.config.Store != nil {
		return nil
	}
	return h.db.Close()
}

// frame has every contract's surface.
func (h *House) frame(metrics *prometheus.Registry) (*doorway.Frame, error) {
	limits, err := doorway.NewLimits(h.config.Limits)
	if err != nil {
		return nil, err
	}
	frame := &doorway.Frame{Proxies: h.config.Proxies, Counter: h.Counter, Log: h.log, Clock: h.config.Clock, Wall: time.Now, Limits: limits, Metrics: doorway.NewMetrics(metrics)}
	for _, s := range []*doorway.Surface{
		bssapi.Surface(h.Counter, frame), iamapi.Surface(h.Counter, frame), epsapi.Surface(h.Counter, frame),
		ctsapi.Surface(h.Counter, frame), purserapi.Surface(h.Counter, frame),
	} {
		frame.Hang(s)
	}
	return frame, nil
}

// Handler is the whole server: every contract's surface, and the pages beside them.
func (h *House) Handler(metrics *prometheus.Registry) (http.Handler, error) {
	frame, err := h.frame(metrics)
	if err != nil {
		return nil, err
	}
	pages := h.pages(metrics)
	if h.config.NoPortal {
		pages.HandleFunc("GET /{$}", h.front)
	}
	portal, err := h.openPortal(frame)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			if _, pattern := pages.Handler(r); pattern != "" {
				pages.ServeHTTP(w, r)
				return
			}
		}
		if !h.config.NoPortal && portal.Owns(r) {
			portal.ServeHTTP(w, r)
			return
		}
		frame.ServeHTTP(w, r)
	}), nil
}

// gcPercent lets the heap grow to four times what lives before it is collected: what lives is some 10 MiB, so this
// costs little memory and saves a third of the work of large answers. GOGC in the environment wins.
const gcPercent = 300

// Serve listens, calls started with the plain endpoint once requests are answered, and runs until ctx ends; then
// it drains: readiness turns false, requests under way are finished.
func (h *House) Serve(ctx context.Context, started func(endpoint, tlsEndpoint string) error) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	handler, err := h.Handler(metrics)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: h.leaving(handler), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute, WriteTimeout: 10 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}
	if h.db.HasReplica() {
		metrics.MustRegister(doorway.ReplicaMetrics(func(ctx context.Context) (time.Duration, error) { return h.db.ReplicaLag(ctx, h.config.Clock()) }, h.db.ReplicaReads))
	}
	takeIn, closeQueue, err := h.openQueue(metrics)
	if err != nil {
		return err
	}
	defer closeQueue()
	failed := make(chan error, 2)
	endpoint, err := h.listen(server, failed)
	if err != nil {
		return err
	}
	tlsEndpoint, err := h.listenTLS(server, failed)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	h.Counter.Turned, h.Counter.Told = h.shift.Nudge, h.courier.Nudge
	night, end := context.WithCancel(context.WithoutCancel(ctx))
	over := make(chan struct{})
	go func() {
		defer close(over)
		var both sync.WaitGroup
		both.Go(func() { h.shift.Run(night) })
		both.Go(func() { h.courier.Run(night) })
		both.Go(func() { h.shift.Carry(night) })
		both.Go(func() { takeIn(night) })
		if h.config.ArchiveAfter > 0 {
			both.Go(func() { h.shift.Archive(night) })
		}
		if h.push != nil {
			both.Go(func() { h.shift.Export(night, h.push) })
		}
		both.Wait()
	}()
	defer func() { end(); <-over }() // before the store is closed
	if err := started(endpoint, tlsEndpoint); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-failed:
		return errors.Join(err, server.Close())
	case <-ctx.Done():
	}
	return h.drain(server)
}

func (h *House) listen(server *http.Server, failed chan<- error) (string, error) {
	on, err := net.Listen("tcp", h.config.Listen)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	go serve(server, on, failed)
	return "http://" + on.Addr().String(), nil
}

func (h *House) listenTLS(server *http.Server, failed chan<- error) (string, error) {
	if h.config.TLSListen == "" {
		if h.config.TLSCert != "" || h.config.TLSKey != "" {
			return "", errors.New("--tls-cert and --tls-key need --tls-listen")
		}
		return "", nil
	}
	pair, err := certificate(h.config.TLSCert, h.config.TLSKey, h.config.Data, time.Now())
	if err != nil {
		return "", err
	}
	on, err := net.Listen("tcp", h.config.TLSListen)
	if err != nil {
		return "", fmt.Errorf("listen for TLS: %w", err)
	}
	settings := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	go serve(server, tls.NewListener(on, settings), failed)
	return "https://" + on.Addr().String(), nil
}

func serve(server *http.Server, on net.Listener, failed chan<- error) {
	if err := server.Serve(on); !errors.Is(err, http.ErrServerClosed) {
		failed <- fmt.Errorf("serve: %w", err)
	}
}

// leaving ends each connection with its answer while the house drains: who keeps connections open goes elsewhere.
func (h *House) leaving(to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		to.ServeHTTP(w, r)
	})
}

func (h *House) drain(server *http.Server) error {
	h.draining.Store(true)
	if h.config.Notice > 0 {
		h.log.Info("stopping: /readyz says 503, requests are still taken", "for", h.config.Notice.String())
		time.Sleep(h.config.Notice)
	}
	wait := h.config.Drain
	if wait == 0 {
		wait = 30 * time.Second
	}
	h.log.Info("draining: no more requests are taken, those under way are finished", "at_most", wait.String())
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("not all requests ended within %s: %w", wait, err), server.Close())
	}
	return nil
}

// Backup writes the store and the key file to a new folder, while a server may be running. It returns the files
// written; the key file opens the store's secrets and belongs to another place than the copy.
func (h *House) Backup(ctx context.Context, folder string) (files []string, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	store := filepath.Join(folder, storeFile)
	if err := h.db.Backup(ctx, store); err != nil {
		return nil, err
	}
	files = append(files, store)
	key, err := os.ReadFile(filepath.Join(h.config.Data, keyFile))
	if errors.Is(err, os.ErrNotExist) {
		return files, nil // the key comes from the environment
	}
	if err != nil {
		return files, fmt.Errorf("read the key file: %w", err)
	}
	copied := filepath.Join(folder, keyFile)
	if err := os.WriteFile(copied, key, 0o600); err != nil {
		return files, fmt.Errorf("write the key file: %w", err)
	}
	return append(files, copied), nil
}

// Restore puts a backup into a data folder that has no store yet. The key file comes along when the backup has it.
func Restore(ctx context.Context, folder, data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	key, err := os.ReadFile(filepath.Join(folder, keyFile))
	if err == nil {
		target := filepath.Join(data, keyFile)
		if there, err := os.ReadFile(target); err == nil && string(there) != string(key) {
			return fmt.Errorf("%s is another key than the backup's: nothing was changed", target)
		}
		if err := os.WriteFile(target, key, 0o600); err != nil {
			return fmt.Errorf("write the key file: %w", err)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the backup's key file: %w", err)
	}
	return db.Restore(ctx, filepath.Join(folder, storeFile), filepath.Join(data, storeFile))
}
