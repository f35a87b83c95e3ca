package quota

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

var now = time.Date(2026, 1, 1, 2, 30, 0, 0, time.UTC) // 10:30 GMT+8

func storage(amount int64, reuse, cycle, cycleType string) *catalog.Product {
	return &catalog.Product{
		ID: "OFFI1", Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Region: "r1", Spec: "obs.100", Name: catalog.Text{En: "OBS 100% storage", Zh: "存储包"},
		Package: &catalog.Package{Bundle: catalog.Atomic, Reuse: reuse, Cycle: cycle, CycleType: cycleType, Items: []catalog.PackageItem{
			{ResourceType: "hws.resource.type.obs", UsageType: "size", Amount: money.DecimalOf(amount), Unit: 17},
		}},
	}
}

func give(t *testing.T, d *db.DB, at time.Time, p Package) Package {
	t.Helper()
	err := d.Update(t.Context(), dbtest.At(at), func(tx *db.Tx) error { return Grant(t.Context(), tx, rand.Reader, &p) })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A one-off package holds its amount for each period; a resettable one the same in each cycle.
func TestOf(t *testing.T) {
	once, err := Of(storage(500, catalog.OneOff, "", ""), period.Month, 3, now)
	if err != nil || once.Items[0].Amount != money.DecimalOf(1500) || once.Reuse != OneOff || show(once.Expires) != "2026-04-02 00:00:00" {
		t.Errorf("%+v, %v", once, err)
	}
	again, err := Of(storage(100, catalog.Resettable, "month", catalog.PurchaseDay), period.Month, 3, now)
	if err != nil || again.Items[0].Amount != money.DecimalOf(100) || again.Cycle != monthly || again.CycleType != fromAnchor {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := Of(&catalog.Product{Spec: "s"}, period.Month, 1, now); !fault.Is(err, "CBC.0100") {
		t.Error(err)
	}
}

// What is left of a cycle is lost with it: the next one has the whole amount.
func TestLeft(t *testing.T) {
	p, err := Of(storage(100, catalog.Resettable, "month", catalog.Natural), period.Month, 2, now)
	if err != nil {
		t.Fatal(err)
	}
	p.Items[0].Rest, p.Items[0].K = money.DecimalOf(7), 1
	for at, want := range map[time.Time]int64{now: 100, now.AddDate(0, 1, 0): 7, now.AddDate(0, 2, 0): 100, now.AddDate(1, 0, 0): 100} {
		if got := p.Left(&p.Items[0], at); got != money.DecimalOf(want) {
			t.Errorf("%s: %s left, want %d", show(at), got, want)
		}
	}
	p.Reuse = OneOff
	if got := p.Left(&p.Items[0], now); got != money.DecimalOf(7) {
		t.Errorf("once: %s", got)
	}
}

// The states, as the room and as the database see them, at each instant of a life.
func TestStates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		p, err := Of(storage(100, catalog.OneOff, "", ""), period.Month, 1, now.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		p.Customer, p.Order = "c", "CS1"
		used := p
		used.EmptyUntil = p.Expires
		p, used = give(t, d, now, p), give(t, d, now, used)
		status := func(at time.Time, id string) (found Status) {
			t.Helper()
			err := d.View(ctx, dbtest.At(at), func(v *db.View) error {
				one, err := Find(ctx, v, "c", id)
				if err != nil {
					return err
				}
				found = one.Status(at)
				for s := NotInEffect; s <= Unsubscribed; s++ {
					_, page, err := List(ctx, v, "c", &Query{Status: &s}, 0, 10)
					if err != nil {
						return err
					}
					for i := range page {
						if page[i].ID == id && s != found {
							t.Errorf("%s: the database says %d, the room %d", show(at), s, found)
						}
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		for _, k := range []struct {
			at   time.Time
			id   string
			want Status
		}{
			{now, p.ID, NotInEffect}, {p.Effective, p.ID, InEffect}, {p.Effective, used.ID, UsedUp},
			{p.Expires.Add(-time.Microsecond), p.ID, InEffect}, {p.Expires, p.ID, Expired}, {p.Expires, used.ID, Expired},
		} {
			if got := status(k.at, k.id); got != k.want {
				t.Errorf("%s: %d, want %d", show(k.at), got, k.want)
			}
		}
		stop := func(at time.Time, id string) error {
			return d.Update(ctx, dbtest.At(at), func(tx *db.Tx) error { _, err := End(ctx, tx, "c", id); return err })
		}
		if err := stop(p.Effective, p.ID); err != nil || status(p.Effective, p.ID) != Unsubscribed || status(p.Expires, p.ID) != Unsubscribed {
			t.Error(err)
		}
		if err := stop(p.Effective, p.ID); !fault.Is(err, "PURSER.1002") {
			t.Errorf("ended twice: %v", err)
		}
		if err := stop(used.Expires, used.ID); !fault.Is(err, "PURSER.1002") {
			t.Errorf("ended after its end: %v", err)
		}
		if err := stop(now, "RP1"); !fault.Is(err, "PURSER.1001") {
			t.Errorf("unknown: %v", err)
		}
		if err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error { _, err := End(ctx, tx, "other", used.ID); return err }); !fault.Is(err, "PURSER.1001") {
			t.Errorf("another's: %v", err)
		}
	})
}

func TestList(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a, _ := Of(storage(100, catalog.OneOff, "", ""), period.Month, 1, now)
		a.Customer, a.Order = "c", "CS1"
		b := a
		b.Order, b.Project, b.Service, b.Region, b.Product = "CS2", "p1", "hws.service.type.cdn", "r2", "OFFI2"
		g := a
		g.Order, g.Source, g.Name, g.Items = "", Gift, catalog.Text{En: "CDN_traffic", Zh: "流量包"}, append(g.Items, Item{No: 2, UsageType: "upflow", Amount: money.DecimalOf(1), Rest: money.DecimalOf(1), Unit: 10})
		names := map[string]string{}
		names[give(t, d, now, a).ID] = "a"
		names[give(t, d, now.Add(time.Hour), b).ID] = "b"
		names[give(t, d, now.Add(2*time.Hour), g).ID] = "g"
		other := a
		other.Customer = "d"
		give(t, d, now, other)
		ask := func(at time.Time, customer string, q Query, offset, limit int) (int, string) {
			t.Helper()
			var total int
			var page []Package
			err := d.View(context.Background(), dbtest.At(at), func(v *db.View) (err error) {
				total, page, err = List(context.Background(), v, customer, &q, offset, limit)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for i := range page {
				out = append(out, names[page[i].ID])
			}
			return total, strings.Join(out, "")
		}
		later := now.Add(3 * time.Hour)
		for _, k := range []struct {
			q    Query
			want string
		}{
			{Query{}, "ga"}, {Query{Project: "p1"}, "b"}, {Query{Project: "p2"}, ""}, {Query{Order: "cs1"}, "a"}, {Query{Region: "r2"}, ""},
			{Query{Region: "r2", Project: "p1"}, "b"}, {Query{Product: "OFFI1"}, "ga"}, {Query{Services: []string{"hws.service.type.cdn"}, Project: "p1"}, "b"},
			{Query{Services: []string{"hws.service.type.cdn", "hws.service.type.obs"}}, "ga"}, {Query{Name: "cdn_", Language: catalog.English}, "g"},
			{Query{Name: "s_", Language: catalog.English}, ""}, {Query{Name: "100%", Language: catalog.English}, "a"}, {Query{Name: "包"}, "ga"}, {Query{Name: "CDN"}, ""},
		} {
			if total, got := ask(later, "c", k.q, 0, 10); got != k.want || total != len(k.want) {
				t.Errorf("%+v: %d, %q, want %q", k.q, total, got, k.want)
			}
		}
		if total, got := ask(later, "c", Query{}, 1, 1); total != 2 || got != "a" {
			t.Errorf("a page: %d, %q", total, got)
		}
		if total, _ := ask(a.Expires.AddDate(0, 18, 0), "c", Query{}, 0, 10); total != 2 {
			t.Errorf("18 months after the end: %d", total)
		}
		if total, _ := ask(a.Expires.AddDate(0, 18, 1), "c", Query{}, 0, 10); total != 0 {
			t.Errorf("more than 18 months after the end: %d", total)
		}
		err := d.View(t.Context(), dbtest.At(later), func(v *db.View) error {
			of, err := OfOrder(t.Context(), v, "c", "CS2")
			if err == nil && (len(of) != 1 || len(of[0].Items) != 1 || of[0].ItemID(&of[0].Items[0]) != of[0].ID+"-01") {
				t.Errorf("%+v", of)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
