// Command bench measures purser against bare peers in one run on one machine and prints ratios: a bare net/http
// handler that reads the same bodies and writes answers of the same size (or decodes and encodes the same JSON).
// What is compared is the CPU time of the server processes, from /proc, so that the load generator does not count.
//
// Run it by `make bench`. A bar that is not met is printed as such and makes the exit code 1.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/purser-cloud/purser/client"
)

const (
	connections = 8
	rounds      = 5
)

func main() {
	purser := flag.String("purser", "bin/purser", "the binary to measure")
	only := flag.Bool("stores", false, "only what is measured on a store")
	flat := flag.Bool("flat", false, "only memory and cost from few to many usage records")
	year := flag.Bool("year", false, "only the turned clock")
	life := flag.Bool("life", false, "only the simulated year")
	usage := flag.Bool("usage", false, "only usage; on PostgreSQL alone with -engine postgres")
	engine := flag.String("engine", "", "with -usage or -bills: sqlite or postgres alone")
	nodes := flag.Bool("nodes", false, "only payments through two nodes against one, on PostgreSQL")
	queued := flag.Bool("queue", false, "only usage through a queue of three nodes")
	traces := flag.Bool("traces", false, "only traces")
	bills := flag.Bool("bills", false, "only bills and the close of a month")
	pages := flag.Bool("pages", false, "only the pages")
	export := flag.Bool("focus", false, "only the export of a month as FOCUS, on SQLite")
	bare := flag.Bool("bare", false, "serve as the bare peer (used by the bench itself)")
	profile := flag.String("cpuprofile", "", "write a profile of this process to a `file`")
	flag.Parse()
	var err error
	if *profile != "" {
		f, _ := os.Create(*profile)
		if pprof.StartCPUProfile(f) == nil {
			defer pprof.StopCPUProfile()
		}
	}
	if *bare {
		err = serveBare()
	} else if *year {
		err = runYear()
	} else if *life {
		err = runLife()
	} else if *flat {
		err = runFlat(*purser)
	} else if *nodes {
		err = runNodes()
	} else if *traces {
		err = runTraces()
	} else if *queued {
		dir, _ := os.MkdirTemp("", "purser-bench")
		defer os.RemoveAll(dir)
		var lines []line
		if lines, err = benchQueue(dir); err == nil {
			err = report(lines)
		}
	} else if *pages {
		err = runPages(*purser)
	} else if *export {
		err = runFocus()
	} else if *bills {
		err = runBills(*engine)
	} else if *usage {
		dir, _ := os.MkdirTemp("", "purser-bench")
		defer os.RemoveAll(dir)
		var lines []line
		if *engine != "postgres" {
			if lines, err = benchUsage("SQLite", dir, func(string) (string, error) { return "", nil }); err == nil {
				err = report(lines)
			}
		}
		if address := os.Getenv("PURSER_TEST_POSTGRES"); address != "" && err == nil && *engine != "sqlite" {
			s := &stores{admin: address}
			lines, err = benchUsage("PostgreSQL", filepath.Join(dir, "pg"), s.fresh)
			if err == nil {
				err = report(lines)
			}
		}
	} else if *only {
		err = runStores()
	} else {
		err = run(*purser)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		pprof.StopCPUProfile()
		os.Exit(1)
	}
}

// serveBare is the peer: /size/N reads the body and writes N bytes, /json decodes and encodes the same JSON.
func serveBare() error {
	mux := http.NewServeMux()
	mux.HandleFunc("/size/{n}", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // a peer
		n, _ := strconv.Atoi(r.PathValue("n"))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(n))
		w.Write(blank[:n]) //nolint:errcheck // a peer
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) {
		var in question
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out := answer{Amount: "1.5", Official: "1.5", Discount: "0", MeasureID: 1, Currency: "USD"}
		for _, p := range in.Products {
			out.Results = append(out.Results, result{ID: p.ID, ProductID: "OFFI000000000000000000", Amount: "0.015", Official: "0.015", Discount: "0", MeasureID: 1})
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(out) //nolint:errcheck // a peer
	})
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + on.Addr().String())
	return http.Serve(on, mux)
}

var blank = bytes.Repeat([]byte("x"), 1<<20)

// question and answer are the price query as plain Go types: what the bare peer decodes and encodes.
type question struct {
	Project   string    `json:"project_id"`
	Precision int       `json:"inquiry_precision,omitempty"`
	Products  []product `json:"product_infos"`
}

type product struct {
	ID           string `json:"id"`
	Service      string `json:"cloud_service_type"`
	ResourceType string `json:"resource_type"`
	Spec         string `json:"resource_spec"`
	Region       string `json:"region"`
	Factor       string `json:"usage_factor"`
	Value        string `json:"usage_value"`
	Unit         int    `json:"usage_measure_id"`
	Num          int    `json:"subscription_num"`
}

type answer struct {
	Amount    json.Number `json:"amount"`
	Discount  json.Number `json:"discount_amount"`
	Official  json.Number `json:"official_website_amount"`
	MeasureID int         `json:"measure_id"`
	Currency  string      `json:"currency"`
	Results   []result    `json:"product_rating_results"`
}

type result struct {
	ID        string      `json:"id"`
	ProductID string      `json:"product_id"`
	Amount    json.Number `json:"amount"`
	Discount  json.Number `json:"discount_amount"`
	Official  json.Number `json:"official_website_amount"`
	MeasureID int         `json:"measure_id"`
}

type demo struct {
	Endpoint  string   `json:"endpoint"`
	Region    string   `json:"region"`
	Operator  holder   `json:"operator"`
	Customers []holder `json:"customers"`
}

type holder struct {
	DomainID   string `json:"domain_id"`
	DomainName string `json:"domain_name"`
	User       string `json:"user"`
	Password   string `json:"password"`
	AccessKey  string `json:"access_key"`
	SecretKey  string `json:"secret_key"`
	ProjectID  string `json:"project_id"`
}

type line struct {
	what, ours, peer, ratio, bar string
	met                          bool
}

func run(purser string) error {
	dir, err := os.MkdirTemp("", "purser-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var lines []line

	started, err := startTimes(purser, dir)
	if err != nil {
		return err
	}
	lines = append(lines, line{"second start with the demo cloud to the first 200", started.String(), "-", "-", "0.3 s", started <= 300*time.Millisecond})

	server, d, err := startPurser(purser, dir)
	if err != nil {
		return err
	}
	defer stop(server)
	if err := warm(d); err != nil { // the catalogue lies in memory from the first question on
		return err
	}
	time.Sleep(2 * time.Second)
	idle, err := memory(server.Process.Pid)
	if err != nil {
		return err
	}
	lines = append(lines, line{"idle memory (resident), the catalogue loaded", fmt.Sprintf("%d MiB", idle>>20), "-", "-", "80 MiB", idle < 80<<20})

	self, err := os.Executable()
	if err != nil {
		return err
	}
	peer, peerURL, err := start(exec.Command(self, "-bare"), "")
	if err != nil {
		return err
	}
	defer stop(peer)

	shown, err := benchPages(d)
	if err != nil {
		return err
	}
	lines = append(lines, shown...)
	more, err := overHTTP(server.Process.Pid, peer.Process.Pid, d, peerURL)
	if err != nil {
		return err
	}
	lines = append(lines, more...)
	pure, err := pureRating()
	if err != nil {
		return err
	}
	stop(server)
	stop(peer)
	paid, err := onStores(dir)
	if err != nil {
		return err
	}
	flat, err := benchFlat(purser, filepath.Join(dir, "flat"))
	if err != nil {
		return err
	}
	return report(append(append(append(lines, pure...), paid...), flat...))
}

func runTraces() error {
	dir, err := os.MkdirTemp("", "purser-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lines, err := benchTraces("SQLite", filepath.Join(dir, "traces"), func(string) (string, error) { return "", nil })
	if address := os.Getenv("PURSER_TEST_POSTGRES"); address != "" && err == nil {
		var more []line
		more, err = benchTraces("PostgreSQL", filepath.Join(dir, "pg-traces"), (&stores{admin: address}).fresh)
		lines = append(lines, more...)
	}
	if err != nil {
		return err
	}
	return report(lines)
}

func runStores() error {
	dir, err := os.MkdirTemp("", "purser-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lines, err := onStores(dir)
	if err != nil {
		return err
	}
	return report(lines)
}

// onStores runs what is measured on a store: SQLite, and PostgreSQL when there is a server.
func onStores(dir string) (lines []line, err error) {
	s, err := furnishedSQLite(filepath.Join(dir, "sqlite"))
	if err != nil {
		return nil, err
	}
	lines, paying, err := benchPayments("SQLite", s)
	if err != nil {
		return nil, fmt.Errorf("payments on SQLite: %w", err)
	}
	more, err := benchLists("SQLite", filepath.Join(dir, "sqlite", "lists"), "")
	if err != nil {
		return nil, fmt.Errorf("lists on SQLite: %w", err)
	}
	lines = append(lines, more...)
	if more, err = benchYear(filepath.Join(dir, "years"), paying); err != nil {
		return nil, fmt.Errorf("a year on SQLite: %w", err)
	}
	lines = append(lines, more...)
	if more, err = benchLife(filepath.Join(dir, "life")); err != nil {
		return nil, fmt.Errorf("a simulated year: %w", err)
	}
	lines = append(lines, more...)
	if more, err = benchUsage("SQLite", filepath.Join(dir, "metered"), func(string) (string, error) { return "", nil }); err != nil {
		return nil, fmt.Errorf("usage on SQLite: %w", err)
	}
	lines = append(lines, more...)
	if more, err = benchQueue(filepath.Join(dir, "queued")); err != nil {
		return nil, fmt.Errorf("usage through a queue: %w", err)
	}
	lines = append(lines, more...)
	if more, err = benchTraces("SQLite", filepath.Join(dir, "traces"), func(string) (string, error) { return "", nil }); err != nil {
		return nil, fmt.Errorf("traces on SQLite: %w", err)
	}
	lines = append(lines, more...)
	if more, err = onBills(filepath.Join(dir, "bills"), ""); err != nil {
		return nil, err
	}
	lines = append(lines, more...)
	address := os.Getenv("PURSER_TEST_POSTGRES")
	if address == "" {
		return lines, nil
	}
	if s, err = furnishedPostgres(filepath.Join(dir, "postgres"), address, fewPayers); err != nil {
		return nil, err
	}
	if more, _, err = benchPayments("PostgreSQL", s); err != nil {
		return nil, fmt.Errorf("payments on PostgreSQL: %w", err)
	}
	lines = append(lines, more...)
	if more, err = benchNodes(filepath.Join(dir, "nodes"), address); err != nil {
		return nil, fmt.Errorf("two nodes: %w", err)
	}
	lines = append(lines, more...)
	data, database, err := s.copy()
	if err != nil {
		return nil, err
	}
	if more, err = benchLists("PostgreSQL", data, database); err != nil {
		return nil, fmt.Errorf("lists on PostgreSQL: %w", err)
	}
	lines = append(lines, more...)
	if more, err = benchUsage("PostgreSQL", filepath.Join(dir, "pg-metered"), (&stores{admin: address}).fresh); err != nil {
		return nil, fmt.Errorf("usage on PostgreSQL: %w", err)
	}
	lines = append(lines, more...)
	if more, err = benchTraces("PostgreSQL", filepath.Join(dir, "pg-traces"), (&stores{admin: address}).fresh); err != nil {
		return nil, fmt.Errorf("traces on PostgreSQL: %w", err)
	}
	return append(lines, more...), nil
}

// warm asks one question of the catalogue.
func warm(d demo) error {
	c := d.Customers[0]
	_, err := once(func() (*http.Request, error) {
		r, err := http.NewRequest("GET", d.Endpoint+"/v2/products/service-types", nil)
		if err != nil {
			return nil, err
		}
		return r, client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey}.Sign(r, time.Now())
	})
	return err
}

func report(lines []line) error {
	fmt.Printf("%-58s %14s %14s %8s %10s  %s\n", "what", "ours", "bare or peer", "ratio", "bar", "met")
	failed := 0
	for _, l := range lines {
		verdict := "yes"
		if !l.met {
			verdict = "NO"
			failed++
		}
		fmt.Printf("%-58s %14s %14s %8s %10s  %s\n", l.what, l.ours, l.peer, l.ratio, l.bar, verdict)
	}
	if failed > 0 {
		return fmt.Errorf("%d bars not met", failed)
	}
	return nil
}

// startTimes fills the data folder in a first start, then takes the middle of five later ones.
func startTimes(purser, dir string) (time.Duration, error) {
	first, _, err := startPurser(purser, dir)
	if err != nil {
		return 0, err
	}
	stop(first)
	var took []time.Duration
	for range 5 {
		address, err := freeAddress()
		if err != nil {
			return 0, err
		}
		began := time.Now()
		p := exec.Command(purser, "serve", "--demo", "--data", dir, "--listen", address, "--log-level", "warn")
		if err := p.Start(); err != nil {
			return 0, err
		}
		if err := until200("http://" + address + "/healthz"); err != nil {
			return 0, errors.Join(err, p.Process.Kill())
		}
		took = append(took, time.Since(began))
		stop(p)
	}
	slices.Sort(took)
	return took[len(took)/2].Round(time.Millisecond), nil
}

func until200(url string) error {
	for range 5000 {
		r, err := http.Get(url)
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("%s never answered 200", url)
}

func freeAddress() (string, error) {
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return on.Addr().String(), on.Close()
}

func startPurser(purser, dir string, more ...string) (*exec.Cmd, demo, error) {
	var d demo
	log, err := os.Create(filepath.Join(dir, "server.log")) // one line a request, as in production
	if err != nil {
		return nil, d, err
	}
	c := exec.Command(purser, append([]string{"serve", "--demo", "--data", dir, "--listen", "127.0.0.1:0", "--limits", "off"}, more...)...)
	c.Stderr = log
	p, _, err := start(c, "purser is open")
	if err != nil {
		return nil, d, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "demo.json"))
	if err != nil {
		return nil, d, err
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, d, err
	}
	return p, d, until200(d.Endpoint + "/readyz")
}

// start runs a server and reads its output up to the line wanted (the first one when empty), which it returns.
func start(c *exec.Cmd, wanted string) (*exec.Cmd, string, error) {
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := c.Start(); err != nil {
		return nil, "", err
	}
	var seen strings.Builder
	buffer := make([]byte, 4096)
	for {
		n, err := out.Read(buffer)
		seen.Write(buffer[:n])
		for l := range strings.Lines(seen.String()) {
			if strings.HasSuffix(l, "\n") && strings.Contains(l, wanted) {
				go io.Copy(io.Discard, out) //nolint:errcheck // what follows is not read
				return c, strings.TrimSpace(l), nil
			}
		}
		if err != nil {
			return nil, "", fmt.Errorf("%s: ended before it was ready: %s", c.Path, seen.String())
		}
	}
}

func stop(c *exec.Cmd) {
	c.Process.Signal(os.Interrupt) //nolint:errcheck // it may have ended
	c.Wait()                       //nolint:errcheck // as above
}

// overHTTP compares the server CPU of whole requests.
func overHTTP(ours, peer int, d demo, peerURL string) ([]line, error) {
	c := d.Customers[0]
	credential := client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey}
	query := func(n int) []byte {
		q := question{Project: c.ProjectID}
		for i := range n {
			q.Products = append(q.Products, product{fmt.Sprint(i), "hws.service.type.ec2", "hws.resource.type.vm", "s3.small.1.linux", d.Region, "Duration", "1.5", 4, 1})
		}
		text, _ := json.Marshal(q)
		return text
	}
	cases := []struct {
		what, method, path string
		body               []byte
		decode             bool
		n                  int
	}{
		{"signed price query, 1 product, against read+write", "POST", "/v2/bills/ratings/on-demand-resources", query(1), false, 20000},
		{"signed price query, 100 products, against decode+encode", "POST", "/v2/bills/ratings/on-demand-resources", query(100), true, 3000},
		{"page of 10 service types, against read+write", "GET", "/v2/products/service-types?limit=10", nil, false, 20000},
		{"page of 100 usage types, against read+write", "GET", "/v2/products/usage-types?limit=100", nil, false, 10000},
	}
	var lines []line
	for _, k := range cases {
		target := func() (*http.Request, error) {
			r, err := http.NewRequest(k.method, d.Endpoint+k.path, bytes.NewReader(k.body))
			if err != nil {
				return nil, err
			}
			if k.body != nil {
				r.Header.Set("Content-Type", "application/json")
			}
			return r, credential.Sign(r, time.Now())
		}
		size, err := once(target)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.what, err)
		}
		bareURL := fmt.Sprintf("%s/size/%d", peerURL, size)
		if k.decode {
			bareURL = peerURL + "/json"
		}
		bare := func() (*http.Request, error) { return http.NewRequest(k.method, bareURL, bytes.NewReader(k.body)) }
		var mine, theirs []time.Duration
		for range rounds {
			a, err := cpuOf(peer, bare, k.body, k.n)
			if err != nil {
				return nil, fmt.Errorf("%s (peer): %w", k.what, err)
			}
			b, err := cpuOf(ours, target, k.body, k.n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k.what, err)
			}
			theirs, mine = append(theirs, a), append(mine, b)
		}
		slices.Sort(mine)
		slices.Sort(theirs)
		a, b := theirs[rounds/2], mine[rounds/2]
		ratio := b.Seconds() / a.Seconds()
		lines = append(lines, line{k.what, per(b, k.n), per(a, k.n), fmt.Sprintf("%.2f×", ratio), "4×", ratio <= 4})
	}
	return lines, nil
}

func per(d time.Duration, n int) string {
	return fmt.Sprintf("%.1f µs", d.Seconds()*1e6/float64(n))
}

func once(make func() (*http.Request, error)) (int, error) {
	r, err := make()
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("status %d: %s", answer.StatusCode, text)
	}
	return len(text), nil
}

// cpuOf sends n requests over a few connections and returns the CPU time that the server used for them.
func cpuOf(pid int, make func() (*http.Request, error), body []byte, n int) (time.Duration, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}
	defer transport.CloseIdleConnections()
	before, err := cpu(pid)
	if err != nil {
		return 0, err
	}
	pattern, err := make()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for range connections {
		wg.Go(func() {
			for left.Add(-1) >= 0 && failed.Load() == nil {
				r := pattern.Clone(ctx)
				r.Body = io.NopCloser(bytes.NewReader(body))
				answer, err := transport.RoundTrip(r)
				if err == nil {
					io.Copy(io.Discard, answer.Body) //nolint:errcheck // only its end matters
					answer.Body.Close()
					if answer.StatusCode != http.StatusOK {
						err = fmt.Errorf("status %d", answer.StatusCode)
					}
				}
				if err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	wg.Wait()
	if e := failed.Load(); e != nil {
		return 0, *e
	}
	after, err := cpu(pid)
	return after - before, err
}

// cpu is the user and system time of a process so far.
func cpu(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * (time.Second / 100), err
}

var rss = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

func memory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := rss.FindSubmatch(text)
	if m == nil {
		return 0, errors.New("no VmRSS")
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	return kib << 10, err
}

var hwm = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// most is the most memory that a process ever had, in bytes.
func most(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := hwm.FindSubmatch(text)
	if m == nil {
		return 0, errors.New("no VmHWM")
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	return kib << 10, err
}

var benchLine = regexp.MustCompile(`(?m)^Benchmark(\w+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op.*?(\d+) allocs/op`)

// pureRating runs the rating room's own benchmarks.
func pureRating() ([]line, error) {
	out, err := exec.Command("go", "test", "-run", "^$", "-bench", "^Benchmark(Simple|Graduated|Volume)$", "-benchmem", "-benchtime", "300ms", "./internal/rating").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("rating benchmarks: %w: %s", err, out)
	}
	var lines []line
	for _, m := range benchLine.FindAllStringSubmatch(string(out), -1) {
		most := 3000.0
		if m[1] == "Simple" {
			most = 1000
		}
		ns, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line{"rating alone: " + strings.ToLower(m[1]) + " price", m[2] + " ns, " + m[3] + " allocs", "-", "-", fmt.Sprintf("%.0f ns, 0", most), ns <= most && m[3] == "0"})
	}
	if len(lines) < 3 {
		return nil, fmt.Errorf("rating benchmarks: found %d of 3:\n%s", len(lines), out)
	}
	return lines, nil
}
