package charge

import (
	"strings"
	"testing"

	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/period"
)

// Records of one resource are found by the index that is made for it: by the quarters of days on which something was booked.
func TestRecordsOfAResourceHaveAnIndex(t *testing.T) {
	d := dbtest.SQLite(t)
	for _, f := range []*Filter{
		{Resource: new("i-3"), booked: []period.Date{20_780, 20_781}},
		{Resource: new("i-3"), Instances: []string{"a"}, booked: []period.Date{20_780}},
	} {
		where, args := f.where("c", 682, true)
		for _, text := range []string{`SELECT ` + counted + ` FROM charge_fee` + where, `SELECT ` + columns + ` FROM charge_fee` + where + ` ORDER BY ` + f.order(false) + ` LIMIT 10`} {
			rows, err := d.SQL().Query(`EXPLAIN QUERY PLAN `+text, args...)
			if err != nil {
				t.Fatal(err)
			}
			plan := ""
			for rows.Next() {
				var id, parent, unused int
				var line string
				if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
					t.Fatal(err)
				}
				plan += line + "\n"
			}
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(plan, "charge_fee_resource (customer=? AND cycle=? AND <expr>=? AND resource=?)") || strings.Contains(plan, "charge_fee_cycle") {
				t.Errorf("%s: %s", text[:40], plan)
			}
		}
	}
}
