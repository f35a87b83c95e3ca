package invoice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	xlanguage "golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/paper"
	"github.com/purser-cloud/purser/internal/period"
)

// texts are the words of a paper in both languages.
var texts = map[string]catalog.Text{
	"tax invoice":  {En: "TAX INVOICE", Zh: "税务发票"},
	"commercial":   {En: "INVOICE", Zh: "发票"},
	"memo":         {En: "CREDIT MEMO", Zh: "贷项通知单"},
	"number":       {En: "Number", Zh: "编号"},
	"date":         {En: "Date", Zh: "开具日期"},
	"due date":     {En: "Due date", Zh: "付款到期日"},
	"bill cycle":   {En: "Bill cycle", Zh: "账期"},
	"order":        {En: "Order", Zh: "订单号"},
	"entry":        {En: "Transaction", Zh: "交易流水号"},
	"request":      {En: "Reference", Zh: "申请编号"},
	"source":       {En: "Credits invoice", Zh: "冲销发票"},
	"reason":       {En: "Reason", Zh: "原因"},
	"currency":     {En: "Currency", Zh: "币种"},
	"to":           {En: "BILL TO", Zh: "购买方"},
	"tax id":       {En: "Tax ID: ", Zh: "纳税人识别号："},
	"attention":    {En: "Attn: ", Zh: "收件人："},
	"phone":        {En: "Tel: ", Zh: "电话："},
	"email":        {En: "E-mail: ", Zh: "邮箱："},
	"account":      {En: "For account: ", Zh: "所属账号："},
	"description":  {En: "Description", Zh: "项目"},
	"period":       {En: "Period", Zh: "期间"},
	"charged":      {En: "Amount", Zh: "金额"},
	"coupon":       {En: "Coupons", Zh: "代金券抵扣"},
	"rate":         {En: "Tax rate", Zh: "税率"},
	"tax":          {En: "Tax", Zh: "税额"},
	"total":        {En: "Total", Zh: "价税合计"},
	"sum of":       {En: "Total %s", Zh: "%s 小计"},
	"net":          {En: "Amount before tax", Zh: "不含税金额"},
	"less coupons": {En: "Less coupons", Zh: "减：代金券抵扣"},
	"all tax":      {En: "Tax", Zh: "税额合计"},
	"due":          {En: "Total", Zh: "价税合计"},
	"credited":     {En: "Total credited", Zh: "冲销合计"},
	"taxes":        {En: "Taxes", Zh: "税项明细"},
	"class":        {En: "Tax class", Zh: "税种"},
	"base":         {En: "Taxable amount", Zh: "计税金额"},
	"all":          {En: "All services", Zh: "全部服务"},
	"services":     {En: "Totals by service", Zh: "按服务汇总"},
	"service":      {En: "Service", Zh: "服务"},
	"several":      {En: "several", Zh: "多个"},
	"inclusive":    {En: "Prices include tax; amounts in this document are shown before it.", Zh: "价格含税；本单据所列金额为不含税金额。"},
	"by term":      {En: "yearly/monthly", Zh: "包年/包月"},
	"by use":       {En: "pay-per-use", Zh: "按需计费"},
	"refunds":      {En: "refunds", Zh: "退款"},
	"page":         {En: "Page %d of %d", Zh: "第 %d 页，共 %d 页"},
	"foot":         {En: "%s %s · issued by %s", Zh: "%s %s · 开具方：%s"},
	"paid":         {En: "Paid online.", Zh: "已在线支付。"},
	"unpaid":       {En: "Of this bill cycle amounts are still owed.", Zh: "本账期尚有未结清金额。"},
	"monthly paid": {En: "Settled.", Zh: "已结清。"},
	"receipt":      {En: "Received with thanks.", Zh: "款项已收讫。"},
	"given back":   {En: "This document reduces the invoice that it names. Amounts below zero are in the customer's favour.", Zh: "本单据用于冲减所列发票；负数金额为应退还客户的金额。"},
}

// dateForm is how days stand on paper, GMT+8.
const dateForm = "2006-01-02"

// Print prints a paper that has its number; source is the number of the invoice that it credits.
func Print(p *Paper, source string, lines []Line, taxes []Tax, language catalog.Language, currency money.Currency, font []byte) ([]byte, error) {
	say := func(key string) string { return texts[key].In(language) }
	shown := func(a money.Amount) string { return grouped(a, currency) }
	s := p.Seal
	kind := say("tax invoice")
	switch {
	case p.Memo:
		kind = say("memo")
	case p.Class == Commercial:
		kind = say("commercial")
	}
	d := paper.Document{
		Title: kind, Subject: kind + " " + s.Number, Made: p.Applied, ToHead: say("to"), Font: font,
		Page: func(page, of int) string { return fmt.Sprintf(say("page"), page, of) },
		Foot: fmt.Sprintf(say("foot"), kind, s.Number, s.Issuer.Name),
	}
	part := func(list []string, before, text string) []string {
		if text == "" {
			return list
		}
		return append(list, before+text)
	}
	d.Issuer = part(part([]string{s.Issuer.Name}, "", s.Issuer.Address), say("tax id"), s.Issuer.TaxID)
	d.To = part(part(part(part([]string{s.Title}, "", strings.TrimSpace(s.Address+" "+s.Zip)), "", CountryName(s.Country, language)), say("tax id"), s.TaxID), say("account"), s.AboutName)
	d.About = part(part(part(nil, say("attention"), s.Recipient), say("phone"), s.Phone), say("email"), s.Email)
	fact := func(key, value string) {
		if value != "" {
			d.Facts = append(d.Facts, paper.Fact{Name: say(key), Value: value})
		}
	}
	fact("number", s.Number)
	fact("date", p.Applied.In(period.GMT8).Format(dateForm))
	if !p.Due.IsZero() {
		fact("due date", p.Due.In(period.GMT8).Format(dateForm))
	}
	fact("source", source)
	switch {
	case p.Trade == "" || p.Method == "cycle":
		fact("bill cycle", p.Cycle.String())
	case p.TradeType == TopUp || p.TradeType == Withdrawal:
		fact("entry", p.Trade)
	}
	if p.TradeType == OnlineOrder || p.Memo && p.TradeType != Withdrawal {
		fact("order", p.Trade)
	}
	fact("reason", p.Reason)
	fact("currency", p.Currency)
	fact("request", p.ID)
	d.Columns = []paper.Column{
		{Head: say("description"), Parts: 35}, {Head: say("period"), Parts: 12}, {Head: say("charged"), Parts: 14, Right: true},
		{Head: say("coupon"), Parts: 13, Right: true}, {Head: say("rate"), Parts: 9, Right: true}, {Head: say("tax"), Parts: 12, Right: true}, {Head: say("total"), Parts: 15, Right: true},
	}
	inclusive := false
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b Line) int {
		return cmp.Or(strings.Compare(a.ServiceName.In(language), b.ServiceName.In(language)), strings.Compare(a.Service, b.Service))
	})
	var byService []paper.Row
	for i := 0; i < len(lines); {
		service := lines[i].Service
		name := lines[i].ServiceName.In(language)
		var sum Line
		if name != "" {
			d.Rows = append(d.Rows, paper.Row{Kind: paper.Heading, Cells: []string{name}})
		}
		n := 0
		for ; i < len(lines) && lines[i].Service == service; i++ {
			l := &lines[i]
			n++
			sum.Charged, sum.Coupon, sum.Tax, sum.Amount = sum.Charged+l.Charged, sum.Coupon+l.Coupon, sum.Tax+l.Tax, sum.Amount+l.Amount
			inclusive = inclusive || l.Inclusive
			d.Rows = append(d.Rows, paper.Row{Cells: []string{
				describe(l, say, language, p.Memo), spanText(l.Starts, l.Ends), shown(l.Charged), noneOr(shown(-l.Coupon), l.Coupon == 0), rateText(l, say), noneOr(shown(l.Tax), l.Tax == 0 && l.TaxRate == ""), shown(l.Amount),
			}})
		}
		cells := []string{fmt.Sprintf(say("sum of"), name), "", shown(sum.Charged), noneOr(shown(-sum.Coupon), sum.Coupon == 0), "", shown(sum.Tax), shown(sum.Amount)}
		if name != "" && n > 1 {
			d.Rows = append(d.Rows, paper.Row{Kind: paper.Sum, Cells: cells})
		}
		byService = append(byService, paper.Row{Cells: []string{cmp.Or(name, texts["entry"].In(language)), cells[2], cells[3], cells[5], cells[6]}})
	}
	if p.Class == TaxInvoice || p.Coupon != 0 {
		d.Totals = []paper.Fact{{Name: say("net"), Value: shown(p.Charged)}}
	}
	if p.Coupon != 0 {
		d.Totals = append(d.Totals, paper.Fact{Name: say("less coupons"), Value: shown(-p.Coupon)})
	}
	if p.Class == TaxInvoice {
		d.Totals = append(d.Totals, paper.Fact{Name: say("all tax"), Value: shown(p.Tax)})
	}
	due := say("due")
	if p.Memo {
		due = say("credited")
	}
	d.Totals, d.Strong = append(d.Totals, paper.Fact{Name: due + " (" + p.Currency + ")", Value: shown(p.Amount)}), 1
	if len(byService) > 1 {
		byService = append(byService, paper.Row{Kind: paper.Sum, Cells: []string{say("all"), shown(p.Charged), noneOr(shown(-p.Coupon), p.Coupon == 0), shown(p.Tax), shown(p.Amount)}})
		d.Tables = append(d.Tables, paper.Table{Title: say("services"), Rows: byService, Columns: []paper.Column{
			{Head: say("service"), Parts: 40}, {Head: say("charged"), Parts: 16, Right: true}, {Head: say("coupon"), Parts: 16, Right: true}, {Head: say("tax"), Parts: 13, Right: true}, {Head: say("total"), Parts: 16, Right: true},
		}})
	}
	if len(taxes) > 0 {
		t := paper.Table{Title: say("taxes"), Columns: []paper.Column{
			{Head: say("class"), Parts: 40}, {Head: say("rate"), Parts: 16, Right: true}, {Head: say("base"), Parts: 22, Right: true}, {Head: say("tax"), Parts: 22, Right: true},
		}}
		for _, x := range taxes {
			name := x.Class
			if x.SubClass != x.Class {
				name += " · " + x.SubClass
			}
			t.Rows = append(t.Rows, paper.Row{Cells: []string{name, percent(x.Rate), shown(x.Base), shown(x.Amount)}})
		}
		d.Tables = append(d.Tables, t)
	}
	switch {
	case p.Memo:
		d.Notes = append(d.Notes, say("given back"))
	case p.TradeType == UnpaidMonth:
		d.Notes = append(d.Notes, say("unpaid"))
	case p.TradeType == CardMonth:
		d.Notes = append(d.Notes, say("monthly paid"))
	case p.TradeType == TopUp:
		d.Notes = append(d.Notes, say("receipt"))
	case p.TradeType == OnlineOrder:
		d.Notes = append(d.Notes, say("paid"))
	}
	if inclusive {
		d.Notes = append(d.Notes, say("inclusive"))
	}
	if s.Issuer.Note != "" {
		d.Notes = append(d.Notes, s.Issuer.Note)
	}
	return paper.Print(&d)
}

// CountryName is how a country is called on paper, with the region of one whose regions are taxed apart; the code itself where it is
// not known.
func CountryName(code string, language catalog.Language) string {
	country, within, _ := strings.Cut(code, "-")
	region, err := xlanguage.ParseRegion(country)
	if err != nil || !region.IsCountry() {
		return code
	}
	names := display.English.Regions()
	if language == catalog.Chinese {
		names = display.SimplifiedChinese.Regions()
	}
	name := names.Name(region)
	switch {
	case name == "":
		return code
	case within != "":
		return name + " (" + code + ")"
	}
	return name
}

// describe says what a line is for.
func describe(l *Line, say func(string) string, language catalog.Language, memo bool) string {
	text := l.Name.In(language)
	if l.Spec != "" {
		text += " " + l.Spec
	}
	if l.Region != "" {
		text += " · " + l.Region
	}
	if l.Num > 1 {
		text += fmt.Sprintf(" × %d", l.Num)
	}
	var more []string
	switch l.Mode {
	case 1:
		more = append(more, say("by term"))
	case 3:
		more = append(more, say("by use"))
	}
	if !memo && l.Charged < 0 {
		more = append(more, say("refunds"))
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	return text
}

// spanText is the month or the days of a line, GMT+8.
func spanText(from, to time.Time) string {
	if month := period.CycleOf(from).Span(); from.Equal(month.Start) && to.Equal(period.LastSecond(month.End)) {
		return period.CycleOf(from).String()
	}
	a, b := from.In(period.GMT8).Format(dateForm), to.In(period.GMT8).Format(dateForm)
	if a == b {
		return a
	}
	return a + " –\n" + b
}

func rateText(l *Line, say func(string) string) string {
	switch {
	case l.TaxRate != "":
		return percent(l.TaxRate)
	case l.Tax != 0:
		return say("several")
	}
	return "–"
}

func noneOr(text string, none bool) string {
	if none {
		return "–"
	}
	return text
}

// percent is a rate in percent.
func percent(rate string) string {
	d, err := money.ParseDecimal(rate)
	if err == nil {
		d, err = d.Mul(money.DecimalOf(100))
	}
	if err != nil {
		return rate
	}
	return d.String() + "%"
}

// grouped is an amount with its minor unit in full and its thousands apart: -1,234.50.
func grouped(a money.Amount, currency money.Currency) string {
	sign, text := "", money.CutMinor(a, currency).String()
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, minor, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if currency.Minor() == 0 {
		return sign + whole
	}
	return sign + whole + "." + (minor + strings.Repeat("0", currency.Minor()))[:currency.Minor()]
}
