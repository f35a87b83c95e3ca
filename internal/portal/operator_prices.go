package portal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/goccy/go-yaml"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/purser"
)

// pricesView is what is sold, with the prices of one product.
type pricesView struct {
	products *asked[*purser.ListProductsReply]
	services *asked[*bss.ListServiceTypesReply]
	regions  *asked[*purser.ListRegionsReply]
}

func showPrices(v *visit) (templ.Component, error) {
	p := &pricesView{products: askProducts(v, v.some("text"), v.some("service"), v.some("region"), v.offset(), pageSize), services: askServices(v)}
	p.regions = ask(v, func(ctx context.Context) (*purser.ListRegionsReply, error) {
		return v.api.Purser.ListRegionsWithResponse(ctx, nil)
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	return pricesPage(v, p), nil
}

// priceEdit is a later price of one product, on its way: its fields are those of the form, by the part that they replace.
type priceEdit struct {
	product, region, spec, id string
	from                      string // RFC 3339, GMT+8
	version                   int64  // of the catalogue for which it was worked out what changes; 0: not yet
	prices                    map[string]string
	was                       map[string]string // what is in force, as the form was shown
}

// pricePart names a price of a product: of usage (use.Duration), or of a term (month, year, and from so many periods on).
func pricePart(p *purser.ProductPrice) string {
	if p.UsageFactor != nil {
		return "use." + *p.UsageFactor
	}
	if p.PeriodType == nil {
		return ""
	}
	name := map[int32]string{0: "day", 2: "month", 3: "year", 4: "hour"}[*p.PeriodType]
	if name == "" {
		return ""
	}
	if p.Periods != nil && *p.Periods > 1 {
		return fmt.Sprintf("%s.%d", name, *p.Periods)
	}
	return name
}

// current are the prices of a product in force now, by their parts; tiers are not among them: they are edited as files.
func current(now time.Time, list []purser.ProductPrice) []purser.ProductPrice {
	latest := map[string]purser.ProductPrice{}
	for _, p := range list {
		part := pricePart(&p)
		if part == "" || p.Price == nil || len(p.Tiers) > 0 || when(p.From).After(now) {
			continue
		}
		if had, ok := latest[part]; !ok || when(p.From).After(when(had.From)) {
			latest[part] = p
		}
	}
	out := make([]purser.ProductPrice, 0, len(latest))
	for _, p := range latest {
		out = append(out, p)
	}
	sort.Slice(out, func(i, j int) bool { return pricePart(&out[i]) < pricePart(&out[j]) })
	return out
}

// pricePart is the name of a part of a product's price.
func (v *visit) pricePart(part string) string {
	if factor, ok := strings.CutPrefix(part, "use."); ok {
		return v.t("prices.use", v.code("factor", factor))
	}
	name, periods, _ := strings.Cut(part, ".")
	if periods == "" {
		return v.code("price_part", name)
	}
	return v.t("prices.periods", v.code("price_part", name), periods)
}

func showPrice(v *visit) (templ.Component, error) {
	region, spec := v.q("region"), v.q("spec")
	list := askProducts(v, &spec, v.some("service"), &region, 0, 100)
	if err := v.wait(); err != nil {
		return nil, err
	}
	if list.bad != nil {
		return nil, list.bad
	}
	for i := range list.reply.JSON200.Products {
		if p := &list.reply.JSON200.Products[i]; p.ProductId == v.q("id") {
			return pricePage(v, p, list.reply.JSON200.Currency), nil
		}
	}
	return nil, &problem{status: 404, text: v.t("prices.gone")}
}

func (v *visit) priceEdit() (*priceEdit, bool) {
	e := &priceEdit{id: v.form("id"), region: v.form("region"), spec: v.form("spec"), product: v.form("product"), prices: map[string]string{}, was: map[string]string{}}
	day, err := time.ParseInLocation("2006-01-02", v.form("from"), zone)
	if err != nil {
		return nil, false
	}
	e.from = day.Format(time.RFC3339)
	e.version, _ = strconv.ParseInt(v.form("version"), 10, 64)
	for name := range v.r.PostForm {
		if part, ok := strings.CutPrefix(name, "price."); ok && v.form(name) != "" {
			e.prices[part] = v.form(name)
		}
		if part, ok := strings.CutPrefix(name, "was."); ok {
			e.was[part] = v.form(name)
		}
	}
	return e, len(e.prices) > 0
}

// sendPrices puts a later price into the catalogue as it is now: its files are asked for, one is changed, all are sent back.
func (v *visit) sendPrices(e *priceEdit, dry bool) (*purser.CatalogueChanges, string) {
	got, bad := do(v, func(ctx context.Context) (*purser.ExportCatalogueReply, error) {
		return v.api.Purser.ExportCatalogueWithResponse(ctx)
	})
	if bad != nil {
		return nil, v.problemText(bad)
	}
	files := got.JSON200.Files
	if err := addPrice(files, e); err != nil {
		return nil, v.t("prices.not_there", err.Error())
	}
	sent, bad := do(v, func(ctx context.Context) (*purser.ImportCatalogueReply, error) {
		params := &purser.ImportCatalogueParams{}
		in := purser.ImportCatalogueRequest{DryRun: &dry, Files: files, Version: &got.JSON200.Version}
		if !dry {
			params.IdempotencyKey = &v.key
			if e.version > 0 { // what was shown is what is published, or nothing
				in.Version = &e.version
			}
		}
		return v.api.Purser.ImportCatalogueWithResponse(ctx, params, in)
	})
	if bad != nil {
		return nil, v.problemText(bad)
	}
	return sent.JSON200, ""
}

// planPrice says what a later price would change; nothing is kept.
func planPrice(v *visit) outcome {
	e, ok := v.priceEdit()
	if !ok {
		return refused("", v.t("prices.fields"))
	}
	changes, bad := v.sendPrices(e, true)
	if bad != "" {
		return refused("", bad)
	}
	return outcome{good: true, body: planPage(v, e, changes)}
}

func publishPrice(v *visit) outcome {
	e, ok := v.priceEdit()
	if !ok {
		return refused("", v.t("prices.fields"))
	}
	changes, bad := v.sendPrices(e, false)
	if bad != "" {
		return refused("", bad)
	}
	return done(to("/price", "id", e.id, "spec", e.spec, "region", e.region), v.t("prices.published", changes.Version))
}

// parts are the prices of an edit in the order of their names.
func (e *priceEdit) parts() []string {
	var out []string
	for part := range e.prices {
		out = append(out, part)
	}
	sort.Strings(out)
	return out
}

// addPrice adds to a product, in the file that holds it, a price from the edit's instant on: the last one with what the edit changes.
func addPrice(files []purser.CatalogueFile, e *priceEdit) error {
	for i := range files {
		if !strings.Contains(files[i].Text, e.id) {
			continue
		}
		var file yaml.MapSlice
		if err := yaml.UnmarshalWithOptions([]byte(files[i].Text), &file, yaml.UseOrderedMap()); err != nil {
			return err
		}
		products, _ := valueOf(file, "products").([]any)
		for _, one := range products {
			product, _ := one.(yaml.MapSlice)
			if id, _ := valueOf(product, "product_id").(string); id != e.id {
				continue
			}
			prices, _ := valueOf(product, "prices").([]any)
			if len(prices) == 0 {
				return errors.New(e.id)
			}
			at := 0 // the price before it: the last that begins by then
			for k, price := range prices {
				m, _ := price.(yaml.MapSlice)
				if from, _ := valueOf(m, "from").(string); !when(from).After(when(e.from)) {
					at = k
				}
			}
			last, _ := prices[at].(yaml.MapSlice)
			fresh, err := e.on(last)
			if err != nil {
				return err
			}
			if from, _ := valueOf(last, "from").(string); when(from).Equal(when(e.from)) {
				prices[at] = fresh // one that was announced for the same instant
			} else {
				prices = slices.Insert(prices, at+1, any(fresh))
			}
			for k := range product {
				if product[k].Key == "prices" {
					product[k].Value = prices
				}
			}
			text, err := yaml.MarshalWithOptions(file, yaml.Indent(2), yaml.IndentSequence(true))
			if err != nil {
				return err
			}
			files[i].Text = string(text)
			return nil
		}
	}
	return errors.New(e.id)
}

// on is a price entry with what the edit changes; every part of the edit has to be in it.
func (e *priceEdit) on(last yaml.MapSlice) (yaml.MapSlice, error) {
	left := map[string]string{}
	for part, price := range e.prices {
		left[part] = price
	}
	set := func(entry any, part string) any {
		m, _ := entry.(yaml.MapSlice)
		out := append(yaml.MapSlice(nil), m...)
		price, ok := left[part]
		for k := range out {
			if ok && out[k].Key == "unit_price" {
				out[k].Value = price
				delete(left, part)
			}
		}
		return out
	}
	out := append(yaml.MapSlice(nil), last...)
	for k := range out {
		list, _ := out[k].Value.([]any)
		var fresh []any
		switch out[k].Key {
		case "from":
			out[k].Value = e.from
			continue
		case "on_demand":
			for _, entry := range list {
				m, _ := entry.(yaml.MapSlice)
				fresh = append(fresh, set(entry, fmt.Sprintf("use.%v", valueOf(m, "usage_type"))))
			}
		case "terms":
			for _, entry := range list {
				m, _ := entry.(yaml.MapSlice)
				period := fmt.Sprint(valueOf(m, "period"))
				term := set(entry, period).(yaml.MapSlice)
				for j := range term {
					if term[j].Key != "steps" {
						continue
					}
					steps, _ := term[j].Value.([]any)
					var later []any
					for _, step := range steps {
						n, _ := step.(yaml.MapSlice)
						later = append(later, set(step, fmt.Sprintf("%s.%v", period, valueOf(n, "periods"))))
					}
					term[j].Value = later
				}
				fresh = append(fresh, term)
			}
		default:
			continue
		}
		out[k].Value = fresh
	}
	for part := range left {
		return nil, errors.New(part)
	}
	return out, nil
}

// valueOf is the value of a key; nil without it.
func valueOf(m yaml.MapSlice, key string) any {
	for _, item := range m {
		if item.Key == key {
			return item.Value
		}
	}
	return nil
}
