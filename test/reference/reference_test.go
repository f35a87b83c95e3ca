package reference

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// at reads "2026-12-31 10:30" as GMT+8.
func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, gmt8)
	if err != nil {
		panic(err)
	}
	return t
}

func wire(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// one is a world of one customer and one product "p" of type "t", metered and priced as said.
func one(usage UsageType, p Price) *World {
	usage.ResourceType, usage.Factor = "t", "f"
	return &World{
		Conversions: conversions, UsageTypes: []UsageType{usage},
		Products:  []Product{{"P", "s", "t", "p", "r", []Book{{at("2024-01-01 00:00"), map[string]Price{"f": p}}}}},
		Customers: []*Customer{{ID: "c"}}, Now: at("2030-01-01 00:00"), Lateness: time.Hour,
	}
}

// use adds a record of that much, ending when said, an hour long.
func (w *World) use(end, resource, value string, unit int) *Record {
	w.Records = append(w.Records, Record{
		Source: "test", ID: fmt.Sprint(len(w.Records)), CustomerID: "c", ResourceID: resource, Service: "s", ResourceType: "t", Spec: "p", Region: "r",
		Factor: "f", Value: value, Unit: unit, Start: wire(at(end).Add(-time.Hour)), End: wire(at(end)),
	})
	return &w.Records[len(w.Records)-1]
}

// officials are the official amounts in the order in which they are settled.
func officials(r *Result) string {
	var out []string
	for _, f := range r.Fees {
		out = append(out, Text(f.Official, 8))
	}
	return strings.Join(out, " ")
}

func want(t *testing.T, what, got, wanted string) {
	t.Helper()
	if got != wanted {
		t.Errorf("%s: %s, want %s", what, got, wanted)
	}
}

var (
	seconds   = UsageType{Unit: 6, Settle: "hour"}
	byTraffic = UsageType{Unit: 13, Settle: "hour"}
	counts    = UsageType{Unit: 14, Settle: "hour"}
)

// 25,874 s are 7.18722222… h, cut 7.1872222222; × 0.000064 × 1000 = 0.4599822220(8), cut at 8: 0.45998222.
func TestLinear(t *testing.T) {
	w := one(seconds, Price{Unit: 4, Each: Num("0.000064"), SizeUnit: 17})
	r := w.use("2026-11-01 08:00", "disk", "25874", 6)
	r.Size, r.SizeUnit = "1000", 17
	want(t, "1000 GB", officials(Settle(w)), "0.45998222")
	r.Size, r.SizeUnit = "1024000", 21 // MB
	want(t, "the same in MB", officials(Settle(w)), "0.45998222")
	want(t, "a second of an hour", Text(cut(Num("1/3600"), 10), 10), "0.0002777777")
}

// A VPN gateway: the first connection 0.33, each one more 0.035; for 730 hours 240.90, 266.45 and 470.85.
func TestStepsOfTheSize(t *testing.T) {
	for size, wanted := range map[string]string{"1": "240.9", "2": "266.45", "10": "470.85"} {
		w := one(UsageType{Unit: 6, Settle: "month"}, Price{Unit: 4, SizeUnit: 14, Tiers: &Tiers{OnSize: true, Steps: []Step{{Num("1"), 14, Num("0.33")}, {nil, 0, Num("0.035")}}}})
		r := w.use("2026-11-30 08:00", "vpn", "2628000", 6)
		r.Size, r.SizeUnit = size, 14
		want(t, size+" connections", officials(Settle(w)), wanted)
	}
}

// 10 GB a day at 1, then 0.5: 6 + 6 + 6 GB on one day, 6 on the next: 6, 4 + 2 × 0.5 = 5, 3, and 6 again.
// The two resources share the tier, in the order of their ids.
func TestGraduatedOverADay(t *testing.T) {
	w := one(byTraffic, Price{Unit: 10, Tiers: &Tiers{Accumulate: "day", Steps: []Step{{Num("10"), 10, Num("1")}, {nil, 0, Num("0.5")}}}})
	w.use("2026-11-02 01:00", "a", "6", 10)
	w.use("2026-11-01 23:00", "a", "6", 10)
	w.use("2026-11-02 00:00", "b", "6", 10)
	w.use("2026-11-02 00:00", "a", "6", 10)
	r := Settle(w)
	want(t, "amounts", officials(r), "6 5 3 6")
	want(t, "order", r.Fees[1].Meter.Resource+r.Fees[2].Meter.Resource, "ab")
}

// Up to 10 GB of a day all at 1, above that all at 0.75: 6, then 12 × 0.75 − 6 = 3, then 18 × 0.75 − 9 = 4.5;
// after 9 at 9 come 2 that make all 11 cost 8.25: −0.75. Without accumulation each stands alone. The bound is inclusive.
func TestVolume(t *testing.T) {
	steps := []Step{{Num("10"), 10, Num("1")}, {nil, 0, Num("0.75")}}
	w := one(byTraffic, Price{Unit: 10, Tiers: &Tiers{Volume: true, Accumulate: "day", Steps: steps}})
	for i := range 3 {
		w.use(fmt.Sprintf("2026-11-01 0%d:00", i+1), "a", "6", 10)
	}
	want(t, "over a day", officials(Settle(w)), "6 3 4.5")
	w.Records = nil
	w.use("2026-11-01 01:00", "a", "9", 10)
	w.use("2026-11-01 02:00", "a", "2", 10)
	want(t, "reaching back", officials(Settle(w)), "9 -0.75")
	w.Products[0].Books[0].Prices["f"].Tiers.Accumulate = "none"
	w.use("2026-11-01 03:00", "a", "10", 10)
	w.use("2026-11-01 04:00", "a", "20", 10)
	want(t, "each alone", officials(Settle(w)), "9 2 10 15")
}

// 0.015 for 10,000 requests: 12,345 are 0.0185175, cut 0.01851750; 7 are 0.0000105.
func TestPerUnits(t *testing.T) {
	w := one(counts, Price{Unit: 14, Per: 10000, Each: Num("0.015")})
	w.use("2026-11-01 01:00", "a", "12345", 14)
	w.use("2026-11-01 02:00", "a", "7", 14)
	want(t, "amounts", officials(Settle(w)), "0.0185175 0.0000105")
}

func storage(id string, amount string) Package {
	return Package{
		ID: id, Region: "r", Resettable: true, Cycle: "month", Natural: true, Effective: at("2026-11-15 10:00"), Expires: at("2027-02-16 00:00"),
		Items: []Item{{ResourceType: "t", UsageType: "F", Amount: Num(amount), Unit: 10}},
	}
}

func covered(r *Result) string {
	var out []string
	for _, f := range r.Fees {
		var parts []string
		for _, p := range f.Covered {
			parts = append(parts, p.ID+":"+Text(new(big.Rat).Quo(p.Amount, Num("1073741824")), 6))
		}
		out = append(out, strings.Join(parts, "+"))
	}
	return strings.Join(out, " ")
}

// 10 GB a calendar month: of 8 and 8 on the last day 8 and 2 are covered, what is left goes; the month after has 10 again.
// The hour that ends at midnight is the old month's. Before it takes effect it gives nothing: at 9:30 in the hour from 9.
func TestPackageCrossesAMonth(t *testing.T) {
	w := one(byTraffic, Price{Unit: 10, Each: Num("1")})
	w.Customers[0].Packages = []Package{storage("A", "10")}
	w.use("2026-11-15 10:00", "a", "1", 10)
	w.use("2026-11-30 12:00", "a", "8", 10)
	w.use("2026-12-01 00:00", "a", "8", 10)
	w.use("2026-12-01 01:00", "a", "8", 10)
	r := Settle(w)
	want(t, "covered", covered(r), " A:8 A:2 A:8")
	want(t, "to pay", officials(r), "1 0 6 0")
	w.Now = at("2026-12-20 00:00")
	want(t, "left", Text(Settle(w).Rest["c"].Items["A"][0], 0), "2147483648") // 2 GB
	w.Customers[0].Packages[0].Ended = at("2026-12-01 00:00")
	want(t, "unsubscribed", officials(Settle(w)), "1 0 6 8")
}

// Cycles from the purchase day end at the midnight after it, and a month without it ends on its last day.
func TestCyclesFromThePurchaseDay(t *testing.T) {
	p := Package{Resettable: true, Cycle: "month", Effective: at("2026-01-31 10:30"), Expires: at("2026-05-01 00:00")}
	var got []string
	for i := p.Effective; i.Before(p.Expires); {
		_, end := p.cycle(i)
		got = append(got, end.In(gmt8).Format("01-02 15:04"))
		i = end
	}
	want(t, "months", strings.Join(got, " "), "03-01 00:00 04-01 00:00 05-01 00:00")
	p.Cycle, p.Effective, p.Expires = "week", at("2026-04-01 12:00"), at("2026-04-15 00:00")
	start, end := p.cycle(at("2026-04-14 23:00"))
	want(t, "the second week", start.In(gmt8).Format("01-02 15:04")+" "+end.In(gmt8).Format("01-02 15:04"), "04-09 00:00 04-15 00:00")
	p.Natural = true
	start, end = p.cycle(at("2026-04-12 23:00")) // Sunday
	want(t, "a calendar week", start.In(gmt8).Format("01-02 15:04")+" "+end.In(gmt8).Format("01-02 15:04"), "04-06 00:00 04-13 00:00")
	p.Cycle, p.Natural = "hour", false
	start, end = p.cycle(at("2026-04-02 01:30"))
	want(t, "an hour", start.In(gmt8).Format("01-02 15:04")+" "+end.In(gmt8).Format("01-02 15:04"), "04-02 01:00 04-02 02:00")
}

// One use of 65 GB by packages of 10: the project's, then that for the product only, then gifts, then bought ones; by their
// end; resettable first; by id.
// Another region, spec and project give nothing.
func TestOrderOfPackages(t *testing.T) {
	w := one(byTraffic, Price{Unit: 10, Each: Num("1")})
	pack := func(id string, change func(*Package)) {
		p := storage(id, "10")
		p.Resettable = false
		change(&p)
		w.Customers[0].Packages = append(w.Customers[0].Packages, p)
	}
	pack("D", func(p *Package) {})
	pack("C", func(p *Package) {})
	pack("E", func(p *Package) { p.Resettable, p.Expires = true, p.Expires.AddDate(1, 0, 0) }) // its cycle ends on 12-01
	pack("F", func(p *Package) { p.Expires = at("2026-12-01 00:00") })
	pack("G", func(p *Package) { p.Gift, p.Expires = true, p.Expires.AddDate(1, 0, 0) })
	pack("H", func(p *Package) { p.Project, p.Expires = "x", p.Expires.AddDate(2, 0, 0) })
	pack("I", func(p *Package) { p.Items[0].Specs, p.Expires = []string{"p"}, p.Expires.AddDate(2, 0, 0) })
	pack("A", func(p *Package) { p.Region = "other" })
	pack("A", func(p *Package) { p.Project = "other" })
	pack("A", func(p *Package) { p.Items[0].Specs = []string{"other"} })
	w.use("2026-11-20 12:00", "a", "65", 10).Project = "x"
	r := Settle(w)
	want(t, "covered", covered(r), "H:10+I:10+G:10+E:10+F:10+C:10+D:5")
	want(t, "to pay", officials(r), "0")
	w.Records[0].Value = "75"
	want(t, "more than there is", officials(Settle(w)), "5")
}

// Only what no package covers runs through a tier: 8 of 10 are covered, so that 2 + 9 reach the bound of 10.
func TestCoveredUseIsNotInTheTier(t *testing.T) {
	w := one(byTraffic, Price{Unit: 10, Tiers: &Tiers{Accumulate: "month", Steps: []Step{{Num("10"), 10, Num("1")}, {nil, 0, Num("0.5")}}}})
	w.Customers[0].Packages = []Package{storage("A", "8")}
	w.use("2026-11-20 12:00", "a", "10", 10)
	w.use("2026-11-20 13:00", "a", "9", 10)
	want(t, "amounts", officials(Settle(w)), "2 8.5")
}

// The price and the grant of the bucket's beginning: noon's are for the hour that begins at noon.
func TestPriceAndGrantByTheBeginning(t *testing.T) {
	w := one(counts, Price{Unit: 14, Each: Num("1")})
	w.Products[0].Books = append(w.Products[0].Books, Book{at("2026-11-20 12:00"), map[string]Price{"f": {Unit: 14, Each: Num("2")}}})
	w.Customers[0].Grants = []Grant{
		{ID: "1", Kind: 607, Ratio: Num("0.1"), From: at("2026-11-20 12:30"), Until: at("2027-01-01 00:00")},
		{ID: "2", Kind: 605, Ratio: Num("0.9"), From: at("2026-11-20 14:00"), Until: at("2026-11-20 15:00")},
		{ID: "3", Kind: 605, Ratio: Num("0.8"), From: at("2026-11-20 14:00"), Until: at("2026-11-20 15:00")},
		{ID: "4", Kind: 605, Ratio: Num("0.5"), Region: "other", From: at("2026-11-20 14:00"), Until: at("2026-11-20 15:00")},
	}
	for hour := 12; hour <= 16; hour++ {
		w.use(fmt.Sprintf("2026-11-20 %d:00", hour), "a", "1", 14)
	}
	r := Settle(w)
	var got []string
	for _, f := range r.Fees {
		got = append(got, Text(f.Amount, 8)+"+"+Text(f.Discount, 8))
	}
	want(t, "amounts", strings.Join(got, " "), "1+0 2+0 0.2+1.8 1.6+0.4 0.2+1.8")
}

// 10 to pay five times: the limited coupon, the two general ones by their end, cash, credit, debt; by the month no cash.
func TestPayment(t *testing.T) {
	w := one(counts, Price{Unit: 14, Each: Num("1")})
	c := w.Customers[0]
	from, until := at("2026-01-01 00:00"), at("2027-06-01 00:00")
	c.Coupons = []Coupon{
		{ID: "a", Version: 2, Balance: Num("4"), From: from, Until: until},
		{ID: "b", Version: 2, Balance: Num("3"), From: from, Until: at("2027-01-01 00:00")},
		{ID: "c", Version: 2, Balance: Num("2"), From: from, Until: until, Services: []string{"s"}},
		{ID: "d", Version: 2, Balance: Num("9"), From: from, Until: until, Services: []string{"other"}},
		{ID: "e", Version: 2, Balance: Num("9"), From: from, Until: at("2026-11-01 00:00")},
		{ID: "f", Version: 1, Balance: Num("9"), From: from, Until: until},
	}
	c.Cash, c.CreditLimit = Num("13.5"), Num("7")
	for hour := 1; hour <= 4; hour++ {
		w.use(fmt.Sprintf("2026-11-20 0%d:00", hour), "a", "10", 14)
	}
	paid := func() string {
		var out []string
		for _, f := range Settle(w).Fees {
			text := ""
			for _, p := range f.Coupons {
				text += p.ID + Text(p.Amount, 8) + " "
			}
			out = append(out, text+Text(f.Cash, 8)+"/"+Text(f.Credit, 8)+"/"+Text(f.Debt, 8))
		}
		return strings.Join(out, ", ")
	}
	want(t, "prepaid", paid(), "c2 b3 a4 1/0/0, 10/0/0, 2.5/7/0.5, 0/0/10")
	c.Monthly = true
	want(t, "monthly", paid(), "c2 b3 a4 0/0/1, 0/0/10, 0/0/10, 0/0/10")
}

// Each kind of record once; which bucket a record is in.
func TestRecords(t *testing.T) {
	w := one(seconds, Price{Unit: 4, Each: Num("1")})
	w.use("2026-11-20 09:00", "a", "3600", 6)
	w.Records = append(w.Records, w.Records[0])
	w.use("2026-11-20 09:00", "a", "1", 6).ID = "0"
	describe := func(r *Record) { r.Service, r.ResourceType, r.Spec, r.Region = "", "", "", "" }
	describe(w.use("2026-11-20 10:00", "a", "0.5", 4))
	describe(w.use("2026-11-20 10:00", "b", "1", 4))
	w.use("2026-11-20 10:00", "b", "1", 4).Spec = "q"
	w.use("2026-11-20 10:00", "b", "1", 4).Factor = "g"
	w.use("2026-11-20 10:00", "b", "0.0001", 4)
	w.use("2026-11-20 10:00", "b", "1", 13)
	w.use("2026-11-20 10:00", "b", "-1", 6)
	w.use("2026-11-20 10:00", "b", "1e3", 6)
	w.use("2026-11-20 10:00", "b", "1", 6).CustomerID = "d"
	w.use("2026-11-20 10:00", "b", "1", 6).Start = "2026-11-21T00:00:00Z"
	w.use("2026-11-20 10:00", "b", "1", 6).End = "yesterday"
	w.use("2026-11-20 10:00", "b", "1", 6).Source = ""
	var got []string
	for _, v := range Settle(w).Verdicts {
		got = append(got, v.Word[:1])
	}
	want(t, "verdicts", strings.Join(got, ""), "adraqqqrrrrrrrr")
	point := at("2026-11-20 09:00")
	for _, c := range []struct {
		start time.Time
		unit  string
		want  string
	}{
		{point.Add(-time.Hour), "hour", "11-20 08:00 11-20 09:00"}, {point, "hour", "11-20 09:00 11-20 10:00"},
		{point.Add(-time.Second), "day", "11-20 00:00 11-21 00:00"}, {point.AddDate(0, 0, -40), "month", "11-01 00:00 12-01 00:00"},
	} {
		b := bucketOf(c.unit, c.start, point)
		want(t, c.unit, b.Start.In(gmt8).Format("01-02 15:04")+" "+b.End.In(gmt8).Format("01-02 15:04"), c.want)
	}
}

// A bucket is settled an hour after its end: at 10:00 the one from 8 to 9.
func TestLateness(t *testing.T) {
	w := one(seconds, Price{Unit: 4, Each: Num("1")})
	w.use("2026-11-20 09:00", "a", "3600", 6)
	w.Now = at("2026-11-20 10:00").Add(-time.Second)
	want(t, "before", officials(Settle(w)), "")
	w.Now = at("2026-11-20 10:00")
	want(t, "then", officials(Settle(w)), "1")
}

// Whatever the order in which records arrive, they come to the same.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	w := one(byTraffic, Price{Unit: 10, Tiers: &Tiers{Volume: true, Accumulate: "day", Steps: []Step{{Num("100"), 10, Num("1")}, {nil, 0, Num("0.5")}}}})
	w.Customers[0].Packages = []Package{storage("A", "33")}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		end := at("2026-11-30 00:00").Add(time.Duration(random.IntN(48)) * time.Hour).Format("2006-01-02 15:04")
		w.use(end, fmt.Sprint(random.IntN(5)), fmt.Sprint(random.IntN(9)), 10)
	}
	before := officials(Settle(w))
	slices.Reverse(w.Records)
	want(t, "backwards", officials(Settle(w)), before)
}

// small is the cloud that is sent in a plain run of the tests.
var small = Config{Seed: 2, Resources: 600, Customers: 12, FiveMinutes: 6, Day: at("2026-12-31 00:00")}

// The made-up cloud is what it says: the same from one seed, of every kind and shape, with repetitions and wrong ones.
func TestMade(t *testing.T) {
	c := Make(small)
	if string(NDJSON(Make(small).World().Records)) != string(NDJSON(c.World().Records)) {
		t.Error("another cloud from the same seed")
	}
	w := c.World()
	for _, cl := range c.Clients {
		customer := cl.Customer()
		for i, wish := range cl.Wishes {
			customer.Packages = append(customer.Packages, wish.Package(fmt.Sprint(i), wish.At, c.hour(50*24)))
		}
		w.Customers = append(w.Customers, customer)
	}
	r := Settle(w)
	words, seen, negative := map[string]int{}, map[string]bool{}, 0
	for i, v := range r.Verdicts {
		words[v.Word]++
		if v.Word == "quarantined" && !strings.HasPrefix(w.Records[i].ID, "w") {
			t.Errorf("%+v: %s", w.Records[i], v.Why)
		}
	}
	for word, least := range map[string]int{"accepted": 18000, "duplicate": 150, "refused": 50, "quarantined": 25} {
		if words[word] < least {
			t.Errorf("%d records are %s, want %d and more", words[word], word, least)
		}
	}
	for _, f := range r.Fees {
		seen[f.Meter.Type+" "+f.Meter.Factor] = true
		for _, p := range f.Covered {
			seen[p.ID] = true
		}
		if f.Amount.Sign() < 0 {
			negative++
		}
	}
	for _, u := range usageTypes {
		if u.Factor != "mainflow" && !seen[u.ResourceType+" "+u.Factor] {
			t.Errorf("nothing of %s %s", u.ResourceType, u.Factor)
		}
	}
	for i := range c.Clients[0].Wishes {
		if !seen[fmt.Sprint(i)] {
			t.Errorf("nothing is covered by %+v", c.Clients[0].Wishes[i])
		}
	}
	if negative == 0 {
		t.Error("no price reaches back")
	}
	if r.Rest["made-up-01"].Debt.Sign() == 0 || r.Rest["made-up-03"].CreditUsed.Sign() == 0 || r.Rest["made-up-00"].Cash.Cmp(Num("1000000")) >= 0 {
		t.Error("nobody owes anything")
	}
}

// Each way of being wrong ends as it should.
func TestWrongs(t *testing.T) {
	for i, wrong := range wrongs {
		w := Make(Config{Seed: 2, Resources: 1, Customers: 1, Day: small.Day}).World()
		w.Customers = []*Customer{{ID: "made-up-00"}}
		w.Records = w.Records[:1]
		if v := Settle(w).Verdicts[0]; v.Word != "accepted" {
			t.Fatal(v)
		}
		wrong.make(&w.Records[0])
		if v := Settle(w).Verdicts[0]; v.Word != wrong.Word {
			t.Errorf("%d: %+v, want %s", i, v, wrong.Word)
		}
	}
}
