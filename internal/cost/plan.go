package cost

import (
	"slices"
	"strconv"
	"strings"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/usage"
)

// BEID is the business entity that sells, in every row: a house is one.
const BEID = "purser"

// dimension is something to group or filter by: the columns of fee records that say it, and its value.
type dimension struct {
	columns  []charge.Column
	resource bool // needs to know where the resource is
	value    func(a *analysis, f *fact) string
}

// dimensions by their names on the wire (api.md 8.4).
var dimensions = map[string]dimension{
	"CLOUD_SERVICE_TYPE":    {columns: []charge.Column{charge.ColumnService}, value: func(_ *analysis, f *fact) string { return f.Service }},
	"RESOURCE_TYPE":         {columns: []charge.Column{charge.ColumnType}, value: func(_ *analysis, f *fact) string { return f.ResourceType }},
	"ASSOCIATED_ACCOUNT":    {columns: []charge.Column{charge.ColumnCustomer}, value: func(_ *analysis, f *fact) string { return f.Customer }},
	"REGION_CODE":           {columns: []charge.Column{charge.ColumnRegion}, value: func(_ *analysis, f *fact) string { return f.Region }},
	"ENTERPRISE_PROJECT_ID": {columns: []charge.Column{charge.ColumnProject}, value: func(_ *analysis, f *fact) string { return f.Project }},
	"RES_SPEC_CODE":         {columns: []charge.Column{charge.ColumnSpec}, value: func(_ *analysis, f *fact) string { return f.Spec }},
	"CHARGING_MODE":         {columns: []charge.Column{charge.ColumnMode}, value: func(_ *analysis, f *fact) string { return strconv.Itoa(int(f.Mode)) }},
	"USAGE_TYPE":            {columns: []charge.Column{charge.ColumnUsageType}, value: func(_ *analysis, f *fact) string { return f.UsageType }},
	"BILL_TYPE":             {columns: []charge.Column{charge.ColumnBill}, value: func(_ *analysis, f *fact) string { return strconv.Itoa(int(f.Bill)) }},
	"PAYER_ACCOUNT_ID":      {columns: []charge.Column{charge.ColumnPayer}, value: func(_ *analysis, f *fact) string { return f.Payer }},
	"BE_ID":                 {value: func(*analysis, *fact) string { return BEID }},
	"RESOURCE_ID":           {columns: []charge.Column{charge.ColumnResource}, resource: true, value: (*analysis).resourceOf},
	"AZ_CODE": {columns: []charge.Column{charge.ColumnResource}, resource: true, value: func(a *analysis, f *fact) string {
		return a.where[f.Instance].Zone
	}},
}

// resourceOf is the cloud's id of a resource; of a package, its own.
func (a *analysis) resourceOf(f *fact) string {
	if f.Resource != "" {
		return f.Resource
	}
	if w, ok := a.where[f.Instance]; ok {
		return w.ID
	}
	return f.Instance
}

// tagColumns say whose resource it is.
var tagColumns = []charge.Column{charge.ColumnCustomer, charge.ColumnResource}

func (a *analysis) tagsOf(f *fact) map[string]string {
	return a.tags[usage.Owned{Customer: f.Customer, ID: a.resourceOf(f)}]
}

// Keys of filters that are no dimensions.
const (
	resourceTag = "RESOURCE_TAG"
	costUnit    = "COST_UNIT"
)

// plan checks a query and says which columns it needs. CBC.0100.
func (q *Query) plan() (*analysis, error) {
	a := &analysis{q: q}
	need := func(d dimension) {
		a.resource = a.resource || d.resource
		for _, c := range d.columns {
			if !slices.Contains(a.columns, c) {
				a.columns = append(a.columns, c)
			}
		}
	}
	tags := dimension{columns: tagColumns, resource: true}
	for i, g := range q.Groups {
		if slices.Contains(q.Groups[:i], g) {
			return nil, fault.New(fault.Invalid, "CBC.0100", "groupby[%d]: %s %s is there twice", i, g.Kind, g.Key)
		}
		d, ok := dimensions[g.Key]
		switch {
		case g.Kind == Dimension && ok:
			need(d)
		case g.Kind == Dimension:
			return nil, fault.New(fault.Invalid, "CBC.0100", "groupby[%d].key: there is no dimension %s", i, g.Key)
		case g.Kind == Tag:
			need(tags)
			a.tagged = true
		default:
			return nil, fault.New(fault.Invalid, "CBC.0100", "groupby[%d]: the account has no cost unit %s", i, g.Key)
		}
	}
	for i := range q.Filters {
		f := &q.Filters[i]
		d, ok := dimensions[f.Key]
		switch {
		case len(f.Values) == 0:
			return nil, fault.New(fault.Invalid, "CBC.0100", "filters[%d].filter_factor.value: must not be empty", i)
		case ok:
			need(d)
		case f.Key == resourceTag:
			need(tags)
			a.tagged = true
		case f.Key == costUnit:
			return nil, fault.New(fault.Invalid, "CBC.0100", "filters[%d]: the account has no cost units", i)
		default:
			return nil, fault.New(fault.Invalid, "CBC.0100", "filters[%d].filter_factor.key: there is no dimension %s", i, f.Key)
		}
	}
	slices.Sort(a.columns)
	return a, nil
}

// keyOf is the key of a cost; not ok: a filter leaves it out.
func (a *analysis) keyOf(f *fact) (k key, ok bool) {
	for i := range a.q.Filters {
		if filter := &a.q.Filters[i]; a.matches(f, filter) == filter.Exclude {
			return k, false
		}
	}
	for i, g := range a.q.Groups {
		if g.Kind == Tag {
			k[i] = a.tagsOf(f)[g.Key]
		} else {
			k[i] = dimensions[g.Key].value(a, f)
		}
	}
	return k, true
}

func (a *analysis) matches(f *fact, filter *Filter) bool {
	if filter.Key != resourceTag {
		return slices.Contains(filter.Values, dimensions[filter.Key].value(a, f))
	}
	tags := a.tagsOf(f)
	return slices.ContainsFunc(filter.Values, func(want string) bool {
		key, value, exact := strings.Cut(want, "=")
		has, there := tags[key]
		return there && (!exact || has == value)
	})
}
