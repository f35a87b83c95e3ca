package purserapi

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// ExportCatalogue writes the catalogue as files.
func (d *Door) ExportCatalogue(ctx context.Context, _ ExportCatalogueRequestObject) (ExportCatalogueResponseObject, error) {
	version, files, err := d.counter.ExportCatalogue(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	out := ExportCatalogue200JSONResponse{Version: contract.Int64(version), Files: make([]CatalogueFile, len(files))}
	for i, f := range files {
		out.Files[i] = CatalogueFile{Name: f.Name, Text: f.Text}
	}
	return out, nil
}

// ImportCatalogue replaces the catalogue by files.
func (d *Door) ImportCatalogue(ctx context.Context, r ImportCatalogueRequestObject) (ImportCatalogueResponseObject, error) {
	documents := make([]catalog.Document, len(r.Body.Files))
	for i, f := range r.Body.Files {
		documents[i] = catalog.Document{Name: f.Name, Text: f.Text}
	}
	read := func() (*catalog.Content, error) { return catalog.ReadDocuments(documents) }
	dry, rewrite := r.Body.DryRun != nil && *r.Body.DryRun, r.Body.RewriteHistory != nil && *r.Body.RewriteHistory
	changes, err := d.counter.ImportCatalogueMadeFrom(ctx, doorway.CallOf(ctx), (*int64)(r.Body.Version), read, dry, rewrite)
	if err != nil {
		return nil, err
	}
	out := ImportCatalogue200JSONResponse{
		DryRun: dry, Version: contract.Int64(changes.Version), Added: contract.Int32(changes.Added), Changed: contract.Int32(changes.Changed),
		Removed: contract.Int32(changes.Removed), Lines: changes.Lines,
	}
	if out.Lines == nil {
		out.Lines = []string{}
	}
	return out, nil
}

// ListRegions lists regions and zones.
func (d *Door) ListRegions(ctx context.Context, r ListRegionsRequestObject) (ListRegionsResponseObject, error) {
	language := languageOf(r.Params.XLanguage)
	out := ListRegions200JSONResponse{Regions: []Region{}}
	err := d.counter.Browse(ctx, doorway.CallOf(ctx), func(shelf *catalog.Snapshot, _ *db.View) {
		for _, v := range shelf.Regions() {
			region := Region{RegionCode: v.Code, RegionName: v.Name.In(language), Zones: []Zone{}}
			for _, z := range v.Zones {
				region.Zones = append(region.Zones, Zone{ZoneCode: z.Code, ZoneName: z.Name.In(language)})
			}
			out.Regions = append(out.Regions, region)
		}
	})
	return out, err
}

// ListProducts pages through the products on sale with their prices.
func (d *Door) ListProducts(ctx context.Context, r ListProductsRequestObject) (ListProductsResponseObject, error) {
	language, q := languageOf(r.Params.XLanguage), &r.Params
	out := ListProducts200JSONResponse{Currency: "USD", Products: []Product{}}
	err := d.counter.Browse(ctx, doorway.CallOf(ctx), func(shelf *catalog.Snapshot, v *db.View) {
		query := catalog.ProductQuery{Service: contract.Text(q.ServiceTypeCode), ResourceType: contract.Text(q.ResourceTypeCode), Region: contract.Text(q.RegionCode), Text: contract.Text(q.Text)}
		total, rows := shelf.Products(query, v.Now, catalog.Page{Offset: contract.Int(q.Offset, 0), Limit: contract.Int(q.Limit, 10)})
		out.TotalCount = contract.Int32(total)
		for _, p := range rows {
			out.Products = append(out.Products, Product{
				ProductId: p.ID, ServiceTypeCode: p.Service, ResourceTypeCode: p.ResourceType, ResourceSpecCode: p.Spec, RegionCode: p.Region,
				Name: p.Name.In(language), Prices: pricesOf(p, v.Now),
			})
		}
	})
	return out, err
}

// pricesOf lists the prices of a product in force and announced.
func pricesOf(p *catalog.Product, now time.Time) []ProductPrice {
	out := []ProductPrice{}
	for _, prices := range p.PricesFrom(now) {
		from := prices.From.In(period.GMT8).Format(time.RFC3339)
		for i := range prices.Charges {
			c := &prices.Charges[i]
			row := ProductPrice{ChargeMode: 3, From: from, UsageFactor: &c.Factor, UsageMeasureId: new(contract.Int32(c.Price.Unit))}
			if c.Price.Per > 1 {
				row.PerUnits = new(decimal(c.Price.Per))
			}
			row.shape(c.Price.UnitPrice.String(), c.Price.SizeUnit, c.Price.Tiers)
			out = append(out, row)
		}
		for i := range prices.Terms {
			t := &prices.Terms[i]
			row := ProductPrice{ChargeMode: 1, From: from, PeriodType: new(contract.Int32(t.Period.Code())), Periods: new(contract.Int32(1))}
			row.shape(t.UnitPrice.String(), t.SizeUnit, t.Tiers)
			out = append(out, row)
			for _, s := range t.Steps {
				step := ProductPrice{ChargeMode: 1, From: from, PeriodType: row.PeriodType, Periods: new(contract.Int32(s.Periods))}
				step.shape(s.UnitPrice.String(), t.SizeUnit, s.Tiers)
				out = append(out, step)
			}
		}
	}
	return out
}

func (p *ProductPrice) shape(price string, sizeUnit int32, tiers *rating.Tiers) {
	shape := "simple"
	if sizeUnit != 0 {
		p.SizeMeasureId, shape = new(contract.Int32(sizeUnit)), "linear"
	}
	if tiers == nil {
		p.Price = &price
	} else {
		shape = tiers.Shape.String()
		p.TiersOn = new(tiers.On.String())
		if tiers.On == rating.OnUsage {
			p.Accumulate = new(tiers.Accumulate.String())
		}
		for _, s := range tiers.Steps {
			tier := ProductTier{Price: s.UnitPrice.String()}
			if !s.Open {
				tier.UpTo, tier.MeasureId = new(s.UpTo.String()), new(contract.Int32(s.Unit))
			}
			p.Tiers = append(p.Tiers, tier)
		}
	}
	p.Shape = &shape
}
