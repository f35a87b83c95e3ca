// Kinds writes a month that holds every kind of charge (api.md 0.12), with and without coupon, as FOCUS in Parquet.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/internal/focus"
	"github.com/purser-cloud/purser/internal/period"
)

const (
	term  = `"charge_mode": "1", "effective_time": "2026-10-10T02:00:00Z", "expire_time": "2027-10-10T15:59:59Z"`
	usage = `"charge_mode": "3", "effective_time": "2026-10-09T18:00:00Z", "expire_time": "2026-10-09T19:00:00Z", "usage": 3600, "usage_type": "Duration", "usage_measure_id": 6`
	plain = `"charge_mode": "3", "consume_time": "2026-10-20T02:00:00Z"`
	bare  = plain + `, "effective_time": "2026-10-20T02:00:00Z", "expire_time": "2026-10-20T02:00:00Z", "region": "", "region_name": "", "resource_id": "", "resource_name": "", "product_id": "",
		"product_name": "", "sku_code": null, "resource_tag": ""` // what is of no single resource, as purser has it
)

// kinds are bill types with what is special about them.
var kinds = []struct {
	billType int
	more     string
}{
	{1, term}, {2, term}, {3, term}, {8, term}, {18, term},
	{4, `"charge_mode": "1", "consume_time": "2026-10-20T02:00:00Z"`}, {20, `"charge_mode": "1", "consume_time": "2026-10-20T02:00:00Z"`}, {24, `"charge_mode": "1", "consume_time": "2026-10-20T02:00:00Z"`},
	{5, usage + `, "unit_price": 0.0151, "unit": "USD/Hour"`}, {5, usage}, {12, usage + `, "unit_price": 0.0151, "unit": "USD/GB/Hour"`},
	{9, plain}, {14, plain}, {15, plain}, {16, plain}, {17, plain}, {100, plain}, {101, plain}, {102, plain},
	{9, bare}, {15, bare}, {16, bare}, {100, bare}, {101, bare}, {102, bare},
}

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	cycle, err := period.ParseCycle("2026-10")
	if err != nil {
		return err
	}
	s := focus.Source{Currency: "USD", Units: map[int32]string{6: "Second"}}
	var rows []focus.Row
	for i, k := range kinds {
		amount, discount, coupon := "9.06", "0.94", "0"
		switch {
		case k.billType == 4 || k.billType == 20 || k.billType == 24 || k.billType == 9 || k.billType == 100 || k.billType == 101:
			amount, discount = "-9.06", "-0.94"
		case i%2 == 0:
			coupon = "1.23456789"
		}
		official := "10"
		if amount[0] == '-' {
			official = "-10"
		}
		var f bss.ResFeeRecordV2
		text := fmt.Sprintf(`{"id": "r%d", "bill_type": %d, "customer_id": "c", "account_name": "firm", "region": "ap-southeast-1", "region_name": "Hong Kong", "cloud_service_type": "hws.service.type.ec2",
			"cloud_service_type_name": "Elastic Cloud Server", "resource_id": "r-%d", "resource_name": "web", "resource_type": "hws.resource.type.vm", "resource_type_name": "Cloud Host", "product_id": "P%d",
			"product_name": "s3", "sku_code": "s3.small.1.linux", "enterprise_project_id": "0", "enterprise_project_name": "default", "trade_id": "t%d", "trade_time": "2026-10-10T02:00:00Z", "resource_tag": "team=web",
			"official_amount": %s, "discount_amount": %s, "amount": %s, "coupon_amount": %s, "usage": 0, %s}`, i, k.billType, i, i, i, official, discount, amount, coupon, k.more)
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			return err
		}
		if rows, err = s.Rows(&f, cycle, rows); err != nil {
			return err
		}
		earlier := cycle.Add(-1)
		begins, ends := "2026-09-05T02:00:00Z", "2027-09-05T15:59:59Z"
		if f.EffectiveTime != nil && f.ChargeMode == "1" {
			f.EffectiveTime, f.ExpireTime = &begins, &ends
		}
		row, ok, err := s.Later(&f, earlier, cycle)
		if err != nil {
			return err
		}
		if ok {
			rows = append(rows, row)
		}
	}
	w := focus.NewParquet(os.Stdout)
	if err := w.Write(rows); err != nil {
		return err
	}
	return w.Close()
}
