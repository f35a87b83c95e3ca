package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/purser-cloud/purser/internal/db"
)

// item is a unit, conversion, region, service or resource type as it is kept: its canonical JSON.
type item struct {
	kind, name string
	position   int
	body       string
}

func readVersion(ctx context.Context, r db.Reader) (n int64, err error) {
	if err = r.QueryRow(ctx, `SELECT n FROM catalog_version WHERE one = 1`).Scan(&n); err != nil {
		return 0, fmt.Errorf("read the catalogue's version: %w", err)
	}
	return n, nil
}

func bumpVersion(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE catalog_version SET n = n + 1, imported_at = $1 WHERE one = 1`, db.Micros(tx.Real))
	return err
}

func readItems(ctx context.Context, r db.Reader) ([]item, error) {
	rows, err := r.Query(ctx, `SELECT kind, name, position, body FROM catalog_item ORDER BY kind, position`)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	defer rows.Close()
	var out []item
	for rows.Next() {
		var i item
		if err := rows.Scan(&i.kind, &i.name, &i.position, &i.body); err != nil {
			return nil, fmt.Errorf("read the catalogue: %w", err)
		}
		out = append(out, i)
	}
	return out, rows.Err()
}

func readProducts(ctx context.Context, r db.Reader) ([]Product, error) {
	rows, err := r.Query(ctx, `SELECT id, service, resource_type, region, spec, name_en, name_zh, off_sale_at, package
		FROM catalog_product`)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	defer rows.Close()
	var out []Product
	for rows.Next() {
		var p Product
		var held string
		if err := rows.Scan(&p.ID, &p.Service, &p.ResourceType, &p.Region, &p.Spec, &p.Name.En, &p.Name.Zh, &p.offSale, &held); err != nil {
			return nil, fmt.Errorf("read products: %w", err)
		}
		if p.Package, err = packageOf(held); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	// Sorted here: databases differ in how they order text.
	slices.SortFunc(out, func(a, b Product) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.ResourceType, b.ResourceType), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Spec, b.Spec))
	})
	return out, rows.Err()
}

// readPrices hands each price to take, in the order of product and time.
func readPrices(ctx context.Context, r db.Reader, take func(product string, from int64, body string) error) error {
	rows, err := r.Query(ctx, `SELECT product, from_at, body FROM catalog_price ORDER BY product, from_at`)
	if err != nil {
		return fmt.Errorf("read prices: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var product, body string
		var from int64
		if err := rows.Scan(&product, &from, &body); err != nil {
			return fmt.Errorf("read prices: %w", err)
		}
		if err := take(product, from, body); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rowsMost is how many rows go into one statement: a query a row would make an import slow.
const rowsMost = 200

// insertMany runs head + VALUES (…), (…) + tail in chunks. The text depends on the number of rows only.
func insertMany(ctx context.Context, tx *db.Tx, head string, columns int, tail string, args []any) error {
	for len(args) > 0 {
		n := min(rowsMost, len(args)/columns)
		var b strings.Builder
		b.WriteString(head)
		b.WriteString(" VALUES ")
		for i := range n * columns {
			switch {
			case i == 0:
				b.WriteString("($")
			case i%columns == 0:
				b.WriteString("), ($")
			default:
				b.WriteString(", $")
			}
			b.WriteString(strconv.Itoa(i + 1))
		}
		b.WriteString(") " + tail)
		if _, err := tx.Exec(ctx, b.String(), args[:n*columns]...); err != nil {
			return err
		}
		args = args[n*columns:]
	}
	return nil
}

func putItems(ctx context.Context, tx *db.Tx, items []item) error {
	args := make([]any, 0, 4*len(items))
	for _, i := range items {
		args = append(args, i.kind, i.name, i.position, i.body)
	}
	return insertMany(ctx, tx, `INSERT INTO catalog_item (kind, name, position, body)`, 4,
		`ON CONFLICT (kind, name) DO UPDATE SET position = excluded.position, body = excluded.body`, args)
}

func dropItem(ctx context.Context, tx *db.Tx, kind, name string) error {
	_, err := tx.Exec(ctx, `DELETE FROM catalog_item WHERE kind = $1 AND name = $2`, kind, name)
	return err
}

func putProducts(ctx context.Context, tx *db.Tx, products []*Product) error {
	args := make([]any, 0, 9*len(products))
	for _, p := range products {
		held, err := p.Package.text()
		if err != nil {
			return err
		}
		args = append(args, p.ID, p.Service, p.ResourceType, p.Region, p.Spec, p.Name.En, p.Name.Zh, p.offSale, held)
	}
	return insertMany(ctx, tx, `INSERT INTO catalog_product (id, service, resource_type, region, spec, name_en, name_zh, off_sale_at, package)`, 9,
		`ON CONFLICT (id) DO UPDATE SET name_en = excluded.name_en, name_zh = excluded.name_zh, off_sale_at = excluded.off_sale_at, package = excluded.package`, args)
}

// pricing is a price row.
type pricing struct {
	product string
	from    int64
	body    string
}

func putPrices(ctx context.Context, tx *db.Tx, prices []pricing) error {
	args := make([]any, 0, 3*len(prices))
	for _, p := range prices {
		args = append(args, p.product, p.from, p.body)
	}
	return insertMany(ctx, tx, `INSERT INTO catalog_price (product, from_at, body)`, 3,
		`ON CONFLICT (product, from_at) DO UPDATE SET body = excluded.body`, args)
}

func dropPrice(ctx context.Context, tx *db.Tx, product string, from int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM catalog_price WHERE product = $1 AND from_at = $2`, product, from)
	return err
}

// canonical is a value's JSON; the values have no maps, so equal values have equal text.
func canonical(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("write the catalogue: %w", err)
	}
	return string(text), nil
}

// items is a content's part that is kept as items.
func (c *Content) items() ([]item, error) {
	var out []item
	var failed error
	add := func(kind, name string, position int, value any) {
		body, err := canonical(value)
		if err != nil {
			failed = err
		}
		out = append(out, item{kind, name, position, body})
	}
	for i, u := range c.Units {
		add("unit", strconv.Itoa(int(u.ID)), i, u)
	}
	for i, v := range c.Conversions {
		add("conversion", fmt.Sprintf("%d-%d", v.From, v.To), i, v)
	}
	for i, r := range c.Regions {
		add("region", r.Code, i, r)
	}
	for i, s := range c.Services {
		add("service", s.Code, i, s)
	}
	for i, t := range c.ResourceTypes {
		add("resource_type", t.Code, i, t)
	}
	return out, failed
}

// load reads the whole catalogue.
func load(ctx context.Context, r db.Reader) (*Content, error) {
	items, err := readItems(ctx, r)
	if err != nil {
		return nil, err
	}
	c := &Content{}
	for _, i := range items {
		if err := c.take(i); err != nil {
			return nil, fmt.Errorf("the catalogue's %s %s: %w", i.kind, i.name, err)
		}
	}
	if c.Products, err = readProducts(ctx, r); err != nil {
		return nil, err
	}
	byID := make(map[string]*Product, len(c.Products))
	for i := range c.Products {
		byID[c.Products[i].ID] = &c.Products[i]
	}
	err = readPrices(ctx, r, func(product string, from int64, body string) error {
		p := byID[product]
		if p == nil {
			return fmt.Errorf("a price of a product %s that is not there", product)
		}
		prices := Prices{From: db.TimeOf(from)}
		if err := json.Unmarshal([]byte(body), &prices); err != nil {
			return fmt.Errorf("price of product %s: %w", product, err)
		}
		p.Prices = append(p.Prices, prices)
		return nil
	})
	return c, err
}

func (c *Content) take(i item) error {
	body := []byte(i.body)
	switch i.kind {
	case "unit":
		c.Units = append(c.Units, Unit{})
		return json.Unmarshal(body, &c.Units[len(c.Units)-1])
	case "conversion":
		c.Conversions = append(c.Conversions, Conversion{})
		return json.Unmarshal(body, &c.Conversions[len(c.Conversions)-1])
	case "region":
		c.Regions = append(c.Regions, Region{})
		return json.Unmarshal(body, &c.Regions[len(c.Regions)-1])
	case "service":
		c.Services = append(c.Services, Service{})
		return json.Unmarshal(body, &c.Services[len(c.Services)-1])
	default:
		c.ResourceTypes = append(c.ResourceTypes, ResourceType{})
		return json.Unmarshal(body, &c.ResourceTypes[len(c.ResourceTypes)-1])
	}
}
