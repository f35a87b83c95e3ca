package reference

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// What the made-up cloud uses of the shipped catalogue, copied by hand from cloud/, and a small catalogue of its own with
// the shapes that the shipped one has not.

var conversions = []Conversion{
	{0, 4, 24}, {4, 5, 60}, {5, 6, 60}, // day, hour, minute, second
	{8, 9, 1024}, {9, 10, 1024}, {10, 11, 1024}, {11, 12, 1024}, {12, 13, 1024}, // PB, TB, GB, MB, KB, byte of traffic
	{48, 47, 1024}, {47, 17, 1024}, {17, 21, 1024}, {21, 100, 1024}, {100, 16, 1024}, // of storage
	{40, 14, 1}, {41, 14, 1}, {42, 41, 1000}, {43, 14, 1}, {44, 43, 1000}, // counts
	{31, 30, 1000}, {32, 31, 1000}, {54, 30, 10000}, // times
	{35, 34, 1000}, {36, 35, 1000}, {37, 36, 1000}, // bit/s, kbit/s, Mbit/s, Gbit/s
	{51, 15, 1}, {52, 51, 1000}, // Mbit/s of policies
	{67, 66, 60}, {68, 67, 60}, {69, 68, 24}, // core-seconds to core-days
}

var regions = []struct{ code, factor string }{
	{"ap-southeast-1", "1"}, {"ap-southeast-3", "1.04"}, {"la-north-2", "1.12"}, {"sa-brazil-1", "1.25"},
}

const (
	vm     = "hws.resource.type.vm"
	disk   = "hws.resource.type.volume"
	eip    = "hws.resource.type.ip"
	band   = "hws.resource.type.bandwidth"
	vpn    = "hws.resource.type.vpn.ipsecvpn"
	obs    = "hws.resource.type.obs"
	cdn    = "hws.resource.type.cdn"
	waf    = "hws.resource.type.waf.payperuserequest"
	edge   = "hws.resource.type.edgebandwidth"
	lab    = "made.resource.type.lab"
	labOf  = "made.service.type.lab"
	second = 6
	hour   = 4
	gb     = 10
	byteOf = 13
	count  = 14
	gbHeld = 17
	mbits  = 36
)

var services = map[string]string{
	vm: "hws.service.type.ec2", disk: "hws.service.type.ebs", eip: "hws.service.type.vpc", band: "hws.service.type.vpc", vpn: "hws.service.type.vpn",
	obs: "hws.service.type.obs", cdn: "hws.service.type.cdn", waf: "hws.service.type.waf", edge: "hws.service.type.iec", lab: labOf,
}

var usageTypes = []UsageType{
	{vm, "Duration", second, "hour"}, {disk, "Duration", second, "hour"}, {eip, "Duration", second, "hour"},
	{band, "Duration", second, "hour"}, {band, "upflow", byteOf, "hour"}, {band, "95Peak", 15, "month"},
	{vpn, "Duration", second, "hour"},
	{obs, "size", gbHeld, "hour"}, {obs, "reqNumber", count, "hour"}, {obs, "upflow", byteOf, "hour"}, {obs, "mainflow", byteOf, "hour"},
	{cdn, "upflow", byteOf, "hour"}, {cdn, "reqNumber", count, "day"}, {cdn, "95peak_1000", mbits, "month"}, {cdn, "bandwidth95peak", mbits, "day"},
	{waf, "count", count, "day"}, {edge, "bandwidth95peak", mbits, "day"},
	{lab, "calls", count, "hour"}, {lab, "cores", 66, "hour"}, {lab, "flow", byteOf, "hour"}, {lab, "score", count, "month"}, {lab, "stay", second, "day"},
}

// shop lists what is sold in each region. Prices of the shipped catalogue are Σ attribute × rate × factor of the region,
// rounded half-up; the made-up ones are written.
func shop(day time.Time) []Product {
	start := at2024
	var out []Product
	for _, region := range regions {
		sell := func(kind, spec string, books ...Book) {
			out = append(out, Product{productID(kind, spec, region.code), services[kind], kind, spec, region.code, books})
		}
		rate := func(decimals int, pairs ...string) *big.Rat { return ladder(region.factor, decimals, pairs...) }
		by := func(factor string, p Price) Book { return Book{start, map[string]Price{factor: p}} }
		for _, s := range []struct{ spec, cpu, mem, cpuRate, memRate string }{
			{"s6.small.1.linux", "1", "1", "0.0138", "0.0075"}, {"s6.large.2.linux", "2", "4", "0.0138", "0.0075"},
			{"s6.large.2.win", "2", "4", "0.0343", "0.0075"}, {"c6.xlarge.4.linux", "4", "16", "0.0207", "0.0081"},
		} {
			sell(vm, s.spec, by("Duration", Price{Unit: hour, Each: rate(4, s.cpu, s.cpuRate, s.mem, s.memRate)}))
		}
		sell(vm, "c7.large.2.linux", by("Duration", Price{Unit: hour, Each: rate(4, "2", "0.0221", "4", "0.0085")}),
			Book{at2027, map[string]Price{"Duration": {Unit: hour, Each: rate(4, "2", "0.0229", "4", "0.0088")}}})
		for spec, base := range map[string]string{"SAS": "0.00011", "GPSSD": "0.00014", "SSD": "0.00022"} {
			sell(disk, spec, by("Duration", Price{Unit: hour, Each: rate(6, "1", base), SizeUnit: gbHeld}))
		}
		sell(eip, "5_bgp", by("Duration", Price{Unit: hour, Each: rate(4, "1", "0.005")}))
		sell(band, "19_bgp", by("Duration", Price{Unit: hour, SizeUnit: 15, Tiers: &Tiers{OnSize: true, Steps: steps(rate(4, "1", "0.018"), 4, 15, "5", "1", "", "2.2")}}))
		sell(band, "12_bgp", by("upflow", Price{Unit: gb, Each: rate(4, "1", "0.12")}))
		sell(band, "95_bgp", by("95Peak", Price{Unit: 15, Tiers: &Tiers{Volume: true, Accumulate: "none",
			Steps: steps(rate(2, "1", "11.5"), 2, 15, "100", "1", "500", "0.92", "", "0.85")}}))
		sell(vpn, "V300", by("Duration", Price{Unit: hour, SizeUnit: count, Tiers: &Tiers{OnSize: true, Steps: []Step{{Num("1"), count, Num("0.33")}, {nil, 0, Num("0.035")}}}}))
		sell(vpn, "Basic", by("Duration", Price{Unit: hour, SizeUnit: count, Tiers: &Tiers{OnSize: true, Steps: steps(rate(4, "0.5", "0.21"), 4, count, "10", "1", "", "0.3")}}))
		for _, s := range []struct{ spec, gb, request string }{{"obs.standard.single", "1", "1"}, {"obs.warm.single", "0.55", "2"}} {
			sell(obs, s.spec, Book{start, map[string]Price{
				"size": {Unit: gbHeld, Tiers: &Tiers{Accumulate: "hour",
					Steps: steps(rate(8, s.gb, "0.000033"), 8, gbHeld, "51200", "1", "512000", "0.95", "", "0.9")}},
				"reqNumber": {Unit: count, Per: 10000, Each: rate(4, s.request, "0.015")},
				"upflow": {Unit: gb, Tiers: &Tiers{Accumulate: "month",
					Steps: steps(rate(4, "1", "0.1"), 4, gb, "5", "0", "10240", "1", "51200", "0.85", "", "0.75")}},
			}})
		}
		for spec, k := range map[string]string{"cdn.flow.mainland": "0.6", "cdn.flow.overseas": "1"} {
			sell(cdn, spec, by("upflow", Price{Unit: gb, Tiers: &Tiers{Accumulate: "month",
				Steps: steps(rate(4, k, "0.075"), 4, gb, "10240", "1", "51200", "0.9", "102400", "0.8", "", "0.65")}}))
		}
		sell(cdn, "cdn.flow.volume", Book{start, map[string]Price{
			"upflow": {Unit: gb, Tiers: &Tiers{Volume: true, Accumulate: "day",
				Steps: steps(rate(4, "1", "0.08"), 4, gb, "1024", "1", "10240", "0.9", "", "0.75")}},
			"reqNumber": {Unit: count, Per: 10000, Each: rate(4, "1", "0.01")},
		}})
		sell(cdn, "cdn.peak.month", Book{start, map[string]Price{
			"95peak_1000": {Unit: mbits, Each: rate(2, "1", "4.2")}, "bandwidth95peak": {Unit: mbits, Each: rate(4, "1", "0.16")},
		}})
		sell(waf, "waf.payperuserequest.std", by("count", Price{Unit: count, Per: 10000, Tiers: &Tiers{Accumulate: "month",
			Steps: steps(rate(4, "1", "0.048"), 4, count, "1000000", "1", "10000000", "0.8", "", "0.6")}}))
		sell(edge, "edge.triple", by("bandwidth95peak", Price{Unit: mbits, Each: rate(4, "1.5", "0.11")}))
		sell(lab, "lab.one", laboratory(at2024, "0.002"), laboratory(day.Add(12*time.Hour), "0.003"))
		sell(lab, "lab.two", laboratory(at2024, "0.0025"))
	}
	return out
}

// productID is our own id of a product.
func productID(kind, spec, region string) string {
	return strings.Join([]string{services[kind], kind, region, spec}, "/")
}

var at2024 = time.Date(2024, 1, 1, 0, 0, 0, 0, gmt8)
var at2027 = time.Date(2027, 1, 1, 0, 0, 0, 0, gmt8)

// laboratory holds shapes that the shipped catalogue has not: steps of a day, steps × size, steps by bounds of other
// units, a volume price that rises over a month, a month's graduated price, a linear price by the day.
func laboratory(from time.Time, call string) Book {
	return Book{from, map[string]Price{
		"calls": {Unit: count, Tiers: &Tiers{Accumulate: "day", Steps: []Step{{Num("5000"), count, Num(call)}, {Num("20"), 42, Num("0.001")}, {nil, 0, Num("0.0003333333")}}}},
		"cores": {Unit: 68, Tiers: &Tiers{Volume: true, Accumulate: "month", Steps: []Step{{Num("40"), 68, Num("0.07")}, {Num("10"), 69, Num("0.08")}, {nil, 0, Num("0.1")}}}},
		"flow":  {Unit: gb, SizeUnit: count, Tiers: &Tiers{Accumulate: "hour", Steps: []Step{{Num("512"), 11, Num("0.0123456789")}, {Num("0.25"), 9, Num("0.01")}, {nil, 0, Num("0.007")}}}},
		"score": {Unit: count, Tiers: &Tiers{Accumulate: "none", Steps: []Step{{Num("100"), count, Num("0.5")}, {nil, 0, Num("0.1")}}}},
		"stay":  {Unit: 5, Per: 7, Each: Num("0.0011"), SizeUnit: gbHeld},
	}}
}

// labFile is the laboratory as a catalogue file: what laboratory says, once more.
func labFile(day time.Time) string {
	prices := func(from time.Time, call string) string {
		return fmt.Sprintf(`      - from: %q
        on_demand:
          - {usage_type: calls, unit: 14, unit_price: "%[2]s", tiers: {shape: graduated, on: usage, accumulate: day, steps: [{up_to: "5000", unit_price: "%[2]s"}, {up_to: "20", unit: 42, unit_price: "0.001"}, {unit_price: "0.0003333333"}]}}
          - {usage_type: cores, unit: 68, unit_price: "0.07", tiers: {shape: volume, on: usage, accumulate: month, steps: [{up_to: "40", unit_price: "0.07"}, {up_to: "10", unit: 69, unit_price: "0.08"}, {unit_price: "0.1"}]}}
          - {usage_type: flow, unit: 10, unit_price: "0.01", size_unit: 14, tiers: {shape: graduated, on: usage, accumulate: hour, steps: [{up_to: "512", unit: 11, unit_price: "0.0123456789"}, {up_to: "0.25", unit: 9, unit_price: "0.01"}, {unit_price: "0.007"}]}}
          - {usage_type: score, unit: 14, unit_price: "0.5", tiers: {shape: graduated, on: usage, accumulate: none, steps: [{up_to: "100", unit_price: "0.5"}, {unit_price: "0.1"}]}}
          - {usage_type: stay, unit: 5, per_units: "7", unit_price: "0.0011", size_unit: 17}
`, from.Format(time.RFC3339), call)
	}
	text := `# A laboratory: shapes of prices and packages that the shipped catalogue has not.
services:
  - {code: made.service.type.lab, abbreviation: "LAB", name: {en: "Laboratory", zh: "实验室"}, category: "Other"}
resource_types:
  - code: made.resource.type.lab
    service: made.service.type.lab
    name: {en: "Laboratory", zh: "实验室"}
    description: {en: "Made up for a test", zh: "测试用"}
    usage_types:
      - {code: calls, name: {en: "Calls", zh: "调用"}, unit: 14, settle: hour}
      - {code: cores, name: {en: "Core time", zh: "核时"}, unit: 66, settle: hour}
      - {code: flow, name: {en: "Flow", zh: "流量"}, unit: 13, settle: hour}
      - {code: score, name: {en: "Score", zh: "分"}, unit: 14, settle: month}
      - {code: stay, name: {en: "Stay", zh: "停留"}, unit: 6, settle: day}
products:
  - rule: lab-one
    resource_type: made.resource.type.lab
    name: {en: "Laboratory one", zh: "实验室一"}
    specs: {lab.one: {}}
    prices:
` + prices(at2024, "0.002") + prices(day.Add(12*time.Hour), "0.003") + `  - rule: lab-two
    resource_type: made.resource.type.lab
    name: {en: "Laboratory two", zh: "实验室二"}
    specs: {lab.two: {}}
    prices:
` + prices(at2024, "0.0025")
	for _, p := range []struct{ spec, held, term string }{
		{"lab.package.hourly", "bundle: BUNDLE_PKG, reuse: resettable, cycle: hour, cycle_type: natural, items: [{resource_type: made.resource.type.lab, usage_type: calls, amount: \"300\", unit: 14, specs: [lab.one]}, {resource_type: made.resource.type.lab, usage_type: flow, amount: \"0.1\", unit: 10}]", "month"},
		{"lab.package.fromnow", "bundle: ATOMIC_PKG, reuse: resettable, cycle: hour, cycle_type: purchase_day, items: [{resource_type: made.resource.type.lab, usage_type: calls, amount: \"200\", unit: 14}]", "day"},
		{"lab.package.daily", "bundle: ATOMIC_PKG, reuse: resettable, cycle: day, cycle_type: purchase_day, items: [{resource_type: made.resource.type.lab, usage_type: stay, amount: \"3\", unit: 4}]", "month"},
		{"lab.package.weekly", "bundle: ATOMIC_PKG, reuse: resettable, cycle: week, cycle_type: natural, items: [{resource_type: made.resource.type.lab, usage_type: cores, amount: \"5\", unit: 68}]", "month"},
		{"lab.package.once", "bundle: ATOMIC_PKG, reuse: one_off, items: [{resource_type: made.resource.type.lab, usage_type: calls, amount: \"1.5\", unit: 42}]", "day"},
	} {
		text += fmt.Sprintf(`  - rule: %s
    resource_type: made.resource.type.lab
    name: {en: "Laboratory package", zh: "实验室包"}
    specs: {%s: {}}
    package: {%s}
    prices: [{from: "2024-01-01T00:00:00+08:00", terms: [{period: %s, rates: {base: "1"}}]}]
`, strings.ReplaceAll(p.spec, ".", "-"), p.spec, p.held, p.term)
	}
	return text
}

// packages are the resource packages by their spec, of one period.
var packages = map[string]Package{
	"cdn.package.500gb":       {Items: []Item{{cdn, "upflow", nil, Num("500"), gb}}},
	"cdn.package.1tb.monthly": {Resettable: true, Cycle: "month", Natural: true, Items: []Item{{cdn, "upflow", nil, Num("1024"), gb}}},
	"obs.package.100gb":       {Resettable: true, Cycle: "month", Items: []Item{{obs, "size", nil, Num("100"), gbHeld}}},
	"obs.package.traffic.1tb": {Items: []Item{{obs, "upflow", nil, Num("1024"), gb}}},
	"obs.package.starter":     {Resettable: true, Cycle: "month", Natural: true, Items: []Item{{obs, "size", nil, Num("50"), gbHeld}, {obs, "upflow", nil, Num("20"), gb}, {obs, "reqNumber", nil, Num("100000"), count}}},
	"ecs.package.750h":        {Items: []Item{{vm, "Duration", nil, Num("750"), hour}}},
	"lab.package.hourly":      {Resettable: true, Cycle: "hour", Natural: true, Items: []Item{{lab, "calls", []string{"lab.one"}, Num("300"), count}, {lab, "flow", nil, Num("0.1"), gb}}},
	"lab.package.fromnow":     {Resettable: true, Cycle: "hour", Items: []Item{{lab, "calls", nil, Num("200"), count}}},
	"lab.package.daily":       {Resettable: true, Cycle: "day", Items: []Item{{lab, "stay", nil, Num("3"), hour}}},
	"lab.package.weekly":      {Resettable: true, Cycle: "week", Natural: true, Items: []Item{{lab, "cores", nil, Num("5"), 68}}},
	"lab.package.once":        {Items: []Item{{lab, "calls", nil, Num("1.5"), 42}}},
}

// ladder is Σ attribute × rate × factor, rounded half-up at that many decimals.
func ladder(factor string, decimals int, pairs ...string) *big.Rat {
	sum := new(big.Rat)
	for i := 0; i < len(pairs); i += 2 {
		sum = add(sum, mul(Num(pairs[i]), Num(pairs[i+1])))
	}
	return halfUp(mul(sum, Num(factor)), decimals)
}

// steps are those of a rule: up to a bound at the price × a factor, rounded half-up; the last has no bound.
func steps(each *big.Rat, decimals, unit int, pairs ...string) []Step {
	var out []Step
	for i := 0; i < len(pairs); i += 2 {
		s := Step{Unit: unit, Each: halfUp(mul(each, Num(pairs[i+1])), decimals)}
		if pairs[i] != "" {
			s.UpTo = Num(pairs[i])
		}
		out = append(out, s)
	}
	return out
}

func halfUp(r *big.Rat, decimals int) *big.Rat {
	half := new(big.Rat).SetFrac(big.NewInt(5), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals+1)), nil))
	return cut(add(r, half), decimals)
}
