// Package focus writes a month as FOCUS 1.2 (the FinOps Open Cost and Usage Specification, all 57 columns): it maps fee records
// as the wire has them (api.md 8.2), so that whatever speaks that contract can be exported, purser or another.
//
// It owns the mapping (map.go; docs/focus.md tells it row type by row type), the two file forms and the reading through the
// public client (read.go). It knows no room of the business, no store and no clock.
//
// Meanings of time: a billing period is a bill cycle of GMT+8, written in UTC; a charge period is when something was used or,
// bought for a term, the term. Ends are exclusive.
//
// Invariants: Σ BilledCost of a month = Σ amount − Σ coupons of its fee records, at 8 decimals; over all months
// Σ EffectiveCost = Σ BilledCost.
package focus

import (
	"encoding/csv"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/purser-cloud/purser/internal/money"
)

// Row is a row of the data set: the columns in their alphabetical order. Empty texts and nil stand for null. Costs are at 8
// decimals, prices and quantities too; what was consumed at 3.
type Row struct {
	AvailabilityZone                   string `parquet:"AvailabilityZone,optional"`
	BilledCost                         int64  `parquet:"BilledCost,decimal(8:18)"`
	BillingAccountID                   string `parquet:"BillingAccountId"`
	BillingAccountName                 string `parquet:"BillingAccountName,optional"`
	BillingAccountType                 string `parquet:"BillingAccountType,optional"`
	BillingCurrency                    string `parquet:"BillingCurrency"`
	BillingPeriodEnd                   Time   `parquet:"BillingPeriodEnd"`
	BillingPeriodStart                 Time   `parquet:"BillingPeriodStart"`
	CapacityReservationID              string `parquet:"CapacityReservationId,optional"`
	CapacityReservationStatus          string `parquet:"CapacityReservationStatus,optional"`
	ChargeCategory                     string `parquet:"ChargeCategory"`
	ChargeClass                        string `parquet:"ChargeClass,optional"`
	ChargeDescription                  string `parquet:"ChargeDescription,optional"`
	ChargeFrequency                    string `parquet:"ChargeFrequency"`
	ChargePeriodEnd                    Time   `parquet:"ChargePeriodEnd"`
	ChargePeriodStart                  Time   `parquet:"ChargePeriodStart"`
	CommitmentDiscountCategory         string `parquet:"CommitmentDiscountCategory,optional"`
	CommitmentDiscountID               string `parquet:"CommitmentDiscountId,optional"`
	CommitmentDiscountName             string `parquet:"CommitmentDiscountName,optional"`
	CommitmentDiscountQuantity         *int64 `parquet:"CommitmentDiscountQuantity,optional,decimal(8:18)"`
	CommitmentDiscountStatus           string `parquet:"CommitmentDiscountStatus,optional"`
	CommitmentDiscountType             string `parquet:"CommitmentDiscountType,optional"`
	CommitmentDiscountUnit             string `parquet:"CommitmentDiscountUnit,optional"`
	ConsumedQuantity                   *int64 `parquet:"ConsumedQuantity,optional,decimal(3:18)"`
	ConsumedUnit                       string `parquet:"ConsumedUnit,optional"`
	ContractedCost                     int64  `parquet:"ContractedCost,decimal(8:18)"`
	ContractedUnitPrice                *int64 `parquet:"ContractedUnitPrice,optional,decimal(10:18)"`
	EffectiveCost                      int64  `parquet:"EffectiveCost,decimal(8:18)"`
	InvoiceID                          string `parquet:"InvoiceId,optional"`
	InvoiceIssuerName                  string `parquet:"InvoiceIssuerName"`
	ListCost                           int64  `parquet:"ListCost,decimal(8:18)"`
	ListUnitPrice                      *int64 `parquet:"ListUnitPrice,optional,decimal(10:18)"`
	PricingCategory                    string `parquet:"PricingCategory,optional"`
	PricingCurrency                    string `parquet:"PricingCurrency,optional"`
	PricingCurrencyContractedUnitPrice *int64 `parquet:"PricingCurrencyContractedUnitPrice,optional,decimal(10:18)"`
	PricingCurrencyEffectiveCost       *int64 `parquet:"PricingCurrencyEffectiveCost,optional,decimal(8:18)"`
	PricingCurrencyListUnitPrice       *int64 `parquet:"PricingCurrencyListUnitPrice,optional,decimal(10:18)"`
	PricingQuantity                    *int64 `parquet:"PricingQuantity,optional,decimal(8:18)"`
	PricingUnit                        string `parquet:"PricingUnit,optional"`
	ProviderName                       string `parquet:"ProviderName"`
	PublisherName                      string `parquet:"PublisherName"`
	RegionID                           string `parquet:"RegionId,optional"`
	RegionName                         string `parquet:"RegionName,optional"`
	ResourceID                         string `parquet:"ResourceId,optional"`
	ResourceName                       string `parquet:"ResourceName,optional"`
	ResourceType                       string `parquet:"ResourceType,optional"`
	ServiceCategory                    string `parquet:"ServiceCategory"`
	ServiceName                        string `parquet:"ServiceName"`
	ServiceSubcategory                 string `parquet:"ServiceSubcategory,optional"`
	SkuID                              string `parquet:"SkuId,optional"`
	SkuMeter                           string `parquet:"SkuMeter,optional"`
	SkuPriceDetails                    string `parquet:"SkuPriceDetails,optional"`
	SkuPriceID                         string `parquet:"SkuPriceId,optional"`
	SubAccountID                       string `parquet:"SubAccountId,optional"`
	SubAccountName                     string `parquet:"SubAccountName,optional"`
	SubAccountType                     string `parquet:"SubAccountType,optional"`
	Tags                               string `parquet:"Tags,optional"`
}

// Time is an instant in the form of the specification, UTC to the second.
type Time string

// TimeOf writes an instant.
func TimeOf(t time.Time) Time { return Time(t.UTC().Format("2006-01-02T15:04:05Z")) }

// Writer takes rows and closes the file.
type Writer interface {
	Write(rows []Row) error
	Close() error
}

// column is how a field is written as text.
type column struct {
	name     string
	decimals int // of a number; -1: a text
	index    int
}

var columns = func() []column {
	t := reflect.TypeFor[Row]()
	out := make([]column, t.NumField())
	for i := range out {
		out[i] = columnOf(t.Field(i), i)
	}
	return out
}()

// columnOf reads a field's tag: its name first, and decimal(scale:precision) of a number.
func columnOf(f reflect.StructField, i int) column {
	c := column{decimals: -1, index: i}
	tag := f.Tag.Get("parquet")
	c.name, _, _ = strings.Cut(tag, ",")
	if _, number, ok := strings.Cut(tag, "decimal("); ok {
		for _, digit := range number {
			if digit == ':' {
				break
			}
			c.decimals = max(0, c.decimals)*10 + int(digit-'0')
		}
	}
	return c
}

// Columns are the names of the columns in their order.
func Columns() []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.name
	}
	return out
}

// texts writes a row as texts.
func texts(r *Row, into []string) {
	v := reflect.ValueOf(r).Elem()
	for i, c := range columns {
		field := v.Field(c.index)
		switch {
		case c.decimals < 0:
			into[i] = field.String()
		case field.Kind() == reflect.Pointer && field.IsNil():
			into[i] = ""
		default:
			if field.Kind() == reflect.Pointer {
				field = field.Elem()
			}
			d, _ := money.NewDecimal(field.Int(), c.decimals) // scales are within bounds
			into[i] = d.String()
		}
	}
}

type csvWriter struct {
	to   *csv.Writer
	line []string
}

// NewCSV begins a CSV file with its heading, or goes on with one.
func NewCSV(to io.Writer, heading bool) (Writer, error) {
	w := &csvWriter{csv.NewWriter(to), make([]string, len(columns))}
	if !heading {
		return w, nil
	}
	return w, w.to.Write(Columns())
}

func (w *csvWriter) Write(rows []Row) error {
	for i := range rows {
		texts(&rows[i], w.line)
		if err := w.to.Write(w.line); err != nil {
			return err
		}
	}
	w.to.Flush()
	return w.to.Error()
}

func (w *csvWriter) Close() error { w.to.Flush(); return w.to.Error() }

// rowsInGroup bounds what a Parquet file holds in memory before it is written.
const rowsInGroup = 50_000

type parquetWriter struct {
	to *parquet.GenericWriter[Row]
	n  int
}

// NewParquet begins a Parquet file: numbers are decimals, nothing is a float.
func NewParquet(to io.Writer) Writer {
	return &parquetWriter{to: parquet.NewGenericWriter[Row](to, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("purser", "1", ""))}
}

func (w *parquetWriter) Write(rows []Row) error {
	n, err := w.to.Write(rows)
	if w.n += n; err == nil && w.n >= rowsInGroup {
		w.n, err = 0, w.to.Flush()
	}
	return err
}

func (w *parquetWriter) Close() error { return w.to.Close() }
