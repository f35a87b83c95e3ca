package usage

import (
	"slices"
	"strconv"
	"time"

	"github.com/go-faster/jx"
)

// AppendLine writes a record as Reader.Lines reads it, and as everybody reports it: one JSON object and the end of its line.
func AppendLine(to []byte, r *Record) []byte {
	w := jx.Writer{Buf: to}
	text := func(name, value string, always bool) {
		if value != "" || always {
			w.RawStr(name)
			w.Str(value)
		}
	}
	text(`{"source":`, r.Source, true)
	text(`,"id":`, r.ID, true)
	text(`,"customer_id":`, r.Customer, true)
	text(`,"resource_id":`, r.Resource, true)
	text(`,"resource_name":`, r.Name, false)
	text(`,"cloud_service_type":`, r.Service, false)
	text(`,"resource_type":`, r.ResourceType, false)
	text(`,"resource_spec":`, r.Spec, false)
	text(`,"region":`, r.Region, false)
	text(`,"enterprise_project_id":`, r.Project, false)
	text(`,"usage_factor":`, r.Factor, true)
	text(`,"usage_value":`, r.Value.String(), true)
	w.RawStr(`,"usage_measure_id":`)
	w.Buf = strconv.AppendInt(w.Buf, int64(r.Unit), 10)
	if r.Size.Unit != 0 {
		text(`,"resource_size":`, r.Size.Value.String(), true)
		w.RawStr(`,"size_measure_id":`)
		w.Buf = strconv.AppendInt(w.Buf, int64(r.Size.Unit), 10)
	}
	w.RawStr(`,"start_time":"`)
	w.Buf = r.Start.UTC().AppendFormat(w.Buf, time.RFC3339Nano)
	w.RawStr(`","end_time":"`)
	w.Buf = r.End.UTC().AppendFormat(w.Buf, time.RFC3339Nano)
	w.RawStr(`"`)
	if r.Tags != nil {
		w.RawStr(`,"tags":{`)
		names := make([]string, 0, len(r.Tags))
		for name := range r.Tags {
			names = append(names, name)
		}
		slices.Sort(names)
		for i, name := range names {
			if i > 0 {
				w.RawStr(`,`)
			}
			w.Str(name)
			w.RawStr(`:`)
			w.Str(r.Tags[name])
		}
		w.RawStr(`}`)
	}
	w.RawStr("}\n")
	return w.Buf
}

// Shaped judges a batch by its shape alone, as one does who has no store at hand: what Accept would refuse of each record whatever is
// known. The rest is said to be accepted.
func Shaped(records []Record) []Outcome {
	out := make([]Outcome, len(records))
	for i := range records {
		if why := records[i].check(); why != nil {
			out[i] = Outcome{Verdict: Refused, Why: why}
		}
	}
	return out
}
