package catalog

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

const ground = `
units:
  - {id: 4, type: 2, name: {en: Hour, zh: 小时}, abbreviation: h}
  - {id: 6, type: 2, name: {en: Second, zh: 秒}, abbreviation: s}
  - {id: 17, type: 7, name: {en: GB, zh: GB}, abbreviation: GB}
conversions:
  - {from: 4, to: 6, ratio: 3600}
regions:
  - {code: r1, name: {en: One, zh: 一}, price_factor: "1", zones: [{code: r1a, name: {en: A, zh: 甲}}]}
  - {code: r2, name: {en: Two, zh: 二}, price_factor: "1.1", zones: []}
services:
  - {code: svc.ec2, abbreviation: ECS, name: {en: Elastic Cloud Server, zh: 弹性云服务器}, category: Compute}
resource_types:
  - code: type.vm
    service: svc.ec2
    name: {en: Host, zh: 云主机}
    description: {en: A host, zh: 主机}
    usage_types: [{code: Duration, name: {en: Duration, zh: 时长}, unit: 6, settle: hour}]
  - code: type.disk
    service: svc.ec2
    attached: true
    size_unit: 17
    name: {en: Disk, zh: 云硬盘}
    description: {en: A disk, zh: 硬盘}
    usage_types: [{code: Duration, name: {en: Duration, zh: 时长}, unit: 6, settle: hour}]
`

const ladderFile = `
products:
  - rule: s1
    resource_type: type.vm
    name: {en: General, zh: 通用}
    specs: {s1.small: {cpu: "1", mem: "2"}, s1.large: {cpu: "2", mem: "4"}}
    variants: {.linux: {}, .win: {name: {en: Windows, zh: Windows}, rates: {cpu: "0.02"}}}
    prices:
      - from: "2024-01-01T00:00:00+08:00"
        on_demand: [{usage_type: Duration, unit: 4, rates: {cpu: "0.01", mem: "0.0025", base: "0.0001"}}]
        terms:
          - {period: month, of: hour, times: "480"}
          - {period: year, of: month, times: "10", steps: [{periods: 2, factor: "0.9"}]}
  - rule: disk
    resource_type: type.disk
    name: {en: Disk, zh: 云硬盘}
    regions: [r1]
    specs: {SSD: {}}
    prices:
      - from: "2024-01-01T00:00:00+08:00"
        on_demand:
          - usage_type: Duration
            unit: 4
            rates: {base: "0.0002"}
            size_unit: 17
            tiers: {shape: graduated, on: size, steps: [{up_to: "100", factor: "1"}, {factor: "0.5"}]}
        terms: [{period: month, of: hour, times: "500", decimals: 4, steps: [{periods: 6, factor: "0.9"}]}]
`

func folder(files ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i, text := range files {
		out[string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func mustRead(t testing.TB, files ...string) *Content {
	t.Helper()
	c, err := Read(folder(files...))
	if err != nil {
		t.Fatalf("%+v", problemsOf(err))
	}
	return c
}

func problemsOf(err error) []string {
	var p *ProblemsError
	if errors.As(err, &p) {
		return p.Problems
	}
	return []string{err.Error()}
}

var start = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func doImport(t testing.TB, d *db.DB, at time.Time, rewrite bool, c *Content) (changes *Changes, err error) {
	t.Helper()
	err = d.Update(context.Background(), dbtest.At(at), func(tx *db.Tx) error {
		changes, err = Import(context.Background(), tx, c, rewrite)
		return err
	})
	return changes, err
}

func snapshot(t testing.TB, d *db.DB, shelf *Shelf, at time.Time) (s *Snapshot) {
	t.Helper()
	err := d.View(context.Background(), dbtest.At(at), func(v *db.View) (err error) {
		s, err = shelf.At(context.Background(), v)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A ladder follows from its rule, to the digit.
func TestLadder(t *testing.T) {
	c := mustRead(t, ground, ladderFile)
	if len(c.Products) != 9 {
		t.Fatalf("%d products, want 9", len(c.Products))
	}
	got := map[string]Prices{}
	for _, p := range c.Products {
		got[p.Spec+"@"+p.Region] = p.Prices[0]
	}
	for name, want := range map[string]struct{ hour, month, year, two string }{
		"s1.small.linux@r1": {"0.0151", "7.25", "72.5", "65.25"},    // 0.01 + 2 × 0.0025 + 0.0001
		"s1.small.win@r1":   {"0.0351", "16.85", "168.5", "151.65"}, // + 0.02
		"s1.large.linux@r2": {"0.0331", "15.89", "158.9", "143.01"}, // (0.02 + 0.01 + 0.0001) × 1.1 = 0.03311
		"s1.large.win@r2":   {"0.0771", "37.01", "370.1", "333.09"}, // (0.0301 + 0.04) × 1.1 = 0.07711
	} {
		p := got[name]
		have := [4]string{p.Charges[0].Price.UnitPrice.String(), p.Terms[0].UnitPrice.String(), p.Terms[1].UnitPrice.String(), p.Terms[1].Steps[0].UnitPrice.String()}
		if have != [4]string{want.hour, want.month, want.year, want.two} {
			t.Errorf("%s: %v, want %v", name, have, want)
		}
	}
	disk := got["SSD@r1"]
	if m := disk.Terms[0]; m.Tiers == nil || m.Tiers.Steps[1].UnitPrice.String() != "0.05" || m.Steps[0].Tiers.Steps[0].UnitPrice.String() != "0.09" {
		t.Errorf("the month of the disk does not take the hour's tiers: %+v", m)
	}
}

// Everything that is wrong is said at once, with file, line and column.
func TestProblems(t *testing.T) {
	for name, k := range map[string]struct {
		file string
		want []string
	}{
		"unknown key":         {"unitz: []", []string{`b.yaml:1:1: unknown field "unitz"`}},
		"not YAML":            {"units: [", []string{"b.yaml:1:8: "}},
		"unknown references":  {"products:\n  - {rule: x, resource_type: type.no, name: {en: X, zh: X}, specs: {a: {}}, prices: []}", []string{`b.yaml:2:30: rule x: there is no resource type "type.no"`}},
		"unknown region":      {"products:\n  - {rule: x, resource_type: type.vm, regions: [nowhere], name: {en: X, zh: X}, specs: {a: {}}, prices: [{from: \"2024-01-01T00:00:00Z\", terms: [{period: month, unit_price: \"1\"}]}]}", []string{`there is no region "nowhere"`}},
		"two things":          {"services:\n  - {code: s, abbreviation: S, name: {en: S, zh: \"\"}, category: C}\nregions:\n  - {code: r1, name: {en: R, zh: R}, price_factor: \"x\"}", []string{"b.yaml:2:5: service s needs a name", `b.yaml:4:52: price_factor "x" is not a decimal`, "b.yaml:4:5: region r1 is there twice"}},
		"bad date":            {"products:\n  - {rule: x, resource_type: type.vm, name: {en: X, zh: X}, specs: {a: {}}, prices: [{from: soon, terms: [{period: month, unit_price: \"1\"}]}]}", []string{`from "soon" must be an instant`}},
		"unit cannot convert": {"products:\n  - {rule: x, resource_type: type.vm, name: {en: X, zh: X}, specs: {a: {}}, prices: [{from: \"2024-01-01T00:00:00Z\", on_demand: [{usage_type: Duration, unit: 17, unit_price: \"1\"}]}]}", []string{"metered in unit 6, which does not convert to unit 17"}},
		"unknown attribute":   {"products:\n  - {rule: x, resource_type: type.vm, name: {en: X, zh: X}, specs: {a: {}}, prices: [{from: \"2024-01-01T00:00:00Z\", terms: [{period: month, rates: {cpu: \"1\"}}]}]}", []string{`a in r1 has no attribute "cpu"`}},
		"tiers not rising":    {"products:\n  - {rule: x, resource_type: type.disk, name: {en: X, zh: X}, specs: {a: {}}, prices: [{from: \"2024-01-01T00:00:00Z\", terms: [{period: month, unit_price: \"1\", size_unit: 17, tiers: {shape: volume, on: size, steps: [{up_to: \"9\", factor: \"1\"}, {up_to: \"3\", factor: \"1\"}]}}]}]}", []string{"b.yaml:2:"}},
		"contradiction":       {"units:\n  - {id: 5, type: 2, name: {en: M, zh: 分}, abbreviation: min}\nconversions:\n  - {from: 4, to: 5, ratio: 60}\n  - {from: 5, to: 6, ratio: 61}", []string{"a.yaml"}},
		"two dimensions":      {"conversions: [{from: 4, to: 17, ratio: 2}]", []string{"joins measure types 2 and 7"}},
		"product id":          {"products:\n  - {rule: x, product_id: P, resource_type: type.vm, name: {en: X, zh: X}, specs: {a: {}}, prices: [{from: \"2024-01-01T00:00:00Z\", terms: [{period: month, unit_price: \"1\"}]}]}", []string{"makes 2 products"}},
	} {
		_, err := Read(folder(ground, k.file))
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		all := problemsOf(err)
		for _, want := range k.want {
			if !slices.ContainsFunc(all, func(p string) bool { return strings.Contains(p, want) }) {
				t.Errorf("%s: no problem says %q; there is\n  %s", name, want, strings.Join(all, "\n  "))
			}
		}
	}
	if _, err := Read(fstest.MapFS{}); err == nil {
		t.Error("an empty folder was taken")
	}
}

// Names come from outside: whatever they are, they only name places.
func TestOddNames(t *testing.T) {
	for _, name := range []string{"", ".", "/", "//.yaml", "../x.yaml", "a/../../b.yaml", "./.yaml", "x//y.yaml", "\x00"} {
		if _, err := ReadDocuments([]Document{{name, ground}, {"rules.yaml", ladderFile}}); err != nil {
			t.Errorf("%q: %v", name, problemsOf(err))
		}
	}
	if _, err := ReadDocuments([]Document{{"a.yaml", ground}, {"a.yaml", ladderFile}}); err == nil || !strings.Contains(err.Error(), "two files of this name") {
		t.Errorf("two files of one name: %v", err)
	}
}

// YAML from outside never takes the process down: an import is one request among others.
func FuzzReadDocuments(f *testing.F) {
	f.Add(ground + ladderFile)
	f.Add("units: [{id: 1")
	f.Add("a: &a [*a, *a]")
	f.Fuzz(func(t *testing.T, text string) {
		content, err := ReadDocuments([]Document{{"fuzz.yaml", text}})
		if (content == nil) == (err == nil) {
			t.Errorf("content %v, error %v", content != nil, err)
		}
	})
}

func TestImportThenExportThenImportChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		changes, err := doImport(t, d, start, false, mustRead(t, ground, ladderFile))
		if err != nil || changes.Added == 0 || changes.Changed+changes.Removed != 0 || changes.Version != 1 {
			t.Fatalf("first import: %+v, %v", changes, problemsOf(err))
		}
		if changes, err = doImport(t, d, start, false, mustRead(t, ground, ladderFile)); err != nil || !changes.Nothing() || changes.Version != 1 {
			t.Errorf("the same again: %+v, %v", changes, err)
		}
		out := fstest.MapFS{}
		err = d.View(context.Background(), dbtest.At(start), func(v *db.View) error {
			_, files, err := Export(context.Background(), v)
			for _, f := range files {
				out[f.Name] = &fstest.MapFile{Data: []byte(f.Text)}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		again, err := Read(out)
		if err != nil {
			t.Fatalf("the export is not taken back: %v", problemsOf(err))
		}
		if changes, err = doImport(t, d, start.Add(time.Hour), false, again); err != nil || !changes.Nothing() {
			t.Errorf("the export changes: %+v, %v", changes, err)
		}
	})
}

// A new price takes effect at its date; yesterday's question still gets yesterday's price; history stands.
func TestDatedPrices(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if _, err := doImport(t, d, start, false, mustRead(t, ground, ladderFile)); err != nil {
			t.Fatal(err)
		}
		announced := strings.Replace(ladderFile, `    prices:
      - from: "2024-01-01T00:00:00+08:00"
        on_demand: [`, `    prices:
      - from: "2027-01-01T00:00:00+08:00"
        on_demand: [{usage_type: Duration, unit: 4, unit_price: "0.5"}]
      - from: "2024-01-01T00:00:00+08:00"
        on_demand: [`, 1)
		changes, err := doImport(t, d, start, false, mustRead(t, ground, announced))
		if err != nil || changes.Added != 8 {
			t.Fatalf("announcing: %+v, %v", changes, err)
		}
		var shelf Shelf
		s := snapshot(t, d, &shelf, start)
		p, _ := s.Product("svc.ec2", "type.vm", "r1", "s1.small.linux")
		newYear := time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC)
		for at, want := range map[time.Time]string{start: "0.0151", newYear.Add(-time.Microsecond): "0.0151", newYear: "0.5", newYear.AddDate(1, 0, 0): "0.5"} {
			price, ok := s.PriceAt(p, "DURATION", at)
			if !ok || price.UnitPrice.String() != want {
				t.Errorf("at %s: %v, want %s", at, price, want)
			}
		}
		if _, ok := s.PriceAt(p, "Duration", time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)); ok {
			t.Error("a price before the first one")
		}
		changed := strings.Replace(ladderFile, `cpu: "0.01"`, `cpu: "0.03"`, 1)
		_, err = doImport(t, d, start, false, mustRead(t, ground, changed))
		if err == nil || !strings.Contains(strings.Join(problemsOf(err), "\n"), "is in effect and cannot change") {
			t.Errorf("a price in effect changed: %v", err)
		}
		if changes, err = doImport(t, d, start, true, mustRead(t, ground, changed)); err != nil || changes.Nothing() {
			t.Errorf("rewriting history: %+v, %v", changes, err)
		}
	})
}

func TestOffSaleAndBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if _, err := doImport(t, d, start, false, mustRead(t, ground, ladderFile)); err != nil {
			t.Fatal(err)
		}
		var shelf Shelf
		if total, _ := snapshot(t, d, &shelf, start).Products(ProductQuery{}, start, Page{0, 100}); total != 9 {
			t.Errorf("%d products on sale, want 9", total)
		}
		less, _, _ := strings.Cut(ladderFile, "  - rule: disk")
		later := start.Add(time.Hour)
		changes, err := doImport(t, d, later, false, mustRead(t, ground, less))
		if err != nil || changes.Removed != 1 {
			t.Fatalf("%+v, %v", changes, err)
		}
		shelf.Changed()
		s := snapshot(t, d, &shelf, later)
		if total, _ := s.Products(ProductQuery{}, later, Page{0, 100}); total != 8 {
			t.Errorf("%d products on sale after, want 8", total)
		}
		disk, ok := s.Product("svc.ec2", "type.disk", "r1", "SSD")
		if !ok || disk.OnSale(later) || !disk.OnSale(later.Add(-time.Microsecond)) {
			t.Error("the disk is not off sale from the import on")
		}
		if _, err := doImport(t, d, later.Add(time.Hour), false, mustRead(t, ground, ladderFile)); err != nil {
			t.Fatal(err)
		}
		shelf.Changed()
		if total, _ := snapshot(t, d, &shelf, later.Add(time.Hour)).Products(ProductQuery{}, later.Add(time.Hour), Page{0, 100}); total != 9 {
			t.Errorf("%d products on sale again, want 9", total)
		}
	})
}

// Another process's import is seen within a second, this one's at once; between, the same snapshot is handed out.
func TestShelfNoticesImports(t *testing.T) {
	d := dbtest.SQLite(t)
	if _, err := doImport(t, d, start, false, mustRead(t, ground)); err != nil {
		t.Fatal(err)
	}
	var shelf Shelf
	first := snapshot(t, d, &shelf, start)
	if _, err := doImport(t, d, start, false, mustRead(t, ground, ladderFile)); err != nil {
		t.Fatal(err)
	}
	if snapshot(t, d, &shelf, start.Add(900*time.Millisecond)) != first {
		t.Error("looked again within the second")
	}
	if s := snapshot(t, d, &shelf, start.Add(1001*time.Millisecond)); s == first || s.Version != 2 {
		t.Error("did not notice after a second")
	}
}

func TestQueries(t *testing.T) {
	s, err := newSnapshot(1, mustRead(t, ground, ladderFile))
	if err != nil {
		t.Fatal(err)
	}
	if total, rows := s.ServiceTypes(English, "CLOUD", Page{0, 10}); total != 1 || rows[0].Code != "svc.ec2" {
		t.Errorf("fuzzy: %d %v", total, rows)
	}
	if total, _ := s.ServiceTypes(Chinese, "Cloud", Page{0, 10}); total != 0 {
		t.Error("an English word found a Chinese name")
	}
	if total, rows := s.ResourceTypes(Page{1, 10}); total != 2 || len(rows) != 1 || rows[0].Code != "type.disk" {
		t.Errorf("second page: %d %v", total, rows)
	}
	if total, rows := s.ResourceTypes(Page{1_000_000, 10}); total != 2 || len(rows) != 0 {
		t.Errorf("beyond the end: %d %v", total, rows)
	}
	if total, rows := s.UsageTypes("type.vm", Page{0, 10}); total != 1 || rows[0].Service.Code != "svc.ec2" {
		t.Errorf("usage types: %d %v", total, rows)
	}
	if n := len(s.Conversions(7)); n != 0 {
		t.Errorf("%d conversions of capacity", n)
	}
	// The specs come page by page, each once.
	sortProducts := func() { // as load does
		c := mustRead(t, ground, ladderFile)
		slices.SortFunc(c.Products, func(a, b Product) int {
			return strings.Compare(a.Service+a.ResourceType+a.Region+a.Spec, b.Service+b.ResourceType+b.Region+b.Spec)
		})
		s, err = newSnapshot(1, c)
	}
	if sortProducts(); err != nil {
		t.Fatal(err)
	}
	var all []string
	q := SpecQuery{Service: "svc.ec2", ResourceType: "type.vm", Region: "r2", Terms: true, Limit: 3}
	for {
		page, next := s.ResourceSpecs(q, start)
		for _, p := range page {
			all = append(all, p.Spec)
		}
		if q.Marker = next; next == "" {
			break
		}
	}
	if want := []string{"s1.large.linux", "s1.large.win", "s1.small.linux", "s1.small.win"}; !slices.Equal(all, want) {
		t.Errorf("specs %v, want %v", all, want)
	}
}

// What the store gives back rates the same as what the files said.
func TestStoredPriceRates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if _, err := doImport(t, d, start, false, mustRead(t, ground, ladderFile)); err != nil {
			t.Fatal(err)
		}
		var shelf Shelf
		s := snapshot(t, d, &shelf, start)
		p, _ := s.Product("svc.ec2", "type.disk", "r1", "SSD")
		price, _ := s.PriceAt(p, "Duration", start)
		// 150 GB for 10 h: (100 × 0.0002 + 50 × 0.0001) × 10
		got, err := rating.Usage(price, s.Units(), &rating.Use{Value: money.DecimalOf(36000), Unit: 6, Size: rating.Size{Value: money.DecimalOf(150), Unit: 17}, Num: 1})
		if err != nil || got.Amount.String() != "0.25" {
			t.Errorf("%v, %v; want 0.25", got.Amount, err)
		}
	})
}
