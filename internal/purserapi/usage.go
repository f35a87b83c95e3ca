package purserapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"mime"
	"time"

	"github.com/go-faster/jx"
	"github.com/klauspost/compress/zstd"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/usage"
)

// usageBodyMost bounds a body of usage when it is unpacked, in bytes.
const usageBodyMost = 32 << 20

// AcceptUsage takes usage records in, in each of their forms.
func (d *Door) AcceptUsage(ctx context.Context, r AcceptUsageRequestObject) (AcceptUsageResponseObject, error) {
	call := doorway.CallOf(ctx)
	text, err := unpack(call.Body, call.Encoding)
	if err != nil {
		return nil, err
	}
	kind, _, err := mime.ParseMediaType(r.ContentType)
	if err != nil {
		kind = "application/json"
	}
	in := usage.Reader{Most: operation.UsageMost}
	switch kind {
	case "application/x-ndjson", "application/ndjson", "application/jsonl":
		err = in.Lines(text)
	case "application/cloudevents-batch+json":
		err = in.Events(text)
	default:
		err = in.Array(text)
	}
	if err != nil {
		return nil, err
	}
	accept, out := d.counter.AcceptUsage, AcceptUsage200JSONResponse{Refused: []RefusedUsage{}, Quarantined: []RefusedUsage{}}
	if d.counter.Queue != nil {
		accept, out.Queued = d.counter.QueueUsage, true
	}
	outcomes, err := accept(ctx, call, in.Records)
	if err != nil {
		return nil, err
	}
	in.Each(outcomes, func(index int, o *usage.Outcome) {
		switch o.Verdict {
		case usage.Accepted:
			out.Accepted++
		case usage.Duplicate:
			out.Duplicates++
		case usage.Refused:
			out.Refused = append(out.Refused, RefusedUsage{Index: contract.Int32(index), Code: o.Why.Code, Message: o.Why.Message})
		case usage.Quarantined:
			out.Quarantined = append(out.Quarantined, RefusedUsage{Index: contract.Int32(index), Id: &o.ID, Code: o.Why.Code, Message: o.Why.Message})
		}
	})
	return out, nil
}

// unpack undoes a Content-Encoding, within bounds.
func unpack(body []byte, encoding string) ([]byte, error) {
	var from io.Reader
	switch encoding {
	case "", "identity":
		return body, nil
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, unreadable(encoding)
		}
		from = z
	case "zstd":
		z, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(usageBodyMost), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, unreadable(encoding)
		}
		defer z.Close()
		from = z
	default:
		return nil, fault.New(fault.Invalid, "CBC.0100", "Content-Encoding: must be gzip or zstd, not %q", encoding)
	}
	text, err := io.ReadAll(io.LimitReader(from, usageBodyMost+1))
	if err != nil {
		return nil, unreadable(encoding)
	}
	if len(text) > usageBodyMost {
		return nil, fault.New(fault.TooLarge, "CBC.0100", "the request body is larger than %d bytes when it is unpacked", usageBodyMost)
	}
	return text, nil
}

func unreadable(encoding string) error {
	return fault.New(fault.Invalid, "CBC.0100", "the request body is not %s", encoding)
}

// ListUsageRecords pages through records.
func (d *Door) ListUsageRecords(ctx context.Context, r ListUsageRecordsRequestObject) (ListUsageRecordsResponseObject, error) {
	q := &r.Params
	span := period.Span{Start: q.StartTime, End: q.EndTime}
	total, page, err := d.counter.UsageRecords(ctx, doorway.CallOf(ctx), contract.Text(q.CustomerId), contract.Text(q.ResourceId), span, contract.Int(q.Offset, 0), contract.Int(q.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListUsageRecords200JSONResponse{TotalCount: contract.Int32(total), UsageRecords: []UsageRecord{}}
	for i := range page {
		out.UsageRecords = append(out.UsageRecords, recordOf(&page[i]))
	}
	return out, nil
}

func recordOf(r *usage.Record) UsageRecord {
	out := UsageRecord{
		Source: r.Source, Id: r.ID, CustomerId: r.Customer, ResourceId: r.Resource, ResourceName: some(r.Name), CloudServiceType: some(r.Service), ResourceType: some(r.ResourceType),
		ResourceSpec: some(r.Spec), Region: some(r.Region), EnterpriseProjectId: some(r.Project), UsageFactor: r.Factor, UsageValue: r.Value.String(),
		UsageMeasureId: contract.Int32(r.Unit), StartTime: r.Start.UTC(), EndTime: r.End.UTC(),
	}
	if r.Tags != nil {
		out.Tags = r.Tags
	}
	if r.Size.Unit != 0 {
		unit := contract.Int32(r.Size.Unit)
		out.ResourceSize, out.SizeMeasureId = some(r.Size.Value.String()), &unit
	}
	return out
}

var asides = map[ListQuarantineParamsState]usage.Aside{"kept": usage.Kept, "replayed": usage.Replayed, "dropped": usage.Dropped}

// ListQuarantine pages through records that are kept aside.
func (d *Door) ListQuarantine(ctx context.Context, r ListQuarantineRequestObject) (ListQuarantineResponseObject, error) {
	state := usage.Kept
	if r.Params.State != nil {
		state = asides[*r.Params.State]
	}
	total, page, err := d.counter.Quarantine(ctx, doorway.CallOf(ctx), contract.Text(r.Params.CustomerId), state, contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListQuarantine200JSONResponse{TotalCount: contract.Int32(total), Records: []QuarantinedRecord{}}
	for i := range page {
		out.Records = append(out.Records, heldOf(&page[i]))
	}
	return out, nil
}

var asideNames = map[usage.Aside]QuarantinedRecordState{usage.Kept: "kept", usage.Replayed: "replayed", usage.Dropped: "dropped"}

func heldOf(h *usage.Held) QuarantinedRecord {
	return QuarantinedRecord{Id: h.ID, State: asideNames[h.State], Code: h.Code, Message: h.Reason, KeptTime: h.At.UTC().Format(stampForm), Record: recordOf(&h.Record)}
}

// ReplayUsage takes a record out of quarantine.
func (d *Door) ReplayUsage(ctx context.Context, r ReplayUsageRequestObject) (ReplayUsageResponseObject, error) {
	call := doorway.CallOf(ctx)
	if r.Body.Action == Drop {
		h, err := d.counter.DropUsage(ctx, call, r.Body.CustomerId, r.Id)
		return ReplayUsage200JSONResponse(heldOf(&h)), err
	}
	mended, err := mendedIn(call.Body)
	if err != nil {
		return nil, err
	}
	h, err := d.counter.ReplayUsage(ctx, call, r.Body.CustomerId, r.Id, mended)
	return ReplayUsage200JSONResponse(heldOf(&h)), err
}

// mendedIn reads the record of a replay as those of a batch are read; nil: there is none.
func mendedIn(body []byte) (*usage.Record, error) {
	var raw jx.Raw
	err := jx.DecodeBytes(body).Obj(func(d *jx.Decoder, key string) (err error) {
		if key != "record" {
			return d.Skip()
		}
		raw, err = d.Raw()
		return err
	})
	if err != nil || raw == nil {
		return nil, err
	}
	in := usage.Reader{Most: 1}
	if err := in.Lines(raw); err != nil {
		return nil, err
	}
	if why := in.Wrong(0); why != nil {
		return nil, why
	}
	return &in.Records[0], nil
}

// ListUsageResources pages through pay-per-use resources.
func (d *Door) ListUsageResources(ctx context.Context, r ListUsageResourcesRequestObject) (ListUsageResourcesResponseObject, error) {
	q := &r.Params
	wanted := usage.ResourceQuery{ID: contract.Text(q.ResourceId), Service: contract.Text(q.ServiceTypeCode)}
	if q.Status != nil {
		wanted.Status = usage.Status(*q.Status)
	}
	total, page, err := d.counter.UsageResources(ctx, doorway.CallOf(ctx), contract.Text(q.CustomerId), wanted, contract.Int(q.Offset, 0), contract.Int(q.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListUsageResources200JSONResponse{TotalCount: contract.Int32(total), Resources: []UsageResource{}}
	for i := range page {
		out.Resources = append(out.Resources, resourceOf(&page[i]))
	}
	return out, nil
}

func resourceOf(r *usage.Resource) UsageResource {
	out := UsageResource{
		CustomerId: r.Customer, ResourceId: r.ID, ResourceName: r.Name, CloudServiceType: r.Service, ResourceType: r.ResourceType, ResourceSpec: r.Spec, Region: r.Region,
		EnterpriseProjectId: r.Project, SelfMeteredBy: r.Factor, Status: contract.Int32(r.Status), CreatedTime: r.Created.UTC().Format(stampForm),
	}
	if r.Tags != nil {
		out.Tags = r.Tags
	}
	if r.Size.Unit != 0 {
		unit := contract.Int32(r.Size.Unit)
		out.ResourceSize, out.SizeMeasureId = some(r.Size.Value.String()), &unit
	}
	if !r.Ended.IsZero() {
		out.EndedTime = some(r.Ended.UTC().Format(stampForm))
	}
	return out
}

// RegisterUsageResource makes a resource known.
func (d *Door) RegisterUsageResource(ctx context.Context, r RegisterUsageResourceRequestObject) (RegisterUsageResourceResponseObject, error) {
	in := r.Body
	u := usage.Resource{
		Customer: in.CustomerId, ID: in.ResourceId, Name: contract.Text(in.ResourceName), Factor: contract.Text(in.SelfMeteredBy),
		Described: usage.Described{Service: in.CloudServiceType, ResourceType: in.ResourceType, Spec: in.ResourceSpec, Region: in.Region, Project: contract.Text(in.EnterpriseProjectId)},
	}
	if in.Tags != nil {
		u.Tags = in.Tags
	}
	if in.ResourceSize != nil {
		u.Size.Value = money.DecimalOf(int64(*in.ResourceSize))
	}
	if in.SizeMeasureId != nil {
		u.Size.Unit = int32(*in.SizeMeasureId)
	}
	kept, err := d.counter.RegisterResource(ctx, doorway.CallOf(ctx), u)
	return RegisterUsageResource200JSONResponse(resourceOf(&kept)), err
}

// ActOnUsageResource starts, stops or deletes a resource.
func (d *Door) ActOnUsageResource(ctx context.Context, r ActOnUsageResourceRequestObject) (ActOnUsageResourceResponseObject, error) {
	u, err := d.counter.ActOnResource(ctx, doorway.CallOf(ctx), r.Body.CustomerId, r.ResourceId, string(r.Body.Action))
	return ActOnUsageResource200JSONResponse(resourceOf(&u)), err
}

// ListFeeRecords pages through fee records.
func (d *Door) ListFeeRecords(ctx context.Context, r ListFeeRecordsRequestObject) (ListFeeRecordsResponseObject, error) {
	cycle, err := period.ParseCycle(r.Params.Cycle)
	if err != nil {
		return nil, fault.New(fault.Invalid, "CBC.0100", "cycle: must be YYYY-MM, from 1970 on")
	}
	total, page, invoices, err := d.counter.FeeRecords(ctx, doorway.CallOf(ctx), contract.Text(r.Params.CustomerId), cycle, contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListFeeRecords200JSONResponse{TotalCount: contract.Int32(total), Currency: "USD", FeeRecords: make([]FeeRecord, 0, len(page))}
	for i := range page {
		f := feeOf(&page[i])
		f.InvoiceNumber = invoices[page[i].Trade]
		out.FeeRecords = append(out.FeeRecords, f)
	}
	return out, nil
}

func feeOf(f *charge.Fee) FeeRecord {
	stamp := func(t time.Time) string { return t.UTC().Format(stampForm) }
	return FeeRecord{
		Id: f.ID, TradeId: f.Trade, BillType: contract.Int32(f.Bill), ChargeMode: contract.Int32(f.Mode), ResourceId: f.Resource, CloudServiceType: f.Service, ResourceType: f.ResourceType,
		ResourceSpec: f.Spec, Region: f.Region, EnterpriseProjectId: f.Project, UsageFactor: f.UsageType, Usage: f.Quantity(f.Used).String(), PackageUsage: f.Quantity(f.Covered).String(),
		UsageMeasureId: contract.Int32(f.UsageUnit), OfficialAmount: f.Official.String(), DiscountAmount: f.Discount.String(), Amount: f.Amount.String(),
		CashAmount: f.Parts.Cash.String(), CreditAmount: f.Parts.Credit.String(), CouponAmount: f.Parts.Coupon.String(), DebtAmount: f.Parts.Debt.String(),
		ConsumedFrom: stamp(f.Consumed.Start), ConsumedTo: stamp(f.Consumed.End), TradeTime: stamp(f.Traded), Corrects: f.Corrects,
	}
}
