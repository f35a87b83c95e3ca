package portal

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/eps"
	"github.com/purser-cloud/purser/client/iam"
	"github.com/purser-cloud/purser/client/purser"
)

// item is a line of the basket. It is kept in a sealed cookie of the browser.
type item struct {
	Service, Resource, Spec, Region, Name string
	Unit                                  int32 `json:",omitempty"` // of the size; 0: sold without
	Size                                  int32 `json:",omitempty"`
	Period                                int32 // 2 months, 3 years, 0 days
	Num                                   int32
	Count                                 int32
}

const basketMost = 20

func (v *visit) basket() []item {
	var list []item
	if c, err := v.r.Cookie(basketCookie); err == nil {
		v.portal.unseal("basket "+v.session.UserID, c.Value, &list)
	}
	return list
}

func (v *visit) keepBasket(list []item) error {
	if len(list) == 0 {
		v.setCookie(basketCookie, "", 0, false)
		return nil
	}
	text, err := v.portal.seal("basket "+v.session.UserID, list)
	if err != nil {
		return err
	}
	v.setCookie(basketCookie, text, 7*24*time.Hour, false)
	return nil
}

// shop is what the page of what is sold shows.
type shop struct {
	products *asked[*purser.ListProductsReply]
	services *asked[*bss.ListServiceTypesReply]
	regions  *asked[*purser.ListRegionsReply]
	priced   *asked[*bss.ListRateOnPeriodDetailReply]
	projects *asked[*iam.KeystoneListAuthProjectsReply]
	eps      *asked[*eps.ListEnterpriseProjectReply]
	items    []item
	region   string
	best     *bss.OptionalDiscountRatingResult
}

const defaultRegion = "ap-southeast-1"

func showBuy(v *visit) (templ.Component, error) {
	s := &shop{items: v.basket(), region: v.q("region")}
	if s.region == "" {
		s.region = defaultRegion
		if len(s.items) > 0 {
			s.region = s.items[0].Region
		}
	}
	s.projects = ask(v, func(ctx context.Context) (*iam.KeystoneListAuthProjectsReply, error) {
		return v.api.IAM.KeystoneListAuthProjectsWithResponse(ctx)
	})
	s.products = askProducts(v, v.some("text"), v.some("service"), &s.region, v.offset(), pageSize)
	s.services = askServices(v)
	s.regions = ask(v, func(ctx context.Context) (*purser.ListRegionsReply, error) {
		return v.api.Purser.ListRegionsWithResponse(ctx, nil)
	})
	if len(s.items) > 0 {
		s.eps = ask(v, func(ctx context.Context) (*eps.ListEnterpriseProjectReply, error) {
			return v.api.EPS.ListEnterpriseProjectWithResponse(ctx, &eps.ListEnterpriseProjectParams{Status: new(eps.ListEnterpriseProjectParamsStatus(1)), Limit: new(int32(100))})
		})
	}
	if err := v.wait(); err != nil {
		return nil, err
	}
	if len(s.items) > 0 && s.projects.ok() {
		s.priced = ask(v, func(ctx context.Context) (*bss.ListRateOnPeriodDetailReply, error) {
			return v.api.BSS.ListRateOnPeriodDetailWithResponse(ctx, bss.RateOnPeriodReq{ProjectId: projectOf(s.projects, s.items[0].Region), ProductInfos: periodProducts(s.items)})
		})
		if err := v.wait(); err != nil {
			return nil, err
		}
		if s.priced.ok() {
			s.best = bestOf(s.priced.reply.JSON200)
		}
	}
	return buyPage(v, s), nil
}

func askProducts(v *visit, text, service, region *string, offset, limit int) *asked[*purser.ListProductsReply] {
	return ask(v, func(ctx context.Context) (*purser.ListProductsReply, error) {
		return v.api.Purser.ListProductsWithResponse(ctx, &purser.ListProductsParams{Text: text, ServiceTypeCode: service, RegionCode: region, Offset: new(int32(offset)), Limit: new(int32(limit))})
	})
}

// projectOf is the account's project of a region; of none, any.
func projectOf(projects *asked[*iam.KeystoneListAuthProjectsReply], region string) string {
	any := ""
	if projects.ok() {
		for _, p := range projects.reply.JSON200.Projects {
			if p.Name == region {
				return p.Id
			}
			any = p.Id
		}
	}
	return any
}

func periodProducts(items []item) []bss.PeriodProductInfo {
	out := make([]bss.PeriodProductInfo, len(items))
	for i := range items {
		it := &items[i]
		out[i] = bss.PeriodProductInfo{
			Id: strconv.Itoa(i + 1), CloudServiceType: it.Service, ResourceType: it.Resource, ResourceSpec: it.Spec, Region: it.Region,
			PeriodType: bss.PeriodProductInfoPeriodType(it.Period), PeriodNum: it.Num, SubscriptionNum: it.Count,
		}
		if it.Unit != 0 {
			out[i].ResourceSize, out[i].SizeMeasureId = &it.Size, &it.Unit
		}
	}
	return out
}

// bestOf is the discount of a price that is marked the best.
func bestOf(answer *bss.ListRateOnPeriodDetailAnswer) *bss.OptionalDiscountRatingResult {
	for i := range answer.OptionalDiscountRatingResults {
		if answer.OptionalDiscountRatingResults[i].BestOffer == 1 {
			return &answer.OptionalDiscountRatingResults[i]
		}
	}
	return nil
}

// offered is how a product is sold, read from its prices in force.
type offered struct {
	Month, Year, Day string // prices of one period; empty: not sold so
	Use              string // of one unit of usage, or from which
	UseUnit          int32
	Factor           string
	Unit             int32 // of its size
	Next             []purser.ProductPrice
}

// offeredNow reads how a product is sold at the visitor's business time.
func offeredNow(v *visit, p *purser.Product) offered {
	var o offered
	took := map[string]time.Time{}
	for _, one := range p.Prices {
		from := when(one.From)
		if from.After(v.now) {
			o.Next = append(o.Next, one)
			continue
		}
		if one.SizeMeasureId != nil {
			o.Unit = *one.SizeMeasureId
		}
		text := "*"
		if one.Price != nil {
			text = amountOf(*one.Price).String()
		} else if len(one.Tiers) > 0 {
			text = v.t("buy.from", amountOf(one.Tiers[0].Price).String())
		}
		key := strconv.Itoa(int(one.ChargeMode))
		if one.PeriodType != nil {
			key += "/" + strconv.Itoa(int(*one.PeriodType))
		}
		if one.Periods != nil && *one.Periods != 1 || from.Before(took[key]) {
			continue
		}
		took[key] = from
		switch {
		case one.ChargeMode == 3:
			if o.Factor != "" && one.UsageFactor != nil && *one.UsageFactor != o.Factor {
				continue // the first factor stands for it; the calculator shows all
			}
			o.Use = text
			if one.UsageFactor != nil {
				o.Factor = *one.UsageFactor
			}
			if one.UsageMeasureId != nil {
				o.UseUnit = *one.UsageMeasureId
			}
		case one.PeriodType == nil:
		case *one.PeriodType == 2:
			o.Month = text
		case *one.PeriodType == 3:
			o.Year = text
		case *one.PeriodType == 0:
			o.Day = text
		}
	}
	return o
}

// ahead says that a product can be bought for a term.
func (o *offered) ahead() bool { return o.Month != "" || o.Year != "" || o.Day != "" }

// terms are the periods that a product can be bought for.
func (o *offered) terms(v *visit) []choice {
	var out []choice
	if o.Month != "" {
		for _, n := range []int32{1, 2, 3, 6, 9} {
			out = append(out, choice{fmt.Sprintf("2-%d", n), v.period(2, n)})
		}
	}
	if o.Year != "" || o.Month != "" {
		for _, n := range []int32{1, 2, 3} {
			out = append(out, choice{fmt.Sprintf("3-%d", n), v.period(3, n)})
		}
	}
	if o.Day != "" {
		for _, n := range []int32{1, 7, 14} {
			out = append(out, choice{fmt.Sprintf("0-%d", n), v.period(0, n)})
		}
	}
	return out
}

func (v *visit) regionChoices(regions *asked[*purser.ListRegionsReply]) []choice {
	var out []choice
	if regions.ok() {
		for _, r := range regions.reply.JSON200.Regions {
			out = append(out, choice{r.RegionCode, r.RegionName})
		}
	}
	return out
}

// number reads a whole number of a form within bounds.
func (v *visit) number(name string, least, most, otherwise int) int32 {
	n, err := strconv.Atoi(v.form(name))
	if err != nil || n < least || n > most {
		return int32(otherwise)
	}
	return int32(n)
}

// changeBasket adds a line, or takes one away.
func changeBasket(v *visit) outcome {
	list := v.basket()
	if at := v.form("remove"); at != "" {
		i, err := strconv.Atoi(at)
		if err != nil || i < 0 || i >= len(list) {
			return refused("", v.t("trouble.form"))
		}
		name := list[i].Name
		list = append(list[:i], list[i+1:]...)
		if err := v.keepBasket(list); err != nil {
			return refused("", v.t("trouble.inside"))
		}
		return done("", v.t("buy.removed", name))
	}
	if len(list) >= basketMost {
		return refused("", v.t("buy.full", basketMost))
	}
	it := item{Service: v.form("service"), Resource: v.form("resource"), Spec: v.form("spec"), Region: v.form("region"), Name: v.form("name"), Count: v.number("count", 1, 500, 1)}
	kind, n, _ := strings.Cut(v.form("term"), "-")
	period, err := strconv.Atoi(kind)
	num, err2 := strconv.Atoi(n)
	if err != nil || err2 != nil || it.Spec == "" {
		return refused("", v.t("trouble.form"))
	}
	it.Period, it.Num = int32(period), int32(num)
	if unit := v.number("unit", 1, 1_000_000, 0); unit != 0 {
		it.Unit, it.Size = unit, v.number("size", 1, 1_000_000_000, 1)
	}
	if err := v.keepBasket(append(list, it)); err != nil {
		return refused("", v.t("trouble.inside"))
	}
	return done("", v.t("buy.added", it.Name))
}

// placeOrder orders what is in the basket; it is paid on the order's own page.
func placeOrder(v *visit) outcome {
	list := v.basket()
	if len(list) == 0 {
		return refused("", v.t("buy.nothing"))
	}
	in := purser.PlaceOrderRequest{ProjectId: v.someForm("project"), EnterpriseProjectId: v.someForm("enterprise_project"), AutoRenew: new(v.form("auto_renew") == "1")}
	for i := range list {
		it := &list[i]
		p := purser.PrimaryProduct{
			Id: strconv.Itoa(i + 1), CloudServiceType: it.Service, ResourceType: it.Resource, ResourceSpec: it.Spec, Region: it.Region,
			PeriodType: purser.PrimaryProductPeriodType(it.Period), PeriodNum: it.Num, SubscriptionNum: it.Count,
		}
		if it.Unit != 0 {
			p.ResourceSize, p.SizeMeasureId = &it.Size, &it.Unit
		}
		in.Products = append(in.Products, p)
	}
	got, bad := do(v, func(ctx context.Context) (*purser.PlaceOrderReply, error) {
		return v.api.Purser.PlaceOrderWithResponse(ctx, &purser.PlaceOrderParams{IdempotencyKey: &v.key}, in)
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	id := placedID(got.Body)
	if err := v.keepBasket(nil); err != nil {
		return refused("", v.t("trouble.inside"))
	}
	return done(to("/order", "id", id), v.t("buy.ordered", id))
}

// placedID reads the order's id from the answer, whichever status it came with.
func placedID(body []byte) string {
	var placed purser.PlacedOrder
	if json.Unmarshal(body, &placed) != nil {
		return ""
	}
	return placed.OrderId
}

// calculator is a product's price yearly, monthly and by use, side by side.
type calculator struct {
	products *asked[*purser.ListProductsReply]
	services *asked[*bss.ListServiceTypesReply]
	regions  *asked[*purser.ListRegionsReply]
	periods  *asked[*bss.ListRateOnPeriodDetailReply]
	use      *asked[*bss.ListOnDemandResourceRatingsReply]
	chosen   *purser.Product
	sold     offered
	factors  []factor
	factor   factor
	size     int
	count    int
	usage    amount // of a month
	most     amount // to the right edge of the picture
	points   []amount
	picture  *chart
	rows     []compared
	even     amount // usage of a month at which paying ahead for a month costs the same; 0: there is none
	region   string
}

// factor is something of a product whose use is paid for.
type factor struct {
	Code string
	Unit int32
}

// compared is one way of paying: for a month, with and without discount.
type compared struct {
	Name         string
	List, Amount amount // a month's share
	Whole        amount // what is paid at once
	Best         bool
}

// steps is into how many pieces the picture is cut.
const steps = 12

// hoursOfMonth is the month that calculators reckon with.
const hoursOfMonth = 730

func showCalculator(v *visit) (templ.Component, error) {
	c := &calculator{region: v.q("region"), size: v.qInt("size", 1, 1_000_000_000, 100), count: v.qInt("count", 1, 500, 1)}
	if c.region == "" {
		c.region = defaultRegion
	}
	text := v.q("text")
	if text == "" && v.q("service") == "" {
		text = "s3.small.1.linux"
	}
	projects := ask(v, func(ctx context.Context) (*iam.KeystoneListAuthProjectsReply, error) {
		return v.api.IAM.KeystoneListAuthProjectsWithResponse(ctx)
	})
	c.products = askProducts(v, &text, v.some("service"), &c.region, 0, 50)
	c.services = askServices(v)
	c.regions = ask(v, func(ctx context.Context) (*purser.ListRegionsReply, error) {
		return v.api.Purser.ListRegionsWithResponse(ctx, nil)
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	if c.products.ok() {
		c.choose(v)
	}
	if c.chosen != nil {
		c.ask(v, projectOf(projects, c.region))
		if err := v.wait(); err != nil {
			return nil, err
		}
		c.compare(v)
	}
	return calculatorPage(v, c), nil
}

// choose takes the product that is named, or the first that is sold both ways.
func (c *calculator) choose(v *visit) {
	list := c.products.reply.JSON200.Products
	for i := range list {
		sold := offeredNow(v, &list[i])
		if list[i].ProductId == v.q("product") || c.chosen == nil || v.q("product") == "" && (!c.sold.ahead() || c.sold.Use == "") && sold.ahead() && sold.Use != "" {
			c.chosen, c.sold = &list[i], sold
		}
	}
	if c.chosen == nil {
		return
	}
	seen := map[string]bool{}
	for _, p := range c.chosen.Prices {
		if p.ChargeMode == 3 && p.UsageFactor != nil && !seen[*p.UsageFactor] && !when(p.From).After(v.now) {
			f := factor{Code: *p.UsageFactor}
			if p.UsageMeasureId != nil {
				f.Unit = *p.UsageMeasureId
			}
			seen[f.Code] = true
			c.factors = append(c.factors, f)
			if len(c.factors) == 1 || f.Code == v.q("factor") {
				c.factor = f
			}
		}
	}
	c.usage = amountOf(v.q("usage"))
	if c.usage <= 0 {
		c.usage = 100 * oneUnit
		if c.factor.Unit == 4 {
			c.usage = hoursOfMonth * oneUnit
		}
	}
	c.most = 2 * c.usage
	if c.factor.Unit == 4 {
		c.most = 744 * oneUnit
		c.usage = min(c.usage, c.most)
	}
}

// ask asks for the prices of all terms in one call, and of all amounts of usage in another.
func (c *calculator) ask(v *visit, project string) {
	if c.sold.ahead() {
		var terms []item
		for _, kind := range []int32{2, 3} {
			it := item{Service: c.chosen.ServiceTypeCode, Resource: c.chosen.ResourceTypeCode, Spec: c.chosen.ResourceSpecCode, Region: c.region, Period: kind, Num: 1, Count: int32(c.count)}
			if c.sold.Unit != 0 {
				it.Unit, it.Size = c.sold.Unit, int32(c.size)
			}
			if kind == 2 && c.sold.Month == "" {
				continue
			}
			terms = append(terms, it)
		}
		c.periods = ask(v, func(ctx context.Context) (*bss.ListRateOnPeriodDetailReply, error) {
			return v.api.BSS.ListRateOnPeriodDetailWithResponse(ctx, bss.RateOnPeriodReq{ProjectId: project, ProductInfos: periodProducts(terms)})
		})
	}
	if c.factor.Code == "" {
		return
	}
	var wanted []bss.DemandProductInfo
	for i := 0; i <= steps+1; i++ {
		usage := c.most / steps * amount(i)
		if i > steps {
			usage = c.usage
		}
		c.points = append(c.points, usage)
		one := bss.DemandProductInfo{
			Id: strconv.Itoa(i + 1), CloudServiceType: c.chosen.ServiceTypeCode, ResourceType: c.chosen.ResourceTypeCode, ResourceSpec: c.chosen.ResourceSpecCode, Region: c.region,
			UsageFactor: c.factor.Code, UsageMeasureId: c.factor.Unit, UsageValue: json.Number(usage.plain()), SubscriptionNum: int32(c.count),
		}
		if c.sold.Unit != 0 {
			one.ResourceSize, one.SizeMeasureId = new(int32(c.size)), &c.sold.Unit
		}
		wanted = append(wanted, one)
	}
	c.use = ask(v, func(ctx context.Context) (*bss.ListOnDemandResourceRatingsReply, error) {
		return v.api.BSS.ListOnDemandResourceRatingsWithResponse(ctx, bss.RateOnDemandReq{ProjectId: project, ProductInfos: wanted, InquiryPrecision: new(bss.RateOnDemandReqInquiryPrecision(1))})
	})
}

// compare puts the ways of paying side by side and draws them.
func (c *calculator) compare(v *visit) {
	var curve []amount
	if c.use.ok() {
		results := c.use.reply.JSON200.ProductRatingResults
		sort.Slice(results, func(i, k int) bool {
			a, _ := strconv.Atoi(results[i].Id) //nolint:errcheck // our own ids
			b, _ := strconv.Atoi(results[k].Id) //nolint:errcheck // our own ids
			return a < b
		})
		for _, r := range results {
			curve = append(curve, amountOf(r.Amount))
		}
		last := &results[len(results)-1]
		c.rows = append(c.rows, compared{Name: v.t("mode.3"), List: amountOf(last.OfficialWebsiteAmount), Amount: amountOf(last.Amount), Whole: amountOf(last.Amount)})
	}
	var month amount
	if c.periods.ok() {
		answer := c.periods.reply.JSON200
		best := bestOf(answer)
		for i, r := range answer.OfficialWebsiteRatingResult.ProductRatingResults {
			paid := amountOf(r.OfficialWebsiteAmount)
			if best != nil && i < len(best.ProductRatingResults) {
				paid = amountOf(best.ProductRatingResults[i].Amount)
			}
			row := compared{Name: v.t("calc.monthly"), List: amountOf(r.OfficialWebsiteAmount), Amount: paid, Whole: paid}
			if i == len(answer.OfficialWebsiteRatingResult.ProductRatingResults)-1 {
				row.Name, row.List, row.Amount = v.t("calc.yearly"), row.List/12, paid/12
			} else {
				month = paid
			}
			c.rows = append(c.rows, row)
		}
	}
	least := -1
	for i := range c.rows {
		if least < 0 || c.rows[i].Amount < c.rows[least].Amount {
			least = i
		}
	}
	if least >= 0 && len(c.rows) > 1 {
		c.rows[least].Best = true
	}
	if len(curve) > steps {
		c.draw(v, curve[:steps+1], month)
	}
}

// draw draws cost by usage, with the place where a month paid ahead costs the same.
func (c *calculator) draw(v *visit, curve []amount, month amount) {
	unit := v.unit(c.factor.Unit)
	p := &chart{ID: "even", Title: v.t("calc.picture", unit), Unit: v.currency(), Lines: true}
	for i := range curve {
		p.Labels = append(p.Labels, short(c.points[i])+" "+unit)
		p.Short = append(p.Short, short(c.points[i]))
	}
	p.Series = []series{{Name: v.t("mode.3"), Values: curve}}
	for _, row := range c.rows[1:] {
		flat := make([]amount, len(curve))
		for i := range flat {
			flat[i] = row.Amount
		}
		p.Series = append(p.Series, series{Name: row.Name, Values: flat})
	}
	if month > 0 {
		for i := 1; i < len(curve); i++ {
			if curve[i] >= month && curve[i] > curve[i-1] {
				part := share(month-curve[i-1], curve[i]-curve[i-1])
				c.even = c.points[i-1] + (c.points[i]-c.points[i-1])/1000*amount(part)
				at := ((i-1)*1000 + part + 500) / (steps + 1)
				p.Marks = append(p.Marks, mark{At: at, Text: v.t("calc.even", short(c.even/oneUnit*oneUnit), v.units(c.factor.Unit, c.even/oneUnit*oneUnit))})
				break
			}
		}
	}
	c.picture = p
}

// listOf is the list price of the basket's i-th line.
func (s *shop) listOf(i int) string {
	if s.priced.ok() && i < len(s.priced.reply.JSON200.OfficialWebsiteRatingResult.ProductRatingResults) {
		return amountOf(s.priced.reply.JSON200.OfficialWebsiteRatingResult.ProductRatingResults[i].OfficialWebsiteAmount).String()
	}
	return ""
}

// yoursOf is what it costs with the best discount.
func (s *shop) yoursOf(i int) string {
	if s.best != nil && i < len(s.best.ProductRatingResults) {
		return amountOf(s.best.ProductRatingResults[i].Amount).String()
	}
	return s.listOf(i)
}

func (s *shop) total() amount {
	if s.best != nil {
		return amountOf(s.best.Amount)
	}
	return amountOf(s.priced.reply.JSON200.OfficialWebsiteRatingResult.OfficialWebsiteAmount)
}

// rounded is an amount to the cent, half up, where it is an average and not money that moves.
func (a amount) rounded() amount { return (a + oneUnit/200).cents() }
