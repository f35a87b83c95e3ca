// Package story_test tells what happens to a customer over time, in files that a billing person can read
// (testdata/*.story), against the whole house on a turned clock; each on SQLite and on PostgreSQL.
//
// A line is a verb with its arguments; # begins a comment. Times are GMT+8. See verbs below.
package story_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/purser"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/house/housetest"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
)

// story is one telling of one file.
type story struct {
	*testing.T
	house    *house.House
	demo     *house.Demo
	operator *client.Client
	me       *client.Client
	customer house.Credentials
	names    map[string]string // what the story calls an order, coupon or discount → its id
	types    map[string]int32  // of discounts: the type in a payment
	at       time.Time         // to which the clock was turned last
}

// refusal is an answer other than the wanted one.
type refusal struct {
	status int
	body   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.body) }

var codeIn = regexp.MustCompile(`"error_code":"([^"]+)"`)

func (r *refusal) code() string {
	if m := codeIn.FindStringSubmatch(r.body); m != nil {
		return m[1]
	}
	return ""
}

// answer turns a reply into an error unless it has the wanted status.
func answer(r interface{ StatusCode() int }, body []byte, err error, want int) error {
	if err == nil && r.StatusCode() != want {
		err = &refusal{r.StatusCode(), string(body)}
	}
	return err
}

func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.story")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".story")
		t.Run(name+"/sqlite", func(t *testing.T) { tell(t, file, "") })
		if address := os.Getenv("PURSER_TEST_POSTGRES"); address != "" {
			t.Run(name+"/postgres", func(t *testing.T) { tell(t, file, address) })
		}
	}
}

func tell(t *testing.T, file, address string) {
	s := &story{T: t, names: map[string]string{}, types: map[string]int32{}}
	s.open(address)
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	lines := bufio.NewScanner(text)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if err := s.line(words); err != nil {
			t.Fatalf("%s:%d: %s: %v", file, n, strings.Join(words, " "), err)
		}
	}
	s.identities()
}

// identities holds everything that the bills say against each other at the end of a story, and again once its last month is closed.
func (s *story) identities() {
	s.Helper()
	if err := s.check(nil); err != nil {
		s.Errorf("at the end: %v", err)
	}
	if s.at.IsZero() {
		return
	}
	closes := period.CycleOf(s.at).Closes().In(period.GMT8)
	if err := s.clock(strings.Fields(closes.Format("2006-01-02 15:04"))); err != nil {
		s.Fatal(err)
	}
	if err := s.check(nil); err != nil {
		s.Errorf("once the month is closed: %v", err)
	}
}

// Stories tell of 2027 to 2029, whenever they are told: all of them begin on the same morning, and no hour ends meanwhile.
var (
	now   = housetest.From(time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC))
	today = housetest.Template{Clock: now}
)

// open opens a house with the demo cloud, on SQLite or on the PostgreSQL server at the address.
func (s *story) open(address string) {
	s.Helper()
	data, database := today.Furnished(s, address)
	h, err := house.Open(context.Background(), house.Config{Version: "story", Data: data, Database: database, Listen: "127.0.0.1:0", TestClock: true, Limits: "off", Clock: now})
	if err != nil {
		s.Fatal(err)
	}
	s.house = h
	ctx, stop := context.WithCancel(context.Background())
	opened, over := make(chan struct{}), make(chan error, 1)
	go func() {
		over <- h.Serve(ctx, func(endpoint, tls string) (err error) {
			s.demo, err = h.WriteDemo(endpoint, tls)
			close(opened)
			return err
		})
	}()
	select {
	case <-opened:
	case err := <-over:
		s.Fatal(err)
	}
	s.Cleanup(func() {
		stop()
		if err := <-over; err != nil {
			s.Error(err)
		}
		if err := h.Close(); err != nil {
			s.Error(err)
		}
	})
	s.operator = s.client(s.demo.Operator)
	s.customer = s.demo.Customers[0]
	if err := s.stop([]string{"burst-" + s.customer.DomainID[:8]}); err != nil { // the demo's own server would be settled for every hour of every story
		s.Fatal(err)
	}
	s.keepByMonth("shop") // nor what goes on by use once it has expired
}

// keepByMonth takes it back that a resource of the customer goes on by use after its expiry.
func (s *story) keepByMonth(name string) {
	s.Helper()
	me := s.client(s.customer).BSS
	list, err := me.ListPayPerUseCustomerResourcesWithResponse(s.Context(), bss.ListPayPerUseCustomerResourcesJSONRequestBody{OnlyMainResource: new(bss.QueryResourcesReqOnlyMainResource(1)), Limit: new(int32(100))})
	if err := answer(list, list.Body, err, 200); err != nil {
		s.Fatal(err)
	}
	in := bss.UpdatePeriodToOnDemandJSONRequestBody{Operation: "CANCEL"}
	for i := range list.JSON200.Data {
		if one := &list.JSON200.Data[i]; one.ResourceName == name {
			in.ResourceIds = append(in.ResourceIds, one.ResourceId)
		}
	}
	r, err := me.UpdatePeriodToOnDemandWithResponse(s.Context(), in)
	if err := answer(r, r.Body, err, 200); err != nil || len(r.JSON200.ErrorDetails) > 0 {
		s.Fatal(err, string(r.Body))
	}
}

func (s *story) client(c house.Credentials) *client.Client {
	s.Helper()
	out, err := client.New(s.demo.Endpoint, client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}, &http.Client{Timeout: time.Minute}, now)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// verbs are the words that a line may begin with.
var verbs map[string]func(*story, []string) error

func init() {
	verbs = map[string]func(*story, []string) error{
		"clock":       (*story).clock,       // clock 2027-01-31 10:30: turn the whole house's clock
		"customer":    (*story).as,          // customer NAME: whose story it is from here on
		"topup":       (*story).topUp,       // topup AMOUNT
		"withdraw":    (*story).withdraw,    // withdraw AMOUNT
		"adjust":      (*story).adjust,      // adjust AMOUNT RESOURCE_TYPE: on the bill of the running month
		"tax":         (*story).tax,         // tax COUNTRY RATE
		"coupon":      (*story).coupon,      // coupon NAME FACE [KEY=VALUE...]: issue a version-2 coupon with limits
		"nocoupons":   (*story).noCoupons,   // nocoupons: withdraw every coupon of the customer
		"discount":    (*story).discount,    // discount NAME TYPE RATIO [ORDER]
		"order":       (*story).order,       // order NAME NUM SPEC PERIOD[m|y] [disk=GB] [hold=COUPON]
		"address":     (*story).address,     // address NAME MBIT PERIOD[m|y]: order an elastic IP with its bandwidth
		"pay":         (*story).pay,         // pay NAME [coupon=NAME] [discount=NAME]
		"cancel":      (*story).cancel,      // cancel NAME
		"unsubscribe": (*story).unsubscribe, // unsubscribe NAME as ORDER [renewals]: the first resource of NAME
		"renew":       (*story).renew,       // renew NAME PERIOD[m|y] as ORDER [pay]: the first resource of NAME
		"autorenew":   (*story).autoRenew,   // autorenew NAME on [TIMES]|off
		"ondemand":    (*story).onDemand,    // ondemand NAME on|off: pay-per-use when it expires
		"resize":      (*story).resize,      // resize NAME GB as ORDER [pay]: the disk of NAME
		"renewday":    (*story).renewDay,    // renewday DAY: renewed resources expire on that day of the month; -1 the last
		"resource":    (*story).resource,    // resource NAME FIELD VALUE [FIELD VALUE...]: the first resource of NAME
		"verdict":     (*story).verdict,     // verdict NAME approve|refuse|confirm
		"expect":      (*story).expect,      // expect cash AMOUNT; expect NAME FIELD VALUE [FIELD VALUE...]
		"refused":     (*story).refused,     // refused CODE VERB ...
		"check":       (*story).check,       // the books add up
	}
}

func (s *story) line(words []string) error {
	verb, ok := verbs[words[0]]
	if !ok {
		return fmt.Errorf("no such verb")
	}
	return verb(s, words[1:])
}

// id is what the story calls something, or the word itself.
func (s *story) id(name string) string {
	if id, ok := s.names[name]; ok {
		return id
	}
	return name
}

// options splits "a b=c" into words and named values.
func options(words []string) (plain []string, named map[string]string) {
	named = map[string]string{}
	for _, w := range words {
		if key, value, ok := strings.Cut(w, "="); ok {
			named[key] = value
		} else {
			plain = append(plain, w)
		}
	}
	return plain, named
}

func (s *story) clock(words []string) error {
	at, err := time.ParseInLocation("2006-01-02 15:04", strings.Join(words, " "), period.GMT8)
	if err != nil {
		return err
	}
	r, err := s.operator.Purser.MoveClockWithResponse(s.Context(), purser.MoveClockRequest{Time: at.UTC().Format("2006-01-02T15:04:05Z")})
	if err := answer(r, r.Body, err, 200); err != nil {
		return err
	}
	s.at = at
	if r.JSON200.State != "done" {
		return fmt.Errorf("the night shift is not done: %s", r.Body)
	}
	return nil
}

func (s *story) as(words []string) error {
	for _, c := range s.demo.Customers {
		if c.DomainName == words[0] {
			s.customer, s.me = c, s.client(c)
			return nil
		}
	}
	return fmt.Errorf("no such customer")
}

func (s *story) topUp(words []string) error {
	r, err := s.operator.Purser.TopUpCustomerWithResponse(s.Context(), s.customer.DomainID, nil, purser.MovementRequest{Amount: words[0]})
	return answer(r, r.Body, err, 201)
}

func (s *story) withdraw(words []string) error {
	r, err := s.operator.Purser.WithdrawFromCustomerWithResponse(s.Context(), s.customer.DomainID, nil, purser.MovementRequest{Amount: words[0]})
	return answer(r, r.Body, err, 201)
}

func (s *story) adjust(words []string) error {
	r, err := s.operator.Purser.AdjustBalanceWithResponse(s.Context(), s.customer.DomainID, nil, purser.AdjustmentRequest{Amount: words[0], ResourceTypeCode: &words[1]})
	return answer(r, r.Body, err, 201)
}

func (s *story) tax(words []string) error {
	r, err := s.operator.Purser.SetTaxRateWithResponse(s.Context(), nil, purser.TaxRate{Country: words[0], Rate: words[1]})
	return answer(r, r.Body, err, 201)
}

func (s *story) coupon(words []string) error {
	plain, named := options(words)
	var limits []purser.CouponLimit
	for key, value := range named {
		limits = append(limits, purser.CouponLimit{LimitKey: key, Value1: value})
	}
	r, err := s.operator.Purser.IssueCouponsWithResponse(s.Context(), nil, purser.IssueCouponsRequest{
		CustomerIds: []string{s.customer.DomainID}, FaceValue: plain[1], Version: 2, Limits: limits,
	})
	if err := answer(r, r.Body, err, 201); err != nil {
		return err
	}
	s.names[plain[0]] = r.JSON201.Coupons[0].CouponId
	return nil
}

func (s *story) noCoupons([]string) error {
	list, err := s.me.BSS.ListSubCustomerCouponsWithResponse(s.Context(), &bss.ListSubCustomerCouponsParams{Limit: new(int32(100)), Status: new(bss.ListSubCustomerCouponsParamsStatus(2))})
	if err := answer(list, list.Body, err, 200); err != nil {
		return err
	}
	for _, c := range list.JSON200.UserCoupons {
		r, err := s.operator.Purser.ActOnCouponWithResponse(s.Context(), c.CouponId, purser.ActOnCouponRequest{CustomerId: s.customer.DomainID, Action: "withdraw"})
		if err := answer(r, r.Body, err, 204); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) discount(words []string) error {
	kind, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	body := purser.GrantDiscountRequest{CustomerId: s.customer.DomainID, Name: words[0], DiscountType: purser.GrantDiscountRequestDiscountType(kind), Ratio: &words[2]}
	s.types[words[0]] = map[int]int32{200: 0, 605: 2, 606: 2, 607: 3, 609: 609}[kind]
	if len(words) > 3 {
		body.OrderId = new(s.id(words[3]))
	}
	r, err := s.operator.Purser.GrantDiscountWithResponse(s.Context(), nil, body)
	if err := answer(r, r.Body, err, 201); err != nil {
		return err
	}
	s.names[words[0]] = r.JSON201.DiscountId
	return nil
}

func (s *story) order(words []string) error {
	plain, named := options(words)
	num, err := strconv.Atoi(plain[1])
	if err != nil {
		return err
	}
	periods, err := strconv.Atoi(plain[3][:len(plain[3])-1])
	if err != nil {
		return err
	}
	product := purser.PrimaryProduct{
		Id: "1", CloudServiceType: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", ResourceSpec: plain[2], Region: s.demo.Region,
		PeriodType: map[byte]purser.PrimaryProductPeriodType{'m': 2, 'y': 3}[plain[3][len(plain[3])-1]], PeriodNum: int32(periods), SubscriptionNum: int32(num), ResourceName: &plain[0],
	}
	if gb, err := strconv.Atoi(named["disk"]); err == nil {
		product.Attached = []purser.OrderProduct{{
			Id: "2", CloudServiceType: "hws.service.type.ebs", ResourceType: "hws.resource.type.volume", ResourceSpec: "SAS", Region: s.demo.Region,
			ResourceSize: new(int32(gb)), SizeMeasureId: new(int32(17)), SubscriptionNum: 1,
		}}
	}
	body := purser.PlaceOrderRequest{Products: []purser.PrimaryProduct{product}}
	if held := named["hold"]; held != "" {
		body.CouponId = new(s.id(held))
	}
	r, err := s.me.Purser.PlaceOrderWithResponse(s.Context(), nil, body)
	if err := answer(r, r.Body, err, 201); err != nil {
		return err
	}
	s.names[plain[0]] = r.JSON201.OrderId
	return nil
}

func (s *story) address(words []string) error {
	size, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	periods, err := strconv.Atoi(words[2][:len(words[2])-1])
	if err != nil {
		return err
	}
	r, err := s.me.Purser.PlaceOrderWithResponse(s.Context(), nil, purser.PlaceOrderRequest{Products: []purser.PrimaryProduct{{
		Id: "1", CloudServiceType: "hws.service.type.vpc", ResourceType: "hws.resource.type.ip", ResourceSpec: "5_bgp", Region: s.demo.Region,
		PeriodType: map[byte]purser.PrimaryProductPeriodType{'m': 2, 'y': 3}[words[2][len(words[2])-1]], PeriodNum: int32(periods), SubscriptionNum: 1, ResourceName: &words[0],
		Attached: []purser.OrderProduct{{
			Id: "2", CloudServiceType: "hws.service.type.vpc", ResourceType: "hws.resource.type.bandwidth", ResourceSpec: "19_bgp", Region: s.demo.Region,
			ResourceSize: new(int32(size)), SizeMeasureId: new(int32(15)), SubscriptionNum: 1,
		}},
	}}})
	if err := answer(r, r.Body, err, 201); err != nil {
		return err
	}
	s.names[words[0]] = r.JSON201.OrderId
	return nil
}

func (s *story) pay(words []string) error {
	plain, named := options(words)
	body := bss.PayOrdersJSONRequestBody{OrderId: s.id(plain[0]), UseCoupon: "NO", UseDiscount: "NO"}
	if name := named["coupon"]; name != "" {
		body.UseCoupon, body.CouponInfos = "YES", []bss.CouponSimpleInfoOrderPayV3{{Id: s.id(name), Type: 301}}
	}
	if name := named["discount"]; name != "" {
		body.UseDiscount, body.DiscountInfos = "YES", []bss.DiscountSimpleInfoV3{{Id: s.id(name), Type: bss.DiscountSimpleInfoV3Type(s.types[name])}}
	}
	r, err := s.me.BSS.PayOrdersWithResponse(s.Context(), body)
	return answer(r, r.Body, err, 204)
}

func (s *story) cancel(words []string) error {
	r, err := s.me.BSS.CancelCustomerOrderWithResponse(s.Context(), bss.CancelCustomerOrderJSONRequestBody{OrderId: s.id(words[0])})
	return answer(r, r.Body, err, 204)
}

// first is the first primary resource of an order.
func (s *story) first(name string) (*bss.OrderInstanceV2, error) {
	q, err := s.me.BSS.ListPayPerUseCustomerResourcesWithResponse(s.Context(), bss.ListPayPerUseCustomerResourcesJSONRequestBody{OrderId: new(s.id(name)), OnlyMainResource: new(bss.QueryResourcesReqOnlyMainResource(1))})
	if err := answer(q, q.Body, err, 200); err != nil {
		return nil, err
	}
	if len(q.JSON200.Data) == 0 {
		return nil, fmt.Errorf("it has no resource")
	}
	return &q.JSON200.Data[0], nil
}

func (s *story) unsubscribe(words []string) error {
	one, err := s.first(words[0])
	if err != nil {
		return err
	}
	body := bss.CancelResourcesSubscriptionJSONRequestBody{ResourceIds: []string{one.ResourceId}, UnsubscribeType: 1}
	if words[len(words)-1] == "renewals" {
		body.UnsubscribeType, words = 2, words[:len(words)-1]
	}
	r, err := s.me.BSS.CancelResourcesSubscriptionWithResponse(s.Context(), body)
	if err := answer(r, r.Body, err, 200); err != nil {
		return err
	}
	if len(words) == 3 {
		s.names[words[2]] = r.JSON200.OrderIds[0]
	}
	return nil
}

func (s *story) renew(words []string) error {
	one, err := s.first(words[0])
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(words[1][:len(words[1])-1])
	if err != nil {
		return err
	}
	body := bss.RenewalResourcesJSONRequestBody{ResourceIds: []string{one.ResourceId}, PeriodNum: int32(n), PeriodType: 2}
	if words[1][len(words[1])-1] == 'y' {
		body.PeriodType = 3
	}
	if words[len(words)-1] == "pay" {
		body.IsAutoPay = new(bss.RenewalResourcesReqIsAutoPay(1))
	}
	r, err := s.me.BSS.RenewalResourcesWithResponse(s.Context(), body)
	if err := answer(r, r.Body, err, 200); err != nil {
		return err
	}
	if len(r.JSON200.FailResourceInfos) > 0 {
		return &refusal{200, string(r.Body)}
	}
	s.names[words[3]] = r.JSON200.OrderIds[0]
	return nil
}

func (s *story) resize(words []string) error {
	q, err := s.me.BSS.ListPayPerUseCustomerResourcesWithResponse(s.Context(), bss.ListPayPerUseCustomerResourcesJSONRequestBody{OrderId: new(s.id(words[0])), ServiceTypeCode: new("hws.service.type.ebs")})
	if err := answer(q, q.Body, err, 200); err != nil {
		return err
	}
	if len(q.JSON200.Data) == 0 {
		return fmt.Errorf("it has no disk")
	}
	gb, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	r, err := s.me.Purser.ChangeResourceWithResponse(s.Context(), nil, purser.ChangeResourceRequest{
		ResourceId: q.JSON200.Data[0].ResourceId, ResourceSize: new(int32(gb)), SizeMeasureId: new(int32(17)), AutoPay: new(words[len(words)-1] == "pay"),
	})
	if err := answer(r, r.Body, err, 201); err != nil {
		return err
	}
	s.names[words[3]] = r.JSON201.OrderId
	return nil
}

func (s *story) autoRenew(words []string) error {
	one, err := s.first(words[0])
	if err != nil {
		return err
	}
	if words[1] == "off" {
		r, err := s.me.BSS.CancelAutoRenewalResourcesWithResponse(s.Context(), one.ResourceId)
		return answer(r, r.Body, err, 204)
	}
	var body bss.AutoRenewalResourcesJSONRequestBody
	if len(words) > 2 {
		n, err := strconv.Atoi(words[2])
		if err != nil {
			return err
		}
		body.AutoRenewTimes = new(int32(n))
	}
	r, err := s.me.BSS.AutoRenewalResourcesWithResponse(s.Context(), one.ResourceId, body)
	return answer(r, r.Body, err, 204)
}

func (s *story) onDemand(words []string) error {
	one, err := s.first(words[0])
	if err != nil {
		return err
	}
	body := bss.UpdatePeriodToOnDemandJSONRequestBody{ResourceIds: []string{one.ResourceId}, Operation: "SET_UP"}
	if words[1] == "off" {
		body.Operation = "CANCEL"
	}
	r, err := s.me.BSS.UpdatePeriodToOnDemandWithResponse(s.Context(), body)
	if err := answer(r, r.Body, err, 200); err != nil {
		return err
	}
	if len(r.JSON200.ErrorDetails) > 0 {
		return &refusal{200, string(r.Body)}
	}
	return nil
}

func (s *story) renewDay(words []string) error {
	r, err := s.me.BSS.SetResourcesRenewConfigWithResponse(s.Context(), bss.SetResourcesRenewConfigJSONRequestBody{ConfigName: "EXPIRE_DATE", ConfigValue: words[0]})
	return answer(r, r.Body, err, 200)
}

func (s *story) resource(words []string) error {
	one, err := s.first(words[0])
	if err != nil {
		return err
	}
	return s.fields(words[1:], map[string]string{
		"status": fmt.Sprint(one.Status), "expires": gmt8(one.ExpireTime), "policy": fmt.Sprint(one.ExpirePolicy), "effective": gmt8(one.EffectiveTime),
	})
}

// gmt8 is how a story writes an instant.
func gmt8(stamp *string) string {
	if stamp == nil {
		return ""
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", *stamp)
	if err != nil {
		return err.Error()
	}
	return at.In(period.GMT8).Format("2006-01-02T15:04:05")
}

// fields holds values against those that a line names.
func (s *story) fields(words []string, have map[string]string) error {
	for i := 0; i+1 < len(words); i += 2 {
		got, ok := have[words[i]]
		if !ok {
			return fmt.Errorf("no field %s", words[i])
		}
		if err := same(words[i], got, words[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) verdict(words []string) error {
	r, err := s.operator.Purser.JudgeOrderWithResponse(s.Context(), s.id(words[0]), nil, purser.JudgeOrderRequest{CustomerId: s.customer.DomainID, Verdict: purser.JudgeOrderRequestVerdict(words[1])})
	return answer(r, r.Body, err, 200)
}

func (s *story) refused(words []string) error {
	err := s.line(words[1:])
	r, ok := err.(*refusal)
	if !ok || r.code() != words[0] {
		return fmt.Errorf("%v, want %s", err, words[0])
	}
	return nil
}

func (s *story) expect(words []string) error {
	if words[0] == "cash" || words[0] == "debt" || words[0] == "credit" {
		r, err := s.operator.Purser.ShowCustomerWithResponse(s.Context(), s.customer.DomainID)
		if err := answer(r, r.Body, err, 200); err != nil {
			return err
		}
		got := map[string]string{"cash": r.JSON200.Cash, "debt": r.JSON200.Debt, "credit": r.JSON200.CreditUsed}[words[0]]
		return same(words[0], got, words[1])
	}
	r, err := s.me.BSS.ShowCustomerOrderDetailsWithResponse(s.Context(), s.id(words[0]), nil)
	if err := answer(r, r.Body, err, 200); err != nil {
		return err
	}
	o := r.JSON200.OrderInfo
	return s.fields(words[1:], map[string]string{
		"status": fmt.Sprint(o.Status), "type": fmt.Sprint(o.OrderType), "official": string(o.OfficialAmount), "amount": string(o.AmountAfterDiscount),
		"coupon": string(o.AmountInfo.CouponAmount), "fee": string(o.AmountInfo.CommissionAmount), "consumed": string(o.AmountInfo.ConsumedAmount),
		"expires": gmt8(r.JSON200.OrderLineItems[0].ExpireTime), "source": fmt.Sprint(o.SourceType),
	})
}

func same(what, got, want string) error {
	if got != want {
		return fmt.Errorf("%s is %s", what, got)
	}
	return nil
}

func (s *story) check([]string) error {
	var wrong []operation.Wrong
	books, err := s.house.Counter.CheckBooks(s.Context(), operation.LocalOperator("CheckBooks", now()), false, func(w operation.Wrong) { wrong = append(wrong, w) })
	if err == nil && (books == 0 || len(wrong) > 0) {
		err = fmt.Errorf("%d books, wrong: %v", books, wrong)
	}
	if err != nil {
		return err
	}
	return s.replay()
}

// replay replays each month of a year under the terms that were in force: it comes to its bill.
func (s *story) replay() error {
	at := s.at
	if at.IsZero() {
		at = now()
	}
	for cycle := period.CycleOf(at) - 12; cycle <= period.CycleOf(at)+1; cycle++ {
		w, err := s.house.Counter.ReplayMonth(s.Context(), operation.LocalOperator("ReplayMonth", now()), &operation.WhatIfAsk{Customer: s.customer.DomainID, Cycle: cycle})
		if err != nil {
			return err
		}
		for i := range w.Rows {
			was, then := w.Rows[i].Billed, w.Rows[i].Then
			if was.Official != then.Official || was.Discount != then.Discount || was.Truncated != then.Truncated || was.Consume != then.Consume {
				return fmt.Errorf("%s replayed: %+v, billed %+v", cycle, then, was)
			}
		}
		if w.Unpriced > 0 {
			return fmt.Errorf("%s replayed: %d lines without a price", cycle, w.Unpriced)
		}
	}
	return nil
}
