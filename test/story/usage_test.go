package story_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/purser"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// kinds are what a story calls products that are paid per use.
var kinds = map[string][4]string{
	"server": {"hws.service.type.ec2", "hws.resource.type.vm", "s3.small.1.linux", "ap-southeast-1"},
	"disk":   {"hws.service.type.ebs", "hws.resource.type.volume", "SAS", "ap-southeast-1"},
	"bucket": {"hws.service.type.obs", "hws.resource.type.obs", "obs.standard.single", "ap-southeast-1"},
	"site":   {"hws.service.type.cdn", "hws.resource.type.cdn", "cdn.flow.mainland", "ap-southeast-1"},

	"traffic": {"hws.service.type.cdn", "hws.resource.type.cdn", "cdn.flow.volume", "ap-southeast-1"},
}

func init() {
	for verb, tell := range map[string]func(*story, []string) error{
		"use":      (*story).use,      // use RESOURCE KIND FACTOR VALUE UNIT FROM [HOURS] [size=GB] [as=ID] [again=yes]: a record for each hour
		"give":     (*story).give,     // give KIND SPEC PERIODS: a resource package
		"start":    (*story).start,    // start RESOURCE: a server that the house meters itself
		"stop":     (*story).stop,     // stop RESOURCE
		"machine":  (*story).machine,  // machine RESOURCE STATUS: of a pay-per-use resource
		"charged":  (*story).charged,  // charged RESOURCE FACTOR YYYY-MM FIELD VALUE [FIELD VALUE...]: what its fee records come to
		"billed":   (*story).billed,   // billed BILL_TYPE YYYY-MM AMOUNT: what the fee records of a type come to
		"left":     (*story).left,     // left SPEC AMOUNT: of the first item of a package
		"standing": (*story).standing, // standing FIELD VALUE: of the customer
	} {
		verbs[verb] = tell
	}
}

func (s *story) use(words []string) error {
	plain, named := options(words)
	kind, ok := kinds[plain[1]]
	if !ok {
		return fmt.Errorf("no kind %s", plain[1])
	}
	from, err := time.ParseInLocation("2006-01-02T15:04", plain[5], period.GMT8)
	if err != nil {
		return err
	}
	hours := 1
	if len(plain) > 6 {
		if hours, err = strconv.Atoi(plain[6]); err != nil {
			return err
		}
	}
	unit, err := strconv.Atoi(plain[4])
	if err != nil {
		return err
	}
	var list []map[string]any
	for i := range hours {
		at := from.Add(time.Duration(i) * time.Hour).UTC()
		r := map[string]any{
			"source": "story", "id": fmt.Sprintf("%s-%s-%s%s", plain[0], plain[2], at.Format(time.RFC3339), named["as"]), "customer_id": s.customer.DomainID, "resource_id": plain[0],
			"cloud_service_type": kind[0], "resource_type": kind[1], "resource_spec": kind[2], "region": kind[3], "usage_factor": plain[2], "usage_value": plain[3],
			"usage_measure_id": unit, "start_time": at.Format(time.RFC3339), "end_time": at.Add(time.Hour).Format(time.RFC3339),
		}
		if size := named["size"]; size != "" {
			r["resource_size"], r["size_measure_id"] = size, 17
		}
		list = append(list, r)
	}
	body, err := json.Marshal(list)
	if err != nil {
		return err
	}
	r, err := s.operator.Purser.AcceptUsageWithBodyWithResponse(s.Context(), "application/json", bytes.NewReader(body))
	if err := answer(r, r.Body, err, 200); err != nil {
		return err
	}
	if count := int(r.JSON200.Accepted); named["again"] == "" && count != hours || named["again"] != "" && int(r.JSON200.Duplicates) != hours {
		return fmt.Errorf("%s", r.Body)
	}
	return nil
}

func (s *story) give(words []string) error {
	kind := kinds[words[0]]
	n, err := strconv.Atoi(words[2])
	if err != nil {
		return err
	}
	r, err := s.operator.Purser.GivePackageWithResponse(s.Context(), nil, purser.GivePackageRequest{
		CustomerId: s.customer.DomainID, Region: kind[3], Service: kind[0], ResourceType: kind[1], ResourceSpec: words[1], Periods: int32(n),
	})
	return answer(r, r.Body, err, 201)
}

func (s *story) start(words []string) error {
	kind := kinds["server"]
	r, err := s.operator.Purser.RegisterUsageResourceWithResponse(s.Context(), purser.RegisterUsageResourceRequest{
		CustomerId: s.customer.DomainID, ResourceId: words[0], CloudServiceType: kind[0], ResourceType: kind[1], ResourceSpec: kind[2], Region: kind[3], SelfMeteredBy: new("Duration"),
	})
	if err := answer(r, r.Body, err, 200); err != nil {
		return err
	}
	return s.act(words[0], "start")
}

func (s *story) stop(words []string) error { return s.act(words[0], "stop") }

func (s *story) act(resource, action string) error {
	r, err := s.operator.Purser.ActOnUsageResourceWithResponse(s.Context(), resource, purser.ActOnUsageResourceRequest{
		CustomerId: s.customer.DomainID, Action: purser.ActOnUsageResourceRequestAction(action),
	})
	return answer(r, r.Body, err, 200)
}

func (s *story) machine(words []string) error {
	id := words[0]
	if one, err := s.first(id); err == nil {
		id = one.ResourceId // what was bought by an order of the story
	}
	r, err := s.me.Purser.ListUsageResourcesWithResponse(s.Context(), &purser.ListUsageResourcesParams{ResourceId: &id})
	if err := answer(r, r.Body, err, 200); err != nil {
		return err
	}
	if len(r.JSON200.Resources) == 0 {
		return fmt.Errorf("there is no %s", words[0])
	}
	return same("status", fmt.Sprint(r.JSON200.Resources[0].Status), words[1])
}

func (s *story) charged(words []string) error {
	id := words[0]
	if one, err := s.first(id); err == nil {
		id = one.ResourceId
	}
	sums := map[string]money.Decimal{}
	records, corrections := 0, 0
	for offset := int32(0); ; offset += 1000 {
		r, err := s.me.Purser.ListFeeRecordsWithResponse(s.Context(), &purser.ListFeeRecordsParams{Cycle: words[2], Offset: &offset, Limit: new(int32(1000))})
		if err := answer(r, r.Body, err, 200); err != nil {
			return err
		}
		for _, f := range r.JSON200.FeeRecords {
			if f.ResourceId != id || f.UsageFactor != words[1] {
				continue
			}
			records++
			if f.Corrects != "" {
				corrections++
			}
			for name, text := range map[string]string{
				"usage": f.Usage, "covered": f.PackageUsage, "official": f.OfficialAmount, "amount": f.Amount, "cash": f.CashAmount, "coupon": f.CouponAmount, "debt": f.DebtAmount,
			} {
				d, err := money.ParseDecimal(text)
				if err != nil {
					return err
				}
				if sums[name], err = sums[name].Add(d); err != nil {
					return err
				}
			}
		}
		if offset+1000 >= int32(r.JSON200.TotalCount) {
			break
		}
	}
	have := map[string]string{"records": fmt.Sprint(records), "corrections": fmt.Sprint(corrections)}
	for _, name := range strings.Fields("usage covered official amount cash coupon debt") {
		have[name] = sums[name].String()
	}
	return s.fields(words[3:], have)
}

func (s *story) billed(words []string) error {
	var sum money.Decimal
	for offset := int32(0); ; offset += 1000 {
		r, err := s.me.Purser.ListFeeRecordsWithResponse(s.Context(), &purser.ListFeeRecordsParams{Cycle: words[1], Offset: &offset, Limit: new(int32(1000))})
		if err := answer(r, r.Body, err, 200); err != nil {
			return err
		}
		for _, f := range r.JSON200.FeeRecords {
			if fmt.Sprint(f.BillType) != words[0] {
				continue
			}
			d, err := money.ParseDecimal(f.Amount)
			if err != nil {
				return err
			}
			if sum, err = sum.Add(d); err != nil {
				return err
			}
		}
		if offset+1000 >= int32(r.JSON200.TotalCount) {
			return same("amount", sum.String(), words[2])
		}
	}
}

func (s *story) left(words []string) error {
	r, err := s.me.BSS.ListFreeResourceInfosWithResponse(s.Context(), &bss.ListFreeResourceInfosParams{XLanguage: new("en_US")}, bss.ListFreeResourceInfosJSONRequestBody{Limit: new(int32(100))})
	if err := answer(r, r.Body, err, 200); err != nil {
		return err
	}
	for _, p := range r.JSON200.FreeResourcePackages {
		if strings.Contains(p.ProductName, words[0]) {
			return same("left", p.FreeResources[0].Amount, words[1])
		}
	}
	return fmt.Errorf("no package %s: %s", words[0], r.Body)
}

func (s *story) standing(words []string) error {
	body := purser.ChangeCustomerRequest{}
	switch words[0] {
	case "settlement":
		body.Settlement = new(purser.ChangeCustomerRequestSettlement(words[1]))
	case "credit":
		body.CreditLimit = &words[1]
	default:
		return fmt.Errorf("no field %s", words[0])
	}
	r, err := s.operator.Purser.ChangeCustomerWithResponse(s.Context(), s.customer.DomainID, nil, body)
	return answer(r, r.Body, err, 200)
}
