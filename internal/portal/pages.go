package portal

import (
	"github.com/a-h/templ"
)

// customerPages are the pages of customers, in the order of the navigation.
func customerPages() []*page {
	customer, everyone := []string{"customer"}, []string{"customer", "partner", "operator"}
	type shows = func(*visit) (templ.Component, error)
	type acts = map[string]func(*visit) outcome
	add := func(path, title, group string, show shows, acts acts) *page {
		return &page{path: path, title: title, group: group, kinds: customer, show: show, acts: acts}
	}
	child := func(path, title, parent string, show shows, acts acts) *page {
		one := add(path, title, "", show, acts)
		one.parent = parent
		return one
	}
	own := func(one *page) *page { one.own = true; return one }
	bills := add("/bills", "bills.title", "group.billing", showBills, nil)
	bills.files = map[string]func(*visit) (*download, error){"summary.xlsx": exportSummary, "details.csv": exportDetails, "focus.csv": exportFocus}
	fees := child("/fees", "fees.title", "/bills", showFees, nil)
	fees.files = map[string]func(*visit) (*download, error){"csv": feesCSV}
	invoices := add("/invoices", "invoices.title", "group.billing", showInvoices, nil)
	invoices.files = map[string]func(*visit) (*download, error){"pdf": invoicePDF}
	all := func(one *page) *page { one.kinds = everyone; return one }
	return []*page{
		add("/", "overview.title", "group.billing", showOverview, nil),
		bills,
		fees,
		add("/costs", "costs.title", "group.billing", showCosts, nil),
		invoices,
		own(add("/buy", "buy.title", "group.buy", showBuy, acts{"basket": changeBasket, "order": placeOrder})),
		own(add("/calculator", "calc.title", "group.buy", showCalculator, nil)),
		add("/orders", "orders.title", "group.buy", showOrders, acts{"pay": payTogether}),
		child("/order", "order.title", "/orders", showOrder, acts{"pay": payOrder, "cancel": cancelOrder}),
		add("/renewals", "renewals.title", "group.have", showRenewals, acts{"day": setRenewDay}),
		child("/renew", "renew.title", "/renewals", showRenew, acts{"do": doRenew}),
		child("/unsubscribe", "unsubscribe.title", "/renewals", showUnsubscribe, acts{"do": doUnsubscribe}),
		child("/expiry", "expiry.title", "/renewals", showExpiry, acts{"set": setPolicy}),
		add("/packages", "packages.title", "group.have", showPackages, nil),
		add("/coupons", "coupons.title", "group.have", showCoupons, nil),
		own(add("/use", "use.title", "group.have", showUse, nil)),
		own(add("/discounts", "discounts.title", "group.account", showDiscounts, nil)),
		own(add("/contracts", "contracts.title", "group.account", showContracts, acts{"apply": applyForContract, "decide": decideContract})),
		add("/account", "account.title", "group.account", showAccount, acts{"topup": topUp, "pay": paySandbox, "preferences": setPreferences}),
		all(add("/credential", "credential.title", "group.account", showCredential, acts{"key": makeKey, "switch": switchKey, "password": changePassword, "contact": changeContact})),
		add("/projects", "projects.title", "group.account", showProjects, acts{"open": openProjects, "make": makeProject, "switch": switchProject, "grant": grantProject, "budget": setBudget}),
		all(add("/traces", "traces.title", "group.manage", showTraces, acts{"switch": switchTraces, "transfer": transferTraces})),
		all(add("/api", "api.title", "group.manage", showAPI, nil)),
	}
}

// operatorPages are the pages of the operator; partners have the first.
func operatorPages() []*page {
	operator := []string{"operator"}
	type shows = func(*visit) (templ.Component, error)
	type acts = map[string]func(*visit) outcome
	add := func(path, title, group string, show shows, acts acts) *page {
		return &page{path: path, title: title, group: group, kinds: operator, own: true, show: show, acts: acts}
	}
	child := func(path, title, parent string, show shows, acts acts) *page {
		one := add(path, title, "", show, acts)
		one.parent = parent
		return one
	}
	closes := add("/closes", "closes.title", "group.house", showCloses, acts{"retry": retryClose})
	closes.files = map[string]func(*visit) (*download, error){"receivables.csv": reportCSV("receivables"), "revenue.csv": reportCSV("revenue"), "payments.csv": reportCSV("payments")}
	papers := add("/papers", "papers.title", "group.desk", showPapers, acts{"issuer": setIssuer, "rate": setRate})
	papers.files = map[string]func(*visit) (*download, error){"pdf": paperPDF}
	return []*page{
		{path: "/", title: "desk.title", group: "group.desk", kinds: []string{"operator", "partner"}, show: showDesk},
		add("/customers", "customers.title", "group.desk", showCustomers, acts{"add": addCustomer}),
		child("/customer", "customers.one", "/customers", showCustomer, acts{"change": changeCustomer, "money": moveMoney, "release": releaseBooks}),
		add("/prices", "prices.title", "group.desk", showPrices, nil),
		child("/price", "prices.one", "/prices", showPrice, acts{"plan": planPrice, "publish": publishPrice}),
		add("/offers", "offers.title", "group.desk", showOffers, acts{"grant": grantDiscount, "withdraw": withdrawDiscount, "issue": issueCoupon, "coupon": actOnCoupon}),
		add("/reviews", "reviews.title", "group.desk", showReviews, acts{"judge": judgeOrder}),
		add("/applications", "applications.title", "group.desk", showApplications, acts{"decide": decideContract}),
		papers,
		add("/intake", "intake.title", "group.house", showIntake, acts{"replay": replayUsage, "take": takeUsage}),
		closes,
		add("/outbox", "outbox.title", "group.house", showOutbox, acts{"add": addHook, "change": changeHook, "retry": retryDelivery, "ping": pingHooks}),
		add("/clock", "clock.title", "group.house", showClock, acts{"move": moveClock}),
		add("/health", "health.title", "group.house", showHealth, nil),
	}
}
