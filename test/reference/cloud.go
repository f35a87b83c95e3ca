package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"time"
)

// Config says how big a made-up cloud is, and where its day lies. The same Config makes the same cloud.
type Config struct {
	Seed        uint64
	Resources   int
	Customers   int
	FiveMinutes int       // resources that are metered every five minutes instead of every hour
	Day         time.Time // midnight of GMT+8; the last day of a month shows most
}

// Cloud is a made-up cloud: who is there, and what is delivered to purser when.
type Cloud struct {
	Config
	Products   []Product
	Clients    []*Client
	Deliveries []Delivery // by At, rising
	LabFile    string     // a catalogue file with what the shipped catalogue has not
	random     *rand.Rand
	ids        map[string]int // last number given out, by source
}

// Client is a customer to be: what it is to be given. Its name stands in the records until Bind.
type Client struct {
	Name         string
	Monthly      bool
	Cash, Credit string
	Grants       []Grant
	Coupons      []Coupon
	Wishes       []Wish
	Exact        bool // nothing of it is late, so that how it was paid is known to the digit
	home         string
}

// Wish is a package that a client gets, as a gift or by an order, at an instant.
type Wish struct {
	Spec, Type, Region string
	Gift               bool
	Days               bool // sold by days; else by months, or years
	Years              bool
	Periods            int
	At                 time.Time
}

// Customer is the client as the reference sees it, still without packages.
func (cl *Client) Customer() *Customer {
	return &Customer{ID: cl.Name, Monthly: cl.Monthly, Cash: Num(cl.Cash), CreditLimit: Num(cl.Credit), Grants: cl.Grants, Coupons: cl.Coupons}
}

// Package is what a wish was granted as. What is not resettable holds its amount for each period.
func (w Wish) Package(id string, effective, expires time.Time) Package {
	p := packages[w.Spec]
	p.ID, p.Gift, p.Region, p.Effective, p.Expires = id, w.Gift, w.Region, effective, expires
	if !p.Resettable {
		p.Items = slices.Clone(p.Items)
		for i := range p.Items {
			p.Items[i].Amount = mul(p.Items[i].Amount, big.NewRat(int64(w.Periods), 1))
		}
	}
	return p
}

// Delivery is what arrives between two turns of the clock. No result depends on the order of the records of one
// delivery; that of deliveries matters.
type Delivery struct {
	At      time.Time
	Records []Record
}

// sent is how long after the end of an hour its records are sent: before the hour is settled.
const sent = 5 * time.Minute

// hours are those that are metered: the day, and for some resources a little of the next.
const (
	hoursOfDay = 24
	hoursMore  = 3
)

// Make makes a cloud.
func Make(config Config) *Cloud {
	c := &Cloud{Config: config, random: rand.New(rand.NewPCG(config.Seed, 1)), ids: map[string]int{}, LabFile: labFile(config.Day)}
	c.Products = shop(config.Day)
	for i := range config.Customers {
		c.Clients = append(c.Clients, c.client(i))
	}
	for h := range hoursOfDay + hoursMore {
		c.Deliveries = append(c.Deliveries, Delivery{At: c.hour(h + 1).Add(sent)})
	}
	c.Deliveries = append(c.Deliveries, Delivery{At: c.hour(50).Add(2 * sent)}) // what is very late
	for i := range config.Resources {
		c.meter(i)
	}
	c.shorten()
	c.repeat()
	c.spoil()
	for i := range c.Deliveries {
		list := c.Deliveries[i].Records
		c.random.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
	}
	return c
}

// End is when everything has been settled that a test looks at: all days, and the month of the day.
func (c *Cloud) End() time.Time { return c.hour(52) }

// hour is that many hours into the day.
func (c *Cloud) hour(n int) time.Time { return c.Day.Add(time.Duration(n) * time.Hour) }

// Bind puts the ids that customers were given in the place of their names.
func (c *Cloud) Bind(ids map[string]string) {
	for i := range c.Deliveries {
		for j := range c.Deliveries[i].Records {
			r := &c.Deliveries[i].Records[j]
			if id := ids[r.CustomerID]; id != "" {
				r.CustomerID = id
			}
		}
	}
}

// World is what the reference needs of the cloud; customers are added by who created them.
func (c *Cloud) World() *World {
	w := &World{Conversions: conversions, UsageTypes: usageTypes, Products: c.Products, Now: c.End(), Lateness: time.Hour}
	for _, d := range c.Deliveries {
		w.Records = append(w.Records, d.Records...)
	}
	return w
}

// NDJSON writes records as lines.
func NDJSON(records []Record) []byte {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	for i := range records {
		if err := out.Encode(&records[i]); err != nil {
			panic(err) // a struct of strings
		}
	}
	return b.Bytes()
}

func (c *Cloud) oneIn(n int) bool { return c.random.IntN(n) == 0 }

func pick[T any](c *Cloud, list ...T) T { return list[c.random.IntN(len(list))] }

// ---- Who is there ----

// client makes the i-th customer; every kind of thing that one may have falls to some.
func (c *Cloud) client(i int) *Client {
	cl := &Client{Name: fmt.Sprintf("made-up-%02d", i), Cash: "1000000", Credit: "0", home: regions[i%len(regions)].code, Exact: i%3 == 1}
	year, far := c.hour(-24*90), c.hour(24*200)
	switch i % 4 {
	case 1: // little cash, some credit, much debt
		cl.Cash, cl.Credit = fmt.Sprint(3+i)+".37", fmt.Sprint(5+2*i)
	case 3:
		cl.Cash, cl.Credit = "0.01", "1000000"
	}
	cl.Monthly = i%7 == 4
	if i%2 == 0 {
		cl.Grants = append(cl.Grants, Grant{Kind: 605, Ratio: Num("0.85"), From: year, Until: far})
		cl.Grants = append(cl.Grants, Grant{Kind: 605, Ratio: Num("0.7333"), Type: obs, From: c.hour(6), Until: c.hour(20).Add(30 * time.Minute)})
	}
	if i%3 != 2 {
		cl.Grants = append(cl.Grants, Grant{Kind: 606, Ratio: Num("0.6123"), Service: services[vm], From: c.hour(9).Add(time.Second), Until: far})
		cl.Grants = append(cl.Grants, Grant{Kind: 605, Ratio: Num("0.9"), Region: regions[0].code, From: year, Until: c.hour(15)})
	}
	if i%2 == 1 {
		coupon := func(value string, until int, limit Coupon) {
			limit.Version, limit.Balance, limit.From, limit.Until = 2, Num(value), year, c.hour(until)
			cl.Coupons = append(cl.Coupons, limit)
		}
		coupon("12.34", 24*40, Coupon{})
		coupon("5", 24*30, Coupon{})
		coupon("7.5", 24*60, Coupon{Services: []string{services[cdn]}})
		coupon("2.25", 24*60, Coupon{Regions: []string{cl.home}})
		coupon("4", 24*45, Coupon{Product: []string{productID(cdn, "cdn.flow.overseas", cl.home)}})
		coupon("3", 24*50, Coupon{Services: []string{services[vm]}, Regions: []string{regions[0].code}})
	}
	before, midday := c.hour(-24*20), c.hour(9).Add(30*time.Minute)
	wish := func(kind, spec string, at time.Time, gift bool, periods int) {
		w := Wish{Spec: spec, Type: kind, Region: cl.home, Gift: gift, Periods: periods, At: at}
		w.Years = spec == "cdn.package.500gb" || spec == "obs.package.traffic.1tb"
		w.Days = spec == "lab.package.fromnow" || spec == "lab.package.once"
		cl.Wishes = append(cl.Wishes, w)
	}
	if i%2 == 0 {
		wish(cdn, "cdn.package.1tb.monthly", before, i%4 == 0, 2)
		wish(cdn, "cdn.package.500gb", c.hour(-30), true, 1)
		wish(obs, "obs.package.starter", c.hour(-30), i%4 == 2, 3)
		wish(obs, "obs.package.100gb", before, false, 2)
		wish(obs, "obs.package.traffic.1tb", before, true, 1)
		wish(vm, "ecs.package.750h", midday, true, 1)
	}
	if i%3 == 0 {
		wish(vm, "ecs.package.750h", before, false, 1)
		wish(lab, "lab.package.hourly", before, false, 2)
		wish(lab, "lab.package.hourly", midday, true, 1)
		wish(lab, "lab.package.fromnow", c.hour(-30).Add(25*time.Minute), true, 2)
		wish(lab, "lab.package.daily", before, true, 1)
		wish(lab, "lab.package.weekly", before, true, 1)
		wish(lab, "lab.package.once", c.hour(-30), false, 2)
		wish(lab, "lab.package.once", c.hour(-30), true, 1) // has expired when the day begins; the one before ends with the day
	}
	return cl
}

// owner picks whose a resource is: a third are the first one's, the others share unevenly.
func (c *Cloud) owner() *Client {
	if c.oneIn(3) || len(c.Clients) == 1 {
		return c.Clients[0]
	}
	n := len(c.Clients) - 1
	return c.Clients[1+min(c.random.IntN(n), c.random.IntN(n))]
}

// ---- What is metered ----

// kind is a kind of resources.
type kind struct {
	share    int // of the resources
	of       string
	specs    []string
	sizes    []string
	sizeUnit int
	meters   []meter
}

// meter is one usage factor of a kind, metered once an hour or once a day.
type meter struct {
	factor string
	daily  bool
	value  func(c *Cloud, part int) (value string, unit int) // of a part-th of an hour (1, or 12 when every five minutes)
}

func duration(c *Cloud, part int) (string, int) {
	whole := 3600 / part
	switch n := c.random.IntN(40); {
	case n < 2:
		return fmt.Sprint(c.random.IntN(whole + 1)), second
	case n < 4:
		return fmt.Sprint(whole / 60), 5
	case n == 5 && part == 1:
		return pick(c, "1", "0.5", "0.25", "1.0"), hour
	}
	return fmt.Sprint(whole), second
}

func traffic(most int64) func(*Cloud, int) (string, int) {
	return func(c *Cloud, part int) (string, int) {
		n := c.random.Int64N(most<<30) / int64(part)
		switch c.random.IntN(10) {
		case 0:
			return fmt.Sprintf("%d.%s", n>>30, pick(c, "5", "25", "125", "0078125")), gb
		case 1:
			return fmt.Sprint(n >> 20), 11
		case 2:
			return "0", byteOf
		}
		return fmt.Sprint(n), byteOf
	}
}

func number(most int) func(*Cloud, int) (string, int) {
	return func(c *Cloud, part int) (string, int) {
		n := c.random.IntN(most) / part
		if c.oneIn(10) {
			return fmt.Sprintf("%d.%03d", n/1000, n%1000), 42
		}
		return fmt.Sprint(n), count
	}
}

// decimals is a number of up to six decimals in one unit, and now and then in a smaller one of which it is a round number.
func decimals(most, unit, smaller int, round func(n int) string) func(*Cloud, int) (string, int) {
	return func(c *Cloud, _ int) (string, int) {
		n := c.random.IntN(most)
		if smaller != 0 && c.oneIn(10) {
			return round(n), smaller
		}
		return fmt.Sprintf("%d.%06d", n, c.random.IntN(1_000_000)), unit
	}
}

func kilo(n int) string    { return fmt.Sprintf("%d.125", n*1000) }
func sixteen(n int) string { return fmt.Sprint(n * 1024 / 16 * 16) }

func kinds() []kind {
	return []kind{
		{22, vm, []string{"s6.small.1.linux", "s6.large.2.linux", "s6.large.2.win", "c6.xlarge.4.linux", "c7.large.2.linux"}, nil, 0, []meter{{"Duration", false, duration}}},
		{22, disk, []string{"SAS", "GPSSD", "SSD"}, []string{"100", "150", "400", "999"}, gbHeld, []meter{{"Duration", false, duration}}},
		{10, eip, []string{"5_bgp"}, nil, 0, []meter{{"Duration", false, duration}}},
		{6, band, []string{"19_bgp"}, []string{"1", "5", "6", "20"}, 15, []meter{{"Duration", false, duration}}},
		{6, band, []string{"12_bgp"}, []string{"100"}, 15, []meter{{"upflow", false, traffic(4)}}},
		{2, band, []string{"95_bgp"}, []string{"300"}, 15, []meter{{"95Peak", true, decimals(600, 15, 0, nil)}}},
		{4, vpn, []string{"V300", "Basic"}, []string{"1", "2", "11"}, count, []meter{{"Duration", false, duration}}},
		{10, obs, []string{"obs.standard.single", "obs.warm.single"}, nil, 0, []meter{
			{"size", false, decimals(9000, gbHeld, 21, sixteen)}, {"reqNumber", false, number(90_000)}, {"upflow", false, traffic(3)},
		}},
		{6, cdn, []string{"cdn.flow.mainland", "cdn.flow.overseas"}, nil, 0, []meter{{"upflow", false, traffic(200)}}},
		{2, cdn, []string{"cdn.flow.volume"}, nil, 0, []meter{{"upflow", false, traffic(90)}, {"reqNumber", false, number(4_000_000)}}},
		{1, cdn, []string{"cdn.peak.month"}, nil, 0, []meter{{"95peak_1000", true, decimals(900, mbits, 35, kilo)}, {"bandwidth95peak", true, decimals(900, mbits, 35, kilo)}}},
		{2, waf, []string{"waf.payperuserequest.std"}, nil, 0, []meter{{"count", false, number(300_000)}}},
		{2, edge, []string{"edge.triple"}, nil, 0, []meter{{"bandwidth95peak", true, decimals(80, mbits, 35, kilo)}}},
		{5, lab, []string{"lab.one", "lab.two"}, []string{"3", "7"}, count, []meter{{"calls", false, number(900)}, {"flow", false, traffic(2)}, {"score", true, number(40)}}},
		{2, lab, []string{"lab.one", "lab.two"}, nil, 0, []meter{{"cores", false, decimals(7200, 66, 0, nil)}}},
		{2, lab, []string{"lab.one"}, []string{"40"}, gbHeld, []meter{{"stay", false, duration}}},
	}
}

// meter makes the i-th resource with its records.
func (c *Cloud) meter(i int) {
	owner, all := c.owner(), kinds()
	shares := 0
	for _, k := range all {
		shares += k.share
	}
	at := c.random.IntN(shares)
	if i < 2*len(all) {
		at = 0 // the first ones show every kind
	}
	k := all[i%len(all)]
	for j := 0; i >= 2*len(all) && at >= 0; j++ {
		k = all[j]
		at -= k.share
	}
	r := Record{
		CustomerID: owner.Name, ResourceID: fmt.Sprintf("%s-%06d", k.specs[0], i), Service: services[k.of], ResourceType: k.of, Spec: pick(c, k.specs...),
		Region: owner.home, Source: pick(c, "north", "south"),
	}
	if c.oneIn(5) {
		r.Region = regions[0].code
	}
	if len(k.sizes) > 0 {
		r.Size, r.SizeUnit = pick(c, k.sizes...), k.sizeUnit
	}
	if c.oneIn(8) {
		r.Project = pick(c, "0", "6f1d2b8e-0c1a-4a4e-9a6e-000000000001", "6f1d2b8e-0c1a-4a4e-9a6e-000000000002")
	}
	last, part := hoursOfDay, 1
	if c.oneIn(10) {
		last += hoursMore
	}
	if i >= c.Resources-c.FiveMinutes {
		part = 12
	}
	becomes, from := r, last // another spec or size from then on
	if c.oneIn(30) {
		from = 1 + c.random.IntN(last)
		becomes.Spec, becomes.Name = pick(c, k.specs...), "renamed"
		if len(k.sizes) > 0 {
			becomes.Size = pick(c, k.sizes...)
		}
	}
	for _, m := range k.meters {
		if m.daily {
			r.Factor = m.factor
			r.Value, r.Unit = m.value(c, 1)
			c.add(owner, r, c.Day, c.hour(hoursOfDay), hoursOfDay-1)
			continue
		}
		for h := c.random.IntN(2) * c.random.IntN(6); h < last; h++ {
			now := r
			if h >= from {
				now = becomes
			}
			now.Factor = m.factor
			for p := range part {
				now.Value, now.Unit = m.value(c, part)
				c.add(owner, now, c.hour(h).Add(time.Duration(p*60/part)*time.Minute), c.hour(h).Add(time.Duration((p+1)*60/part)*time.Minute), h)
			}
		}
	}
}

// add puts a record into the delivery of its hour, or a later one: some are late by hours, a few by more than a day.
func (c *Cloud) add(owner *Client, r Record, start, end time.Time, h int) {
	switch c.random.IntN(50) {
	case 0: // ends before the hour does
		end = end.Add(-time.Duration(c.random.IntN(int(end.Sub(start)/time.Second))) * time.Second)
	case 1: // no length: it belongs to the hour that it lies in
		end = start
	}
	c.ids[r.Source]++
	r.ID = fmt.Sprintf("u%07d", c.ids[r.Source]) // the same in both sources
	start, end = start.UTC(), end.UTC()
	if c.oneIn(50) {
		start, end = start.In(gmt8), end.In(gmt8)
	}
	r.Start, r.End = start.Format(time.RFC3339), end.Format(time.RFC3339)
	if !owner.Exact {
		switch n := c.random.IntN(200); {
		case n < 6:
			h = min(h+2+c.random.IntN(8), len(c.Deliveries)-1)
		case n == 6:
			h = len(c.Deliveries) - 1
		}
	}
	c.Deliveries[h].Records = append(c.Deliveries[h].Records, r)
}

// ---- What senders do ----

// shorten leaves out what a resource is, in some records of those that an earlier delivery has described and that stay
// what they are.
func (c *Cloud) shorten() {
	shapes := map[string]map[description]bool{}
	for _, d := range c.Deliveries {
		for _, r := range d.Records {
			if shapes[r.ResourceID] == nil {
				shapes[r.ResourceID] = map[description]bool{}
			}
			shapes[r.ResourceID][description{r.Service, r.ResourceType, r.Spec, r.Region}] = true
		}
	}
	known := map[string]bool{}
	for i := range c.Deliveries {
		var met []string
		for j := range c.Deliveries[i].Records {
			r := &c.Deliveries[i].Records[j]
			if known[r.ResourceID] && len(shapes[r.ResourceID]) == 1 && c.oneIn(3) {
				r.Service, r.ResourceType, r.Spec, r.Region = "", "", "", ""
			} else {
				met = append(met, r.ResourceID)
			}
		}
		for _, id := range met {
			known[id] = true
		}
	}
}

// repeat sends one record in a hundred again, at once or later.
func (c *Cloud) repeat() {
	for i := range c.Deliveries {
		for _, r := range slices.Clone(c.Deliveries[i].Records) {
			if c.oneIn(100) {
				at := i
				if c.oneIn(2) {
					at += c.random.IntN(len(c.Deliveries) - i)
				}
				c.Deliveries[at].Records = append(c.Deliveries[at].Records, r)
			}
		}
	}
}

// wrongs are the ways in which a record may be wrong. Each makes one of a right one; it has an id of its own.
var wrongs = []struct {
	Word string // what becomes of it
	make func(r *Record)
}{
	{"refused", func(r *Record) { r.CustomerID = "nobody" }},
	{"refused", func(r *Record) { r.ID = "" }},
	{"refused", func(r *Record) { r.Source = "" }},
	{"refused", func(r *Record) { r.Start, r.End = "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z" }},
	{"refused", func(r *Record) { r.Start = "yesterday" }},
	{"refused", func(r *Record) { r.Value = "-1" }},
	{"refused", func(r *Record) { r.Value = "much" }},
	{"refused", func(r *Record) { r.Value = "0.12345678901" }}, // finer than any unit
	{"refused", func(r *Record) { r.Unit = 1 }},                // money
	{"refused", func(r *Record) { r.Unit = 4711 }},
	{"quarantined", func(r *Record) { r.Spec += ".unknown" }},
	{"quarantined", func(r *Record) { r.Region = "nowhere" }},
	{"quarantined", func(r *Record) { r.Factor = "unknown" }},
	{"quarantined", func(r *Record) {
		r.ResourceID += "-nobody-knows"
		r.Service, r.ResourceType, r.Spec, r.Region = "", "", "", ""
	}},
	{"quarantined", func(r *Record) { // metered, but nobody has a price for it
		r.ResourceID += "-mainflow"
		r.Service, r.ResourceType, r.Spec, r.Region, r.Factor, r.Unit, r.Value = services[obs], obs, "obs.standard.single", regions[0].code, "mainflow", byteOf, "1"
	}},
}

// spoil adds one wrong record to each two hundred, of every kind of wrongness in turn; the last kind is one with the id
// of another, in a later delivery.
func (c *Cloud) spoil() {
	turn := 0
	for i := range c.Deliveries {
		for _, r := range slices.Clone(c.Deliveries[i].Records) {
			if !c.oneIn(130) || r.Service == "" {
				continue
			}
			if turn++; turn%(len(wrongs)+1) == 0 {
				if i+1 < len(c.Deliveries) {
					r.Value += "1"
					c.Deliveries[i+1].Records = append(c.Deliveries[i+1].Records, r)
				}
				continue
			}
			c.ids["wrong"]++
			r.ID = fmt.Sprintf("w%07d", c.ids["wrong"])
			wrongs[turn%(len(wrongs)+1)-1].make(&r)
			c.Deliveries[i].Records = append(c.Deliveries[i].Records, r)
		}
	}
}
