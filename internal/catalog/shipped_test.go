package catalog_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
)

// The shipped cloud: what issue and README promise of it.
func TestShippedCatalogue(t *testing.T) {
	c, err := catalog.Read(cloud.Files)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Services) < 33 || len(c.ResourceTypes) < 95 || len(c.Regions) != 4 || len(c.Products) < 600 {
		t.Errorf("%d services, %d resource types, %d regions, %d products", len(c.Services), len(c.ResourceTypes), len(c.Regions), len(c.Products))
	}
	byType, byRegion := map[string]int{}, map[string]int{}
	for i := range c.Products {
		p := &c.Products[i]
		byType[p.ResourceType]++
		byRegion[p.Region]++
		for _, prices := range p.Prices {
			for _, charge := range prices.Charges {
				if charge.Price.UnitPrice <= 0 && charge.Price.Tiers == nil {
					t.Errorf("%s in %s costs nothing by %s", p.Spec, p.Region, charge.Factor)
				}
			}
		}
	}
	for _, kind := range c.ResourceTypes {
		if byType[kind.Code] == 0 {
			t.Errorf("nothing of %s is sold", kind.Code)
		}
	}
	for _, r := range c.Regions {
		if byRegion[r.Code] < 150 {
			t.Errorf("%d products in %s", byRegion[r.Code], r.Code)
		}
	}
}

// It goes in, comes out as files, and these change nothing.
func TestShippedCatalogueRoundTrip(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, err := catalog.Read(cloud.Files)
		if err != nil {
			t.Fatal(err)
		}
		at := dbtest.At(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
		ctx := t.Context()
		if err := d.Update(ctx, at, func(tx *db.Tx) error { _, err := catalog.Import(ctx, tx, c, false); return err }); err != nil {
			t.Fatal(err)
		}
		err = d.View(ctx, at, func(v *db.View) error {
			_, files, err := catalog.Export(ctx, v)
			if err != nil {
				return err
			}
			again, err := catalog.Read(folderOf(files))
			if err != nil {
				return err
			}
			changes, err := catalog.Plan(ctx, v, again, false)
			if err == nil && !changes.Nothing() {
				t.Errorf("the export would change %d things, the first: %s", changes.Added+changes.Changed+changes.Removed, changes.Lines[0])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	d := dbtest.SQLite(b)
	c, err := catalog.Read(cloud.Files)
	if err != nil {
		b.Fatal(err)
	}
	at := dbtest.At(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
	if err := d.Update(b.Context(), at, func(tx *db.Tx) error { _, err := catalog.Import(b.Context(), tx, c, false); return err }); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := d.View(b.Context(), at, func(v *db.View) error { _, err := catalog.Load(b.Context(), v); return err }); err != nil {
			b.Fatal(err)
		}
	}
}

func folderOf(files []catalog.Document) fstest.MapFS {
	out := fstest.MapFS{}
	for _, f := range files {
		out[f.Name] = &fstest.MapFile{Data: []byte(f.Text)}
	}
	return out
}
