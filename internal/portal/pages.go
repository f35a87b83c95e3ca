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
	buy := add("/buy", "buy.title", "group.buy", showBuy, acts{"basket": changeBasket, "order": placeOrder})
	buy.own = true
	calculator := add("/calculator", "calc.title", "group.buy", showCalculator, nil)
	calculator.own = true
	order := add("/order", "order.title", "", showOrder, acts{"pay": payOrder, "cancel": cancelOrder})
	order.parent = "/orders"
	list := []*page{
		add("/", "overview.title", "group.billing", showOverview, nil),
		buy, calculator,
		add("/orders", "orders.title", "group.buy", showOrders, acts{"pay": payTogether}),
		order,
	}
	_ = everyone
	return list
}

// operatorPages are the pages of the operator and of partners.
func operatorPages() []*page {
	return []*page{
		{path: "/", title: "desk.title", group: "group.desk", kinds: []string{"operator", "partner"}, show: showDesk},
	}
}
