package catalog

import (
	"strings"
	"testing"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
)

const packageFile = `
products:
  - rule: hours
    resource_type: type.vm
    name: {en: Hours, zh: 时长包}
    regions: [r1]
    specs: {hours.750: {}}
    package: {bundle: BUNDLE_PKG, reuse: resettable, cycle: week, cycle_type: natural, items: [{resource_type: type.vm, usage_type: duration, amount: "750.5", unit: 4}]}
    prices: [{from: "2024-01-01T00:00:00+08:00", terms: [{period: month, unit_price: "3"}, {period: year, unit_price: "30"}]}]
`

// A package goes in, comes out as files that change nothing, and a change of what it holds is one change, seen at once.
func TestPackages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var shelf Shelf
		if _, err := doImport(t, d, start, false, mustRead(t, ground, packageFile)); err != nil {
			t.Fatal(err)
		}
		held := func() *Package {
			t.Helper()
			shelf.Changed()
			p, ok := snapshot(t, d, &shelf, start).Product("svc.ec2", "type.vm", "r1", "hours.750")
			if !ok || p.Package == nil {
				t.Fatalf("%v, %+v", ok, p)
			}
			return p.Package
		}
		if p := held(); p.CycleCode() != 3 || p.Items[0].UsageType != "Duration" || p.Items[0].Amount.String() != "750.5" || p.Items[0].Unit != 4 {
			t.Errorf("%+v", p)
		}
		var files []Document
		err := d.View(t.Context(), dbtest.At(start), func(v *db.View) (err error) { _, files, err = Export(t.Context(), v); return err })
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadDocuments(files)
		if err != nil {
			t.Fatal(problemsOf(err))
		}
		if changes, err := doImport(t, d, start, false, again); err != nil || !changes.Nothing() {
			t.Errorf("an export changes %+v, %v", changes, err)
		}
		more := mustRead(t, ground, strings.Replace(packageFile, "750.5", "800", 1))
		if changes, err := doImport(t, d, start, false, more); err != nil || changes.Changed != 1 || !strings.Contains(changes.Lines[0], `"amount":800`) {
			t.Errorf("%+v, %v", changes, err)
		}
		if p := held(); p.Items[0].Amount.String() != "800" {
			t.Errorf("%+v", p)
		}
	})
}

func TestPackageProblems(t *testing.T) {
	for _, k := range []struct{ from, to, want string }{
		{"BUNDLE_PKG", "PKG", "b.yaml:8:23: bundle must be ATOMIC_PKG or BUNDLE_PKG"},
		{"resettable", "twice", "reuse must be resettable or one_off"},
		{"resettable", "one_off", "has no cycle"},
		{"cycle: week", "cycle: decade", "cycle must be hour, day, week, month or year"},
		{"natural", "lunar", "cycle_type must be natural or purchase_day"},
		{"cycle: week, cycle_type: natural, ", "", "cycle must be"},
		{"reuse: resettable, cycle: week, cycle_type: natural", "reuse: one_off", "one kind of term"},
		{`"750.5"`, `"0"`, "amount must be above 0"},
		{"unit: 4", "unit: 17", "does not convert to unit 17"},
		{"usage_type: duration", "usage_type: flow", `no usage type "flow"`},
		{"{resource_type: type.vm,", "{resource_type: type.no,", `no resource type "type.no"`},
		{`items: [{resource_type: type.vm, usage_type: duration, amount: "750.5", unit: 4}]`, "items: []", "at least one item"},
		{"items: [", `items: [{resource_type: type.vm, usage_type: Duration, amount: "1", unit: 6}, `, "is there twice"},
		{"terms:", `on_demand: [{usage_type: Duration, unit: 4, unit_price: "1"}], terms:`, "sold by terms"},
	} {
		_, err := Read(folder(ground, strings.Replace(packageFile, k.from, k.to, 1)))
		if err == nil || !strings.Contains(strings.Join(problemsOf(err), "\n"), k.want) {
			t.Errorf("%s -> %s: %v", k.from, k.to, err)
		}
	}
	atomic := strings.Replace(packageFile, "BUNDLE_PKG", "ATOMIC_PKG", 1)
	atomic = strings.Replace(atomic, "items: [", `items: [{resource_type: type.disk, usage_type: Duration, amount: "1", unit: 6}, `, 1)
	if _, err := Read(folder(ground, atomic)); err == nil || !strings.Contains(err.Error(), "has one item, not 2") {
		t.Error(err)
	}
}
