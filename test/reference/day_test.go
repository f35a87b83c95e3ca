package reference

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/purser-cloud/purser/client"
)

// A made-up day, sent to a purser that is killed now and then, comes to what the reference says: each fee of each meter
// and bucket, the sums by month, what is left of packages, coupons and money.
func TestDay(t *testing.T) {
	config := small
	if os.Getenv("PURSER_LONG") != "" {
		config = Config{Seed: 1, Resources: 20_000, Customers: 50, FiveMinutes: 200}
	}
	if seed, err := strconv.ParseUint(os.Getenv("PURSER_SEED"), 10, 64); err == nil {
		config.Seed = seed // another cloud
	}
	onEach(t, func(t *testing.T, database string) {
		d := newDay(t, config, database)
		d.furnish()
		d.pass()
		d.compare()
	})
}

// What cannot be priced, whatever becomes of it, holds up nothing else of its customer.
func TestUnpriceableUse(t *testing.T) {
	d := newDay(t, Config{Seed: 1, Resources: 1, Customers: 1}, "")
	d.Clients[0].Wishes = nil
	d.furnish()
	server := Record{Source: "a", ID: "good", ResourceID: "server", Service: services[vm], ResourceType: vm, Spec: "s6.large.2.linux", Region: regions[0].code,
		Factor: "Duration", Value: "3600", Unit: second, Start: wire(d.hour(0)), End: wire(d.hour(1))}
	bad := server
	bad.ID, bad.ResourceID, bad.Service, bad.ResourceType, bad.Spec = "bad", "disk", services[disk], disk, "SAS"
	type one struct {
		what, customer string
		bad            Record
	}
	var all []one
	for what, change := range map[string]func(*Record){
		"without a size": func(*Record) {}, "a size in seconds": func(r *Record) { r.Size, r.SizeUnit = "100", second },
		"more than any amount": func(r *Record) { r.Size, r.SizeUnit = "999999999999", 48 },
	} {
		c := one{what, d.create(&Client{Name: strings.ReplaceAll(what, " ", "-"), Cash: "10", Credit: "0"}), bad}
		change(&c.bad)
		all = append(all, c)
		later := server
		later.ID, later.Start, later.End = "later", wire(d.hour(1)), wire(d.hour(2))
		records := []Record{server, c.bad, later}
		for i := range records {
			records[i].CustomerID = c.customer
		}
		d.send(records, false)
	}
	d.turn(d.hour(4), 0)
	for _, c := range all {
		n := 0
		for _, f := range d.feesOf(c.customer, d.Day.Format("2006-01")) {
			if f.Resource == "server" {
				n++
			}
		}
		if n != 2 {
			t.Errorf("a disk %s: %d of 2 fees of another resource", c.what, n)
		}
	}
}

func newDay(t *testing.T, config Config, database string) *day {
	today := time.Now().In(gmt8)
	config.Day = time.Date(today.Year(), today.Month()+2, 0, 0, 0, 0, 0, gmt8) // the last day of the next month
	return &day{office: newOffice(t, database), Cloud: Make(config), chance: rand.New(rand.NewPCG(config.Seed, 2)), keys: map[string]client.Credential{}}
}

// day is the made-up day at a purser.
type day struct {
	*office
	*Cloud
	chance *rand.Rand
	world  *World
	keys   map[string]client.Credential // of customers, by name
	wishes []waiting                    // packages that are still to be given
	kills  int
	judged []Verdict
}

type waiting struct {
	Wish
	client   *Client
	customer *Customer
}

const stamp = "2006-01-02T15:04:05Z"

// ---- Before the day ----

// furnish puts the catalogue, the customers and what they are given into purser, and the same into the reference's world.
func (d *day) furnish() {
	d.Helper()
	d.catalogue()
	products := map[string]string{}
	ids := map[string]string{}
	for _, cl := range d.Clients {
		ids[cl.Name] = d.create(cl)
	}
	d.Bind(ids)
	d.world = d.World()
	for _, cl := range d.Clients {
		c := cl.Customer()
		c.ID = ids[cl.Name]
		for i := range c.Grants {
			c.Grants[i].ID = d.grant(c.ID, &c.Grants[i])
		}
		for i := range c.Coupons {
			c.Coupons[i].ID = d.issue(c.ID, &c.Coupons[i], products)
		}
		for _, w := range cl.Wishes {
			d.wishes = append(d.wishes, waiting{w, cl, c})
		}
		d.world.Customers = append(d.world.Customers, c)
	}
	slices.SortStableFunc(d.wishes, func(a, b waiting) int { return a.At.Compare(b.At) })
	d.grantWishes(d.Day)
	for _, c := range d.world.Customers { // packages were paid for: what is left is what the day begins with
		now := d.balances(c.ID)
		c.Cash, c.CreditUsed, c.Debt = now.Cash.Rat, now.CreditUsed.Rat, now.Debt.Rat
		for i := range c.Coupons {
			c.Coupons[i].Balance = d.couponsOf(c.ID)[c.Coupons[i].ID]
		}
	}
}

// catalogue imports the shipped catalogue together with the laboratory.
func (d *day) catalogue() {
	d.Helper()
	type file struct {
		Name string `json:"name"`
		Text string `json:"text"`
	}
	files := []file{{"laboratory.yaml", d.LabFile}}
	shipped := os.DirFS(filepath.Join("..", "..", "cloud"))
	err := fs.WalkDir(shipped, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := fs.ReadFile(shipped, path)
		files = append(files, file{path, string(text)})
		return err
	})
	if err != nil {
		d.Fatal(err)
	}
	d.do(d.operator, "PUT", "/purser/v1/catalogue", map[string]any{"files": files}, nil)
}

// create opens an account with money, and makes a key for its owner.
func (d *day) create(cl *Client) string {
	d.Helper()
	in := map[string]string{"account_name": cl.Name, "user_name": "owner", "credit_limit": cl.Credit, "settlement": "prepaid"}
	if cl.Monthly {
		in["settlement"] = "monthly"
	}
	var made struct {
		Customer struct {
			ID string `json:"customer_id"`
		} `json:"customer"`
	}
	d.do(d.operator, "POST", "/purser/v1/customers", in, &made)
	id := made.Customer.ID
	d.do(d.operator, "POST", "/purser/v1/customers/"+id+"/top-ups", map[string]string{"amount": cl.Cash, "reference": cl.Name}, nil)
	words := strings.Fields(d.run("key", "create", cl.Name, "owner"))
	d.keys[id] = client.Credential{AccessKey: words[1], SecretKey: words[3], DomainID: id}
	return id
}

func (d *day) grant(customer string, g *Grant) string {
	d.Helper()
	in := map[string]any{
		"customer_id": customer, "name": "made up", "discount_type": g.Kind, "ratio": Text(g.Ratio, 4), "service_type_code": g.Service,
		"resource_type_code": g.Type, "region_code": g.Region, "effective_time": g.From.UTC().Format(stamp), "expire_time": g.Until.UTC().Format(stamp),
	}
	for _, name := range []string{"service_type_code", "resource_type_code", "region_code"} {
		if in[name] == "" {
			delete(in, name)
		}
	}
	var made struct {
		ID string `json:"discount_id"`
	}
	d.do(d.operator, "POST", "/purser/v1/discounts", in, &made)
	return made.ID
}

func (d *day) issue(customer string, c *Coupon, products map[string]string) string {
	d.Helper()
	var limits []map[string]string
	limit := func(key string, values []string) {
		for _, v := range values {
			limits = append(limits, map[string]string{"limit_key": key, "value1": v})
		}
	}
	limit("serviceType", c.Services)
	limit("regionCode", c.Regions)
	for _, p := range c.Product {
		limit("productId", []string{d.productID(p, products)})
	}
	in := map[string]any{
		"customer_ids": []string{customer}, "version": c.Version, "face_value": Text(c.Balance, 2), "limits": limits,
		"effective_time": c.From.UTC().Format(stamp), "expire_time": c.Until.UTC().Format(stamp),
	}
	if limits == nil {
		delete(in, "limits")
	}
	var made struct {
		Coupons []struct {
			ID string `json:"coupon_id"`
		} `json:"coupons"`
	}
	d.do(d.operator, "POST", "/purser/v1/coupons", in, &made)
	return made.Coupons[0].ID
}

// productID is purser's id of a product of ours.
func (d *day) productID(ours string, known map[string]string) string {
	d.Helper()
	if known[ours] == "" {
		i := slices.IndexFunc(d.Products, func(p Product) bool { return p.ID == ours })
		p := d.Products[i]
		var list struct {
			Products []struct {
				ID     string `json:"product_id"`
				Type   string `json:"resource_type_code"`
				Spec   string `json:"resource_spec_code"`
				Region string `json:"region_code"`
			} `json:"products"`
		}
		d.do(d.operator, "GET", "/purser/v1/products?limit=100&text="+p.Spec, nil, &list)
		for _, found := range list.Products {
			if found.Type == p.Type && found.Spec == p.Spec && found.Region == p.Region {
				known[ours] = found.ID
			}
		}
		if known[ours] == "" {
			d.Fatalf("purser does not sell %s", ours)
		}
	}
	return known[ours]
}

// grantWishes gives or sells the packages that are due before an instant, each at its own.
func (d *day) grantWishes(before time.Time) {
	d.Helper()
	for len(d.wishes) > 0 && d.wishes[0].At.Before(before) {
		w := d.wishes[0]
		d.wishes = d.wishes[1:]
		d.turn(w.At, 0)
		id, effective, expires := d.packageOf(w)
		w.customer.Packages = append(w.customer.Packages, w.Package(id, effective, expires))
	}
}

func (d *day) packageOf(w waiting) (id string, effective, expires time.Time) {
	d.Helper()
	unit := 2
	switch {
	case w.Days:
		unit = 0
	case w.Years:
		unit = 3
	}
	var made struct {
		ID        string `json:"package_id"`
		Effective string `json:"effective_time"`
		Expires   string `json:"expire_time"`
	}
	if w.Gift {
		d.do(d.operator, "POST", "/purser/v1/packages", map[string]any{
			"customer_id": w.customer.ID, "region": w.Region, "service": services[w.Type], "resource_type": w.Type, "resource_spec": w.Spec,
			"period_type": unit, "periods": w.Periods,
		}, &made)
	} else {
		var order struct {
			ID      string `json:"order_id"`
			Failure any    `json:"payment_failure"`
		}
		product := map[string]any{
			"id": "1", "cloud_service_type": services[w.Type], "resource_type": w.Type, "resource_spec": w.Spec, "region": w.Region,
			"period_type": unit, "period_num": w.Periods, "subscription_num": 1,
		}
		d.do(d.keys[w.customer.ID], "POST", "/purser/v1/orders", map[string]any{"auto_pay": true, "products": []any{product}}, &order)
		if order.Failure != nil {
			d.Fatalf("%s cannot pay for %s: %v", w.client.Name, w.Spec, order.Failure)
		}
		var list heldPackages
		d.do(d.keys[w.customer.ID], "POST", "/v3/payments/free-resources/query", map[string]any{"order_id": order.ID}, &list)
		if len(list.Packages) != 1 {
			d.Fatalf("%d packages of order %s", len(list.Packages), order.ID)
		}
		p := list.Packages[0]
		made.ID, made.Effective, made.Expires = p.ID, p.Effective, p.Expires
	}
	return made.ID, d.instant(made.Effective), d.instant(made.Expires).Add(time.Second)
}

func (d *day) instant(text string) time.Time {
	d.Helper()
	t, err := time.Parse(stamp, text)
	if err != nil {
		d.Fatal(err)
	}
	return t
}

type heldPackages struct {
	Packages []struct {
		ID        string `json:"order_instance_id"`
		Effective string `json:"effective_time"`
		Expires   string `json:"expire_time"`
		Items     []struct {
			Amount  figure `json:"amount"`
			Measure int    `json:"measure_id"`
		} `json:"free_resources"`
	} `json:"free_resource_packages"`
}

type held struct {
	Cash       figure `json:"cash"`
	CreditUsed figure `json:"credit_used"`
	Debt       figure `json:"debt"`
}

func (d *day) balances(customer string) (out held) {
	d.Helper()
	d.do(d.operator, "GET", "/purser/v1/customers/"+customer, nil, &out)
	return out
}

func (d *day) couponsOf(customer string) map[string]*big.Rat {
	d.Helper()
	var list struct {
		Coupons []struct {
			ID      string `json:"coupon_id"`
			Balance figure `json:"balance"`
		} `json:"user_coupons"`
	}
	d.do(d.keys[customer], "GET", "/v2/promotions/benefits/coupons?limit=100", nil, &list)
	out := map[string]*big.Rat{}
	for _, c := range list.Coupons {
		out[c.ID] = c.Balance.Rat
	}
	return out
}

// ---- The day ----

// pass turns the clock from delivery to delivery. Some come by file, some turns and some deliveries are cut off.
func (d *day) pass() {
	d.Helper()
	first := 0 // of the delivery's records in the world
	for i, delivery := range d.Deliveries {
		d.grantWishes(delivery.At)
		var killAfter time.Duration
		if i%7 == 3 {
			killAfter = d.moment()
		}
		d.turn(delivery.At, killAfter)
		switch {
		case i%5 == 2:
			d.importFile(delivery.Records, i%2 == 0, first)
		case i%6 == 4:
			d.kills++
			d.send(delivery.Records, true)
		default:
			d.hold(delivery.Records, d.send(delivery.Records, false), first)
		}
		first += len(delivery.Records)
	}
	d.turn(d.End(), d.moment())
	d.Logf("%d records in %d deliveries; purser was killed %d times", first, len(d.Deliveries), d.kills)
}

// moment is how long the server lives that is to be killed while it settles.
func (d *day) moment() time.Duration {
	d.kills++
	return time.Duration(1+d.chance.IntN(150+d.Resources/10)) * time.Millisecond
}

// answer is what purser says to a batch.
type answer struct {
	Accepted    int `json:"accepted"`
	Duplicates  int `json:"duplicates"`
	Refused     []judged
	Quarantined []judged
}

type judged struct {
	Index int    `json:"index"`
	Code  string `json:"code"`
	Text  string `json:"message"`
}

// send posts records in batches, several at once, half of them as lines, a third packed. With a kill the server dies after some of them;
// what was not acknowledged is sent again.
func (d *day) send(records []Record, kill bool) (all answer) {
	d.Helper()
	const most, senders = 400, 3
	type batch struct {
		from    int
		records []Record
	}
	todo := []batch{}
	for from := 0; from < len(records); from += most {
		todo = append(todo, batch{from, records[from:min(from+most, len(records))]})
	}
	for len(todo) > 0 {
		work := make(chan batch, len(todo))
		for _, b := range todo {
			work <- b
		}
		close(work)
		todo = nil
		dies := -1
		if kill {
			dies, kill = d.chance.IntN(len(work)), false
		}
		var mu sync.Mutex
		var crew sync.WaitGroup
		done := 0
		var once sync.Once
		for range senders {
			crew.Go(func() {
				for b := range work {
					body, kind := NDJSON(b.records), "application/x-ndjson"
					if b.from/most%2 == 1 {
						body, kind = asArray(b.records), "application/json"
					}
					if b.from/most%3 == 2 {
						body, kind = packed(body), kind+"; gzip"
					}
					status, text, err := d.ask(d.operator, "POST", "/purser/v1/usage-records", body, kind)
					mu.Lock()
					switch {
					case err != nil:
						todo = append(todo, b)
					case status != 200:
						d.Errorf("a batch: %d %s", status, text[:min(len(text), 1000)])
					default:
						var one answer
						if err := json.Unmarshal(text, &one); err != nil {
							d.Errorf("a batch: %v in %s", err, text[:min(len(text), 1000)])
						}
						all.add(&one, b.from)
						done++
					}
					strike := dies >= 0 && done >= dies
					mu.Unlock()
					if strike {
						once.Do(func() { d.serve.Process.Kill() }) //nolint:errcheck // it may have ended
					}
				}
			})
		}
		crew.Wait()
		if dies >= 0 {
			d.kill()
			d.open()
		}
		if len(todo) > 0 && dies < 0 {
			d.Fatalf("%d batches were not answered:\n%s", len(todo), tail(d.log.String()))
		}
	}
	return all
}

func asArray(records []Record) []byte {
	text, err := json.Marshal(records)
	if err != nil {
		panic(err) // a struct of strings
	}
	return text
}

func packed(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(body) //nolint:errcheck // into memory
	w.Close()     //nolint:errcheck // as above
	return b.Bytes()
}

func (a *answer) add(one *answer, from int) {
	a.Accepted += one.Accepted
	a.Duplicates += one.Duplicates
	for _, j := range one.Refused {
		j.Index += from
		a.Refused = append(a.Refused, j)
	}
	for _, j := range one.Quarantined {
		j.Index += from
		a.Quarantined = append(a.Quarantined, j)
	}
}

// hold holds what purser said of a delivery that nothing disturbed against the reference.
func (d *day) hold(records []Record, got answer, first int) {
	d.Helper()
	if d.world.Records[first] != records[0] {
		d.Fatal("the test has lost its place")
	}
	verdicts := d.verdicts()[first : first+len(records)]
	counts, said := d.counts(first, len(records)), map[int]string{}
	for _, j := range got.Refused {
		said[j.Index] = "refused " + j.Code + " " + j.Text
	}
	for _, j := range got.Quarantined {
		said[j.Index] = "quarantined " + j.Code + " " + j.Text
	}
	shown := 0
	for i, v := range verdicts {
		word, _, _ := strings.Cut(said[i], " ")
		if wrong := v.Word == "refused" || v.Word == "quarantined"; wrong && word != v.Word || !wrong && word != "" {
			if shown++; shown <= 5 {
				d.Errorf("purser says %q, the reference %s %s: %+v", said[i], v.Word, v.Why, records[i])
			}
		}
	}
	if got.Accepted != counts["accepted"] || got.Duplicates != counts["duplicate"] {
		d.Errorf("purser took %d and knew %d, the reference %v", got.Accepted, got.Duplicates, counts)
	}
}

// verdicts are the reference's; they do not depend on what customers are given later.
func (d *day) verdicts() []Verdict {
	if d.judged == nil {
		_, d.judged = d.world.receive()
	}
	return d.judged
}

// importFile brings records in by the command; it may be killed and run again, and goes on then.
func (d *day) importFile(records []Record, kill bool, first int) {
	d.Helper()
	file := filepath.Join(d.TempDir(), "usage.ndjson")
	if err := os.WriteFile(file, NDJSON(records), 0o600); err != nil {
		d.Fatal(err)
	}
	if kill {
		c := d.command("usage", "import", file)
		if err := c.Start(); err != nil {
			d.Fatal(err)
		}
		time.Sleep(d.moment())
		c.Process.Kill() //nolint:errcheck // it may be over
		c.Wait()         //nolint:errcheck // as above
	}
	var out, log bytes.Buffer
	c := d.command("usage", "import", file)
	c.Stdout, c.Stderr = &out, &log
	failed := c.Run() // it fails when there are refused ones
	var all, accepted, there, aside, refused int
	if _, err := fmt.Sscanf(out.String(), "%d records: %d accepted, %d there already, %d kept in quarantine, %d refused", &all, &accepted, &there, &aside, &refused); err != nil {
		d.Fatalf("usage import: %v\n%s%s", failed, out.String(), log.String())
	}
	counts := d.counts(first, len(records))
	if all != len(records) || refused != counts["refused"] || accepted+there+aside+refused != all || (failed != nil) != (refused > 0) {
		d.Errorf("usage import of %d records: %v %s, the reference %v", len(records), failed, out.String(), counts)
	}
	if !kill && (accepted != counts["accepted"] || there != counts["duplicate"] || aside != counts["quarantined"]) {
		d.Errorf("usage import says %s, the reference %v", out.String(), counts)
	}
}

// counts says how many records of a part of the world end how.
func (d *day) counts(first, n int) map[string]int {
	out := map[string]int{}
	for _, v := range d.verdicts()[first : first+n] {
		out[v.Word]++
	}
	return out
}

// ---- After the day ----

// fee is a row of the fee records.
type fee struct {
	ID       string `json:"id"`
	Resource string `json:"resource_id"`
	Factor   string `json:"usage_factor"`
	Type     string `json:"resource_type"`
	From     string `json:"consumed_from"`
	To       string `json:"consumed_to"`
	Usage    figure `json:"usage"`
	Covered  figure `json:"package_usage"`
	Unit     int    `json:"usage_measure_id"`
	Official figure `json:"official_amount"`
	Discount figure `json:"discount_amount"`
	Amount   figure `json:"amount"`
	Cash     figure `json:"cash_amount"`
	Credit   figure `json:"credit_amount"`
	Coupon   figure `json:"coupon_amount"`
	Debt     figure `json:"debt_amount"`
	Corrects string `json:"corrects"`
}

// feesOf reads a customer's fees of usage in a month.
func (d *day) feesOf(customer, month string) (out []fee) {
	d.Helper()
	const most = 1000
	for offset := 0; ; offset += most {
		var page struct {
			Total   int   `json:"total_count"`
			Records []fee `json:"fee_records"`
		}
		d.do(d.operator, "GET", fmt.Sprintf("/purser/v1/fee-records?customer_id=%s&cycle=%s&offset=%d&limit=%d", customer, month, offset, most), nil, &page)
		for _, f := range page.Records {
			if f.Factor != "" {
				out = append(out, f)
			}
		}
		if len(page.Records) < most {
			return out
		}
	}
}

// bucketKey names one fee of the reference, or all rows of purser that come to it.
type bucketKey struct {
	NetKey
	bucket string
}

func (d *day) compare() {
	d.Helper()
	began := time.Now()
	r := Settle(d.world)
	d.Logf("the reference took %s for %d fees", time.Since(began).Round(time.Millisecond), len(r.Fees))
	months := []string{d.Day.Format("2006-01"), d.Day.AddDate(0, 0, 1).Format("2006-01")}
	cat := newCatalogue(d.world)
	nets, buckets := map[NetKey]*Net{}, map[bucketKey]*Net{}
	rows, corrections := 0, 0
	paid := map[string]*held{}
	coupons, byMeter := map[string]*big.Rat{}, map[NetKey]*big.Rat{}
	exact := map[string]bool{}
	for i, c := range d.world.Customers {
		exact[c.ID] = d.Clients[i].Exact
		p := &held{figure{new(big.Rat)}, figure{new(big.Rat)}, figure{new(big.Rat)}}
		paid[c.ID], coupons[c.ID] = p, new(big.Rat)
		for _, month := range months {
			for _, f := range d.feesOf(c.ID, month) {
				rows++
				if f.Corrects != "" {
					corrections++
				}
				u := cat.usages[[2]string{f.Type, f.Factor}]
				if u == nil {
					d.Fatalf("a fee of what was not used: %+v", f)
				}
				ratio := cat.ratio(f.Unit, u.Unit)
				n := &Net{mul(f.Usage.Rat, ratio), mul(f.Covered.Rat, ratio), f.Official.Rat, f.Discount.Rat, f.Amount.Rat}
				key := NetKey{c.ID, f.Resource, f.Factor, month}
				sum(nets, key, n)
				b := bucketOf(u.Settle, d.instant(f.From), d.instant(f.To))
				if d.Clients[i].Exact { // a correction is for a meter and month, not for a bucket
					sum(buckets, bucketKey{key, b.Start.Format(stamp)}, n)
				}
				p.Cash.Rat, p.CreditUsed.Rat, p.Debt.Rat = add(p.Cash.Rat, f.Cash.Rat), add(p.CreditUsed.Rat, f.Credit.Rat), add(p.Debt.Rat, f.Debt.Rat)
				coupons[c.ID] = add(coupons[c.ID], f.Coupon.Rat)
				byMeter[key] = add(orZero(byMeter[key]), f.Coupon.Rat)
				if parts := add(add(f.Cash.Rat, f.Credit.Rat), add(f.Debt.Rat, f.Coupon.Rat)); parts.Cmp(f.Amount.Rat) != 0 {
					d.Errorf("fee %s of %s is paid with %s", f.ID, Text(f.Amount.Rat, 10), Text(parts, 10))
				}
			}
		}
	}
	for key, amount := range byMeter { // a correction takes back from a coupon no more than it paid
		if amount.Sign() < 0 {
			d.Errorf("%+v: paid by coupons with %s", key, Text(amount, 8))
		}
	}
	wanted, byBucket := r.Nets(), map[bucketKey]*Net{}
	for _, f := range r.Fees {
		covered := new(big.Rat)
		for _, p := range f.Covered {
			covered = add(covered, p.Amount)
		}
		key := NetKey{f.Customer, f.Meter.Resource, f.Meter.Factor, f.Bucket.Start.In(gmt8).Format("2006-01")}
		if !exact[f.Customer] {
			continue
		}
		sum(byBucket, bucketKey{key, f.Bucket.Start.Format(stamp)}, &Net{f.Quantity, covered, f.Official, f.Discount, f.Amount})
	}
	differ(d, "by month", nets, wanted)
	differ(d, "by bucket", buckets, byBucket)
	d.Logf("%d fee records, %d of them corrections, for %d fees", rows, corrections, len(r.Fees))
	for i, c := range d.world.Customers {
		d.rests(d.Clients[i], c, r.Rest[c.ID], paid[c.ID], coupons[c.ID])
	}
	d.run("check")
}

func sum[K comparable](into map[K]*Net, key K, n *Net) {
	s := into[key]
	if s == nil {
		s = &Net{new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)}
		into[key] = s
	}
	s.Quantity, s.Covered, s.Official = add(s.Quantity, n.Quantity), add(s.Covered, n.Covered), add(s.Official, n.Official)
	s.Discount, s.Amount = add(s.Discount, n.Discount), add(s.Amount, n.Amount)
}

func (n *Net) String() string {
	if n == nil {
		return "nothing"
	}
	return fmt.Sprintf("used %s, covered %s, official %s, discount %s, amount %s",
		Text(n.Quantity, 10), Text(n.Covered, 10), Text(n.Official, 10), Text(n.Discount, 10), Text(n.Amount, 10))
}

// differ names where both differ; nothing at all and a fee of nothing are the same.
func differ[K comparable](d *day, what string, got, want map[K]*Net) {
	d.Helper()
	var lines []string
	nothing := (&Net{new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)}).String()
	for key, w := range want {
		if g := got[key]; g.String() != w.String() && (g != nil || w.String() != nothing) {
			lines = append(lines, fmt.Sprintf("%+v:\n  purser    %s\n  reference %s", key, g, w))
		}
	}
	for key, g := range got {
		if want[key] == nil && g.String() != nothing {
			lines = append(lines, fmt.Sprintf("%+v:\n  purser    %s\n  reference nothing", key, g))
		}
	}
	slices.Sort(lines)
	if len(lines) > 0 {
		d.Errorf("%s: %d of %d differ:\n%s", what, len(lines), len(want), strings.Join(lines[:min(len(lines), 12)], "\n"))
	}
}

// rests compares what a customer has left. Where something came late, coupons are not played again: how its fees were
// paid depends on when they came, so that only the sums must be right.
func (d *day) rests(cl *Client, c *Customer, want *Rest, paid *held, byCoupon *big.Rat) {
	d.Helper()
	same := func(what string, got, wanted *big.Rat) {
		d.Helper()
		if got == nil || got.Cmp(wanted) != 0 {
			text := "nothing"
			if got != nil {
				text = Text(got, 10)
			}
			d.Errorf("%s: %s %s, want %s", cl.Name, what, text, Text(wanted, 10))
		}
	}
	now, coupons := d.balances(c.ID), d.couponsOf(c.ID)
	same("cash as paid", now.Cash.Rat, sub(c.Cash, paid.Cash.Rat))
	same("credit as paid", now.CreditUsed.Rat, add(orZero(c.CreditUsed), paid.CreditUsed.Rat))
	same("debt as paid", now.Debt.Rat, add(orZero(c.Debt), paid.Debt.Rat))
	spent := new(big.Rat)
	for _, k := range c.Coupons {
		if coupons[k.ID] != nil {
			spent = add(spent, sub(k.Balance, coupons[k.ID]))
		}
	}
	if spent.Cmp(byCoupon) < 0 { // it may be more: what a coupon need not have paid goes back to nobody
		d.Errorf("%s: coupons paid %s, and have %s less", cl.Name, Text(byCoupon, 8), Text(spent, 8))
	}
	if cl.Exact {
		same("coupons as paid", spent, byCoupon)
		same("cash", now.Cash.Rat, want.Cash)
		same("credit", now.CreditUsed.Rat, want.CreditUsed)
		same("debt", now.Debt.Rat, want.Debt)
		for id, left := range want.Coupons {
			same("coupon "+id, coupons[id], left)
		}
	}
	var list heldPackages
	d.do(d.keys[c.ID], "POST", "/v3/payments/free-resources/query", map[string]any{"limit": 100}, &list)
	found := map[string]bool{}
	cat := newCatalogue(d.world)
	for _, p := range list.Packages {
		found[p.ID] = true
		for i, item := range p.Items {
			j := slices.IndexFunc(c.Packages, func(q Package) bool { return q.ID == p.ID })
			if j < 0 || i >= len(c.Packages[j].Items) {
				d.Errorf("%s: package %s was not given", cl.Name, p.ID)
				continue
			}
			ours := c.Packages[j].Items[i]
			unit := (&books{catalogue: cat}).metering(&ours)
			share := new(big.Rat).Quo(want.Items[p.ID][i], cat.convert(ours.Amount, ours.Unit, unit, scale(unit)))
			left := cut(mul(cat.convert(ours.Amount, ours.Unit, item.Measure, 10), share), 10) // it is shown in the package's own unit
			same(fmt.Sprintf("left of package %s (%s), item %d:", p.ID, ours.UsageType, i), item.Amount.Rat, left)
		}
	}
	for _, p := range c.Packages {
		if !found[p.ID] {
			d.Errorf("%s: package %s is gone", cl.Name, p.ID)
		}
	}
}
