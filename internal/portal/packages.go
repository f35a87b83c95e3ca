package portal

import (
	"context"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/purser"
)

func showPackages(v *visit) (templ.Component, error) {
	q := bss.ListFreeResourceInfosReq{Limit: new(int32(pageSize)), Offset: new(int32(v.offset())), ProductName: v.some("name")}
	if v.q("status") != "" {
		q.Status = new(bss.ListFreeResourceInfosReqStatus(v.qInt("status", 0, 4, 1)))
	}
	list := ask(v, func(ctx context.Context) (*bss.ListFreeResourceInfosReply, error) {
		return v.api.BSS.ListFreeResourceInfosWithResponse(ctx, nil, q)
	})
	begin, end := v.usageDays()
	uses := ask(v, func(ctx context.Context) (*bss.ListFreeResourcesUsageRecordsReply, error) {
		return v.api.BSS.ListFreeResourcesUsageRecordsWithResponse(ctx, &bss.ListFreeResourcesUsageRecordsParams{
			FreeResourceId: v.some("item"), DeductTimeBegin: dayText(begin), DeductTimeEnd: dayText(end), Limit: new(int32(50)),
		})
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	return packagesPage(v, list, uses), nil
}

// packageNames are the names of packages in the visitor's language, which their uses do not speak, by what is in them.
func packageNames(list *asked[*bss.ListFreeResourceInfosReply]) map[string]string {
	out := map[string]string{}
	if list.ok() {
		for _, p := range list.reply.JSON200.FreeResourcePackages {
			for _, f := range p.FreeResources {
				out[f.FreeResourceId] = p.ProductName
			}
		}
	}
	return out
}

// usageDays is the span of usage that is shown: what was asked for, or the last 30 days.
func (v *visit) usageDays() (begin, end time.Time) {
	begin, end = v.now.AddDate(0, 0, -30), v.now
	if text := wireDay(v.q("from"), false); text != nil {
		begin = when(*text)
	}
	if text := wireDay(v.q("until"), true); text != nil {
		end = when(*text)
	}
	if end.Sub(begin) > 90*24*time.Hour {
		begin = end.Add(-90 * 24 * time.Hour)
	}
	return begin, end
}

func showCoupons(v *visit) (templ.Component, error) {
	list := askCoupons(v, v.qInt("status", 1, 5, 2), v.offset(), pageSize)
	services := askServices(v)
	if err := v.wait(); err != nil {
		return nil, err
	}
	return couponsPage(v, list, services), nil
}

// limitText is what a limit of a coupon asks for, in words where there are some.
func (v *visit) limitText(services map[string]string, l *bss.ICouponUseLimitInfoV2) string {
	var out []string
	for _, one := range strings.Split(l.Value1, ",") {
		switch l.LimitKey {
		case "serviceType":
			one = named(services, one, one)
		case "subscribeType":
			one = v.code("subscribe", one)
		}
		out = append(out, one)
	}
	if text := strings.Join(out, ", "); l.Value2 != "" {
		return text + " – " + l.Value2
	} else {
		return text
	}
}

// left is what a coupon still pays.
func couponLeft(c *bss.IQueryUserCouponsResultV2) amount {
	if c.Balance != nil {
		return numberOf(c.Balance)
	}
	return amountOf(c.FaceValue)
}

// useView is the pay-per-use resources, and what one of them used.
type useView struct {
	list    *asked[*purser.ListUsageResourcesReply]
	records *asked[*purser.ListUsageRecordsReply]
	picture *chart
}

func showUse(v *visit) (templ.Component, error) {
	u := &useView{}
	q := &purser.ListUsageResourcesParams{ServiceTypeCode: v.some("service"), Limit: new(int32(pageSize)), Offset: new(int32(v.offset()))}
	if n := v.qInt("status", 2, 6, 0); n > 0 {
		q.Status = new(purser.ListUsageResourcesParamsStatus(n))
	}
	u.list = ask(v, func(ctx context.Context) (*purser.ListUsageResourcesReply, error) {
		return v.api.Purser.ListUsageResourcesWithResponse(ctx, q)
	})
	services := askServices(v)
	if id := v.q("resource"); id != "" {
		u.records = ask(v, func(ctx context.Context) (*purser.ListUsageRecordsReply, error) {
			return v.api.Purser.ListUsageRecordsWithResponse(ctx, &purser.ListUsageRecordsParams{ResourceId: &id, StartTime: v.now.Add(-useSpan).Truncate(time.Second), EndTime: v.now.Truncate(time.Second), Limit: new(int32(1000))})
		})
	}
	if err := v.wait(); err != nil {
		return nil, err
	}
	if u.records.ok() {
		u.draw(v)
	}
	return usePage(v, u, services), nil
}

// useSpan is how far back live usage is shown.
const useSpan = 48 * time.Hour

// draw adds up what a resource used by hours; each usage factor is a series.
func (u *useView) draw(v *visit) {
	c := &chart{ID: "use", Title: v.t("use.picture")}
	first := v.now.Add(-useSpan).Truncate(time.Hour)
	hours := int(useSpan/time.Hour) + 1
	for i := range hours {
		at := first.Add(time.Duration(i) * time.Hour).In(zone)
		c.Labels = append(c.Labels, at.Format("01-02 15:00"))
		c.Short = append(c.Short, at.Format("15:00"))
	}
	at := map[string]int{}
	for _, r := range u.records.reply.JSON200.UsageRecords {
		key := r.UsageFactor
		n, unit := v.usageOf(r.UsageValue, r.UsageMeasureId)
		if _, ok := at[key]; !ok {
			at[key] = len(c.Series)
			c.Series = append(c.Series, series{Name: v.code("factor", key) + " (" + unit + ")", Values: make([]amount, hours)})
		}
		if i := int(r.EndTime.Sub(first) / time.Hour); i >= 0 && i < hours {
			c.Series[at[key]].Values[i] += n
		}
	}
	if len(c.Series) > 0 {
		u.picture = c
	}
}

func showDiscounts(v *visit) (templ.Component, error) {
	list := ask(v, func(ctx context.Context) (*purser.ListDiscountsReply, error) {
		return v.api.Purser.ListDiscountsWithResponse(ctx, &purser.ListDiscountsParams{Limit: new(int32(pageSize)), Offset: new(int32(v.offset()))})
	})
	services := askServices(v)
	if err := v.wait(); err != nil {
		return nil, err
	}
	return discountsPage(v, list, services), nil
}

func packageKind(state int32) string {
	switch state {
	case 1:
		return "good"
	case 2:
		return "warn"
	}
	return ""
}
