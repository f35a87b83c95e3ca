package quota

import (
	"strings"
	"testing"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Usage is taken from the project's packages, then from what is for its product only, then gifts, then bought ones; of these
// from what ends first, where the end of a cycle is one; of equals the resettable one, then by id. What is of another region,
// project or product, or not in force, gives nothing.
func TestSources(t *testing.T) {
	w := Wanted{ResourceType: "hws.resource.type.obs", UsageType: "SIZE", Spec: "obs.standard.single", Region: "r1", Project: "p1", At: now.AddDate(0, 0, 3)}
	var packages []Package
	pack := func(id, reuse string, months int, change func(*Package)) {
		p, err := Of(storage(100, reuse, "month", catalog.Natural), period.Month, months, now)
		if err != nil {
			t.Fatal(err)
		}
		p.ID, p.Source, p.Items[0].Whole = id, ByOrder, 100
		change(&p)
		packages = append(packages, p)
	}
	as := func(*Package) {}
	pack("bought-long", catalog.OneOff, 3, as)
	pack("bought-cycle", catalog.Resettable, 12, as)
	pack("bought-short-b", catalog.OneOff, 2, as)
	pack("bought-short-a", catalog.OneOff, 2, as)
	pack("gift", catalog.OneOff, 9, func(p *Package) { p.Source = Gift })
	pack("restricted", catalog.OneOff, 9, func(p *Package) { p.Items[0].Specs = []string{"obs.standard.single"} })
	pack("restricted-gift", catalog.OneOff, 9, func(p *Package) {
		p.Source, p.Items[0].Specs = Gift, []string{"x", "obs.standard.single"}
	})
	pack("project", catalog.OneOff, 12, func(p *Package) { p.Project = "p1" })
	pack("none: project", catalog.OneOff, 1, func(p *Package) { p.Project = "p2" })
	pack("none: region", catalog.OneOff, 1, func(p *Package) { p.Region = "r2" })
	pack("none: product", catalog.OneOff, 1, func(p *Package) { p.Items[0].Specs = []string{"obs.warm.single"} })
	pack("none: factor", catalog.OneOff, 1, func(p *Package) { p.Items[0].UsageType = "upflow" })
	pack("none: later", catalog.OneOff, 1, func(p *Package) { p.Effective = w.At.Add(1) })
	pack("none: over", catalog.OneOff, 1, func(p *Package) { p.Expires = w.At })
	pack("none: given back", catalog.OneOff, 1, func(p *Package) { p.Ended = w.At })
	pack("none: not measured", catalog.OneOff, 1, func(p *Package) { p.Items[0].Whole = 0 })
	var got []string
	for _, s := range Sources(packages, &w) {
		got = append(got, s.ID)
	}
	if want := "project restricted-gift restricted gift bought-cycle bought-short-a bought-short-b bought-long"; strings.Join(got, " ") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, " "), want)
	}
	if s := Sources(packages, &w)[0]; s.Item.Amount != money.DecimalOf(1200) || s.Pool != (Pool{"project", 1, 0}) {
		t.Errorf("%+v", s)
	}
}
