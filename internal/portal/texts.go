package portal

// catalogue is texts by key, in English and Chinese.
type catalogue map[string][2]string

// texts is every text of the pages.
var texts = gather(frameTexts, codeTexts, shopTexts, haveTexts, billTexts, accountTexts, contractTexts, operatorTexts)

// gather makes one catalogue; a key that is there twice is a mistake.
func gather(all ...catalogue) catalogue {
	out := catalogue{}
	for _, c := range all {
		for key, pair := range c {
			if _, twice := out[key]; twice {
				panic("portal: the text " + key + " is there twice")
			}
			out[key] = pair
		}
	}
	return out
}

// frameTexts are those of the frame, the sign-in and the overview.
var frameTexts = catalogue{
	"frame.skip":   {"Skip to the content", "跳到正文"},
	"frame.menu":   {"Menu", "菜单"},
	"frame.nav":    {"Pages", "页面"},
	"frame.look":   {"Language and colours", "语言与外观"},
	"frame.theme":  {"Colours: %s. Change", "外观：%s，点击切换"},
	"frame.crumbs": {"You are here", "当前位置"},
	"frame.clock":  {"A test clock is set for this account: everything here happens at %s (GMT+8).", "此账号使用测试时钟：此处的一切发生在 %s（GMT+8）。"},
	"theme.auto":   {"as the system", "跟随系统"},
	"theme.light":  {"light", "浅色"},
	"theme.dark":   {"dark", "深色"},

	"live.working": {"Working…", "处理中…"},
	"live.updated": {"Updated", "已更新"},
	"live.offline": {"The server cannot be reached. Nothing was changed; try again.", "无法连接服务器。未做任何更改，请重试。"},
	"live.copied":  {"Copied", "已复制"},

	"calls.title":   {"API: %d calls made this page", "API：此页面由 %d 次调用生成"},
	"calls.explain": {"Everything here comes from the public API. Secrets are left out: $TOKEN is what POST /v3/auth/tokens gives.", "页面内容全部来自公开 API。密钥已略去：$TOKEN 由 POST /v3/auth/tokens 获得。"},
	"calls.copy":    {"Copy", "复制"},
	"calls.go":      {"Go, with purser's client", "Go（purser 客户端）"},
	"calls.python":  {"Python, with the official SDK", "Python（官方 SDK）"},

	"trouble.title":          {"That did not work", "操作未成功"},
	"trouble.again":          {"Try again", "重试"},
	"trouble.inside":         {"Something went wrong here; the log has it. Nothing was changed by this page.", "页面内部出错，已写入日志。此页面未做任何更改。"},
	"trouble.unreachable":    {"The API cannot be reached. Try again in a moment.", "无法访问 API，请稍后重试。"},
	"trouble.form":           {"This form is no longer good: it was opened in another session, or is too old. Nothing was done; send it again.", "此表单已失效：可能来自其他会话或已过期。未执行任何操作，请重新提交。"},
	"trouble.not_built":      {"Not built here yet", "尚未提供"},
	"trouble.not_built_more": {"The API knows this operation and answers 501: it is in the contract, and will light up here once it is built.", "API 已定义此操作但返回 501：契约中已包含，完成后会自动显示。"},
	"trouble.lacks":          {"This endpoint does not offer it.", "此端点不提供该功能。"},
	"trouble.forbidden":      {"You may not see this", "您无权查看"},
	"said.code":              {" (%s)", "（%s）"},
	"form.was_done":          {"This was done already; its result is shown once only.", "该操作已完成，结果只显示一次。"},
	"lost.title":             {"There is no such page", "页面不存在"},
	"lost.text":              {"The address leads nowhere here, or not for this kind of account.", "该地址在此处或对此类账号不存在。"},
	"lost.home":              {"To the overview", "返回总览"},

	"pager.name":    {"Pages of the list", "列表分页"},
	"pager.back":    {"← Back", "← 上一页"},
	"pager.next":    {"Next →", "下一页 →"},
	"pager.of":      {"%d–%d of %d", "第 %d–%d 条，共 %d 条"},
	"chart.values":  {"Show the values", "显示数值"},
	"chart.label":   {"Of", "项目"},
	"filter.any":    {"All", "全部"},
	"filter.from":   {"From", "开始日期"},
	"filter.until":  {"Until", "结束日期"},
	"filter.search": {"Search", "查询"},
	"filter.reset":  {"Reset", "重置"},
	"time.zone":     {"GMT+8", "GMT+8"},

	"signin.title":    {"Sign in", "登录"},
	"signin.explain":  {"Billing Center and console, on the public API.", "费用中心与控制台，基于公开 API。"},
	"signin.account":  {"Account name", "账号名"},
	"signin.user":     {"User name (empty: the same)", "用户名（留空则与账号名相同）"},
	"signin.password": {"Password", "密码"},
	"signin.in":       {"Sign in", "登录"},
	"signin.out":      {"Sign out", "退出"},
	"signin.missing":  {"Account name and password are needed.", "请输入账号名和密码。"},
	"signin.over":     {"You were signed out, because the session had ended. Sign in to go on.", "会话已结束，请重新登录以继续。"},
	"signin.demo":     {"The demo cloud's sign-ins are printed at its start and in demo.json.", "演示云的登录信息在启动时打印，并保存在 demo.json 中。"},
	"signin.docs":     {"API reference", "API 参考"},

	"group.billing": {"Billing Center", "费用中心"},
	"group.buy":     {"Buy and orders", "购买与订单"},

	"overview.title":         {"Overview", "总览"},
	"overview.alerts":        {"What wants attention", "待处理事项"},
	"overview.balance":       {"Balance", "余额"},
	"overview.bonus":         {"Bonus", "奖励金"},
	"overview.credit":        {"Credit left", "剩余信用额度"},
	"overview.debt":          {"Owed", "欠款"},
	"overview.month":         {"Spend in %s", "%s 消费"},
	"overview.last":          {"Last month", "上月"},
	"overview.forecast":      {"At this pace, the month", "按当前速度，本月预计"},
	"overview.pace":          {"The forecast goes on as the month began; the arrow compares it with last month.", "预测按本月至今的速度推算，箭头为与上月的比较。"},
	"overview.rest":          {"Rest of the month, at this pace", "本月余下（按当前速度）"},
	"overview.bills":         {"Bills", "账单"},
	"overview.costs":         {"Costs", "成本分析"},
	"overview.spend":         {"Spend of twelve months", "近十二个月消费"},
	"overview.unpaid":        {"Unpaid orders", "待支付订单"},
	"overview.no_unpaid":     {"Nothing waits to be paid.", "没有待支付订单。"},
	"overview.all":           {"All", "全部"},
	"overview.buy":           {"Buy", "购买"},
	"overview.quota":         {"Expenditure quota", "消费额度"},
	"overview.quota_used":    {"%s used this month", "本月已用 %s"},
	"overview.expiring":      {"Expiring within %d days", "%d 天内到期"},
	"overview.none_expiring": {"Nothing expires soon.", "近期没有资源到期。"},
	"overview.packages":      {"Resource packages, the emptiest first", "资源包（余量最少的在前）"},
	"overview.no_packages":   {"No package is in use. Packages make steady use cheaper.", "没有使用中的资源包。资源包可降低稳定用量的费用。"},
	"overview.buy_package":   {"Look at packages", "查看资源包"},

	"alert.debt":     {"%s is owed: pay-per-use resources are frozen when the days of grace are over.", "欠款 %s：宽限期结束后按需资源将被冻结。"},
	"alert.low":      {"The balance of %s is below the alert at %s.", "余额 %s 低于预警值 %s。"},
	"alert.over":     {"%d resources have expired and are not renewed.", "%d 个资源已到期且未续费。"},
	"alert.soon":     {"%d resources expire within a week and are not renewed by themselves.", "%d 个资源将在一周内到期且未开通自动续费。"},
	"alert.unpaid":   {"%d orders wait to be paid.", "%d 个订单待支付。"},
	"alert.packages": {"%d packages have less than a fifth left.", "%d 个资源包余量不足五分之一。"},
	"alert.topup":    {"Top up", "充值"},
	"alert.renew":    {"Renew", "续费"},
	"alert.pay":      {"Pay", "支付"},
	"alert.look":     {"Look", "查看"},
}

// codeTexts are the names of codes and of columns.
var codeTexts = catalogue{
	"kind.operator": {"operator", "运营商"}, "kind.partner": {"partner", "伙伴"}, "kind.customer": {"customer", "客户"},
	"mode.1": {"Yearly/monthly", "包年/包月"}, "mode.3": {"Pay-per-use", "按需计费"}, "mode.10": {"Reserved instance", "预留实例"}, "mode.11": {"Savings plan", "节省计划"},

	"order_status.1": {"To be approved", "待审核"}, "order_status.2": {"To be refunded", "待退款"}, "order_status.3": {"Processing", "处理中"},
	"order_status.4": {"Cancelled", "已取消"}, "order_status.5": {"Completed", "已完成"}, "order_status.6": {"To be paid", "待支付"}, "order_status.9": {"To be confirmed", "待确认"},
	"order_type.1": {"Purchase", "新购"}, "order_type.2": {"Renewal", "续费"}, "order_type.3": {"Change", "变更"}, "order_type.4": {"Unsubscription", "退订"},
	"order_type.10": {"To pay-per-use", "包年/包月转按需"}, "order_type.11": {"To yearly/monthly", "按需转包年/包月"},
	"order_source.1": {"customer", "客户"}, "order_source.2": {"proxy", "代理"}, "order_source.3": {"contract", "合同"}, "order_source.4": {"distributor", "分销商"}, "order_source.8": {"made by the system", "系统自动创建"},

	"discount_type.200": {"Promotion", "促销折扣"}, "discount_type.300": {"Discount coupon", "折扣券"}, "discount_type.301": {"Cash coupon", "代金券"}, "discount_type.605": {"Commercial contract", "商务合同折扣"},
	"discount_type.606": {"Distributor's contract", "分销商合同折扣"}, "discount_type.607": {"Granted by the partner", "伙伴授予折扣"}, "discount_type.609": {"Price adjustment", "订单调价"}, "discount_type.610": {"Waived", "抹零"},
	"pay_discount.0": {"promotion", "促销"}, "pay_discount.1": {"contract", "合同"}, "pay_discount.2": {"commercial contract", "商务合同"}, "pay_discount.3": {"by the partner", "伙伴授予"}, "pay_discount.609": {"price adjustment", "订单调价"},

	"resource_status.2": {"In use", "使用中"}, "resource_status.3": {"Closed", "已关闭"}, "resource_status.4": {"Frozen", "已冻结"}, "resource_status.5": {"Expired", "已到期"},
	"expire_policy.0": {"Manual renewal", "手动续费"}, "expire_policy.1": {"To pay-per-use", "到期转按需"}, "expire_policy.2": {"Deleted at expiry", "到期不续费（删除）"}, "expire_policy.3": {"Renewed by itself", "自动续费"},
	"expire_policy.4": {"Frozen at expiry", "到期冻结"}, "expire_policy.5": {"Deleted after retention", "保留期后删除"},

	"period.0": {"%d days", "%d 天"}, "period.0.one": {"%d day", "%d 天"}, "period.2": {"%d months", "%d 个月"}, "period.2.one": {"%d month", "%d 个月"}, "period.3": {"%d years", "%d 年"}, "period.3.one": {"%d year", "%d 年"},
	"period.4": {"%d hours", "%d 小时"}, "period.4.one": {"%d hour", "%d 小时"}, "period.1": {"%d weeks", "%d 周"}, "period.1.one": {"%d week", "%d 周"}, "period.5": {"once ×%d", "一次性 ×%d"}, "period.5.one": {"once ×%d", "一次性 ×%d"},

	"unit.0": {"day", "天"}, "unit.1": {"currency", "货币单位"}, "unit.4": {"hour", "小时"}, "unit.5": {"minute", "分钟"}, "unit.6": {"second", "秒"}, "unit.9": {"TB", "TB"}, "unit.10": {"GB", "GB"}, "unit.11": {"MB", "MB"}, "unit.12": {"KB", "KB"},
	"unit.13": {"byte", "字节"}, "unit.14": {"pcs", "个"}, "unit.15": {"Mbit/s", "Mbit/s"}, "unit.16": {"byte", "字节"}, "unit.17": {"GB", "GB"}, "unit.19": {"year", "年"}, "unit.20": {"month", "月"}, "unit.21": {"MB", "MB"}, "unit.24": {"day", "天"}, "unit.25": {"hour", "小时"},
	"unit.30": {"times", "次"}, "unit.31": {"1,000 times", "千次"}, "unit.40": {"piece", "件"}, "unit.47": {"TB", "TB"}, "unit.54": {"10,000 times", "万次"}, "unit.68": {"core-hour", "核·小时"}, "unit.72": {"GB-hour", "GB·小时"}, "unit.108": {"token", "token"}, "unit.109": {"1,000 tokens", "千 token"},

	"col.resource": {"Resource", "资源"}, "col.expires": {"Expires", "到期时间"}, "col.package": {"Package", "资源包"}, "col.left": {"Left", "余量"}, "col.left_of": {"Left / total", "剩余 / 总量"},
	"col.status": {"Status", "状态"}, "col.type": {"Type", "类型"}, "col.service": {"Service", "产品"}, "col.order": {"Order", "订单号"}, "col.created": {"Created", "创建时间"}, "col.list": {"List price", "官网价"},
	"col.amount": {"Amount", "金额"}, "col.product": {"Product", "产品规格"}, "col.term": {"Term", "时长"}, "col.number": {"Number", "数量"}, "col.span": {"From and until", "起止时间"}, "col.region": {"Region", "区域"},
	"col.resource_type": {"Resource type", "资源类型"}, "col.project": {"Enterprise project", "企业项目"},
}

// shopTexts are those of buying and orders.
var shopTexts = catalogue{
	"orders.title":       {"Orders", "我的订单"},
	"orders.empty":       {"No order is like this. Orders begin in the catalogue: choose a product, put it into the basket, order, pay.", "没有符合条件的订单。请先在目录中选择产品，加入购物车，然后下单支付。"},
	"orders.choose":      {"Choose", "选择"},
	"orders.choose_one":  {"Choose order %s", "选择订单 %s"},
	"orders.pay_chosen":  {"Pay the chosen ones together", "合并支付所选订单"},
	"orders.none_chosen": {"No order was chosen: tick those that are to be paid together.", "未选择订单：请勾选需要合并支付的订单。"},
	"orders.paid":        {"%d orders paid, %s %s in all, each with its best discount and coupon.", "已支付 %d 个订单，共 %s %s，均使用最优折扣与优惠券。"},

	"order.title":     {"Order", "订单详情"},
	"order.cancel":    {"Cancel the order", "取消订单"},
	"order.cancelled": {"Order %s is cancelled.", "订单 %s 已取消。"},
	"order.until":     {"To be paid until", "支付截止时间"},
	"order.paid":      {"Paid", "支付时间"},
	"order.by":        {"By", "下单人"},
	"order.after":     {"After discount", "优惠后金额"},
	"order.coupon":    {"Paid by coupon", "优惠券抵扣"}, "order.to_coupon": {"Of that, to the coupon", "其中退回优惠券"}, "order.went_back": {"Went back", "退回金额"}, "order.done": {"Completed", "完成时间"},
	"order.consumed":        {"Consumed", "已消费"},
	"order.fee":             {"Handling fee", "手续费"},
	"order.lines":           {"Lines", "订单明细"},
	"order.refunds":         {"What went back", "退款明细"},
	"order.refunds_explain": {"Below zero is what went back; above zero what was consumed, and the handling fee.", "负数为退回金额，正数为已消费金额与手续费。"},
	"order.base":            {"Bought by", "原订单"},
	"order.resources":       {"Its resources", "查看资源"},

	"pay.title":       {"Pay", "支付"},
	"pay.discount":    {"Discount", "折扣"},
	"pay.coupon":      {"Coupon", "优惠券"},
	"pay.no_discount": {"Without discount", "不使用折扣"},
	"pay.no_offers":   {"No discount covers this order.", "没有适用于此订单的折扣。"},
	"pay.no_coupon":   {"Without coupon", "不使用优惠券"},
	"pay.no_coupons":  {"There is no coupon to use.", "没有可用的优惠券。"},
	"pay.not_coupons": {"Coupons are the account's; you may act in your project only.", "优惠券属于账号，您仅可操作所属项目。"},
	"pay.best":        {"best", "最优"},
	"pay.coupon_left": {"%s left, until %s", "余额 %s，有效期至 %s"},
	"pay.brings":      {"Worked out on the %s %s that are left after the discount.", "按折扣后的 %s %s 试算。"},
	"pay.then":        {"(leaves %s)", "（应付 %s）"},
	"pay.again":       {"Work out with the chosen discount", "按所选折扣重新试算"},
	"pay.pay":         {"Pay now", "立即支付"},
	"pay.balance":     {"Balance: %s %s", "余额：%s %s"},
	"pay.explain":     {"A coupon pays after the discount, as far as its limits let it; the rest comes from the balance, then from the credit. Tax, where there is any, comes on top.", "优惠券在折扣后按其使用限制抵扣，其余从余额、再从信用额度扣款。如有税费另计。"},
	"pay.done":        {"Order %s is paid.", "订单 %s 已支付。"},

	"buy.title":      {"Buy", "购买"},
	"buy.search":     {"Search", "搜索"},
	"buy.hint":       {"name or spec, such as c7.large", "名称或规格，如 c7.large"},
	"buy.empty":      {"Nothing on sale is called so in this region.", "此区域没有符合条件的产品。"},
	"buy.hour":       {"By use", "按需单价"},
	"buy.month":      {"1 month", "1 个月"},
	"buy.year":       {"1 year", "1 年"},
	"buy.into":       {"Into the basket", "加入购物车"},
	"buy.from":       {"from %s", "%s 起"},
	"buy.prices":     {"List prices in %s.", "官网价，币种 %s。"},
	"buy.announced":  {"another price from %s", "%s 起调价"},
	"buy.size":       {"Size in %s", "大小（%s）"},
	"buy.add":        {"Add", "加入"},
	"buy.use_only":   {"pay-per-use only", "仅支持按需"},
	"buy.basket":     {"Basket", "购物车"},
	"buy.yours":      {"Your price", "您的价格"},
	"buy.remove":     {"Remove", "移除"},
	"buy.remove_one": {"Remove %s", "移除 %s"},
	"buy.removed":    {"%s was taken out of the basket.", "已从购物车移除 %s。"},
	"buy.added":      {"%s is in the basket.", "%s 已加入购物车。"},
	"buy.full":       {"The basket holds %d lines: order what is in it first.", "购物车最多 %d 行，请先下单。"},
	"buy.nothing":    {"The basket is empty.", "购物车为空。"},
	"buy.total":      {"Total", "合计"},
	"buy.with":       {"with %s", "使用 %s"},
	"buy.auto_renew": {"renew by itself", "自动续费"},
	"buy.order":      {"Place the order", "提交订单"},
	"buy.ordered":    {"Order %s is placed. Choose a discount and a coupon, then pay.", "订单 %s 已提交。请选择折扣与优惠券后支付。"},

	"calc.title":     {"Price calculator", "价格计算器"},
	"calc.open":      {"Calculate", "计算价格"},
	"calc.usage":     {"Use in a month", "每月用量"},
	"calc.size":      {"Size", "大小"},
	"calc.calculate": {"Calculate", "计算"},
	"calc.compare":   {"Ways of paying", "计费方式比较"},
	"calc.way":       {"Way", "方式"},
	"calc.a_month":   {"A month", "每月"},
	"calc.monthly":   {"By the month", "包月"},
	"calc.yearly":    {"By the year", "包年"},
	"calc.at_once":   {"%s paid at once", "一次支付 %s"},
	"calc.best":      {"least", "最省"},
	"calc.explain":   {"For %s %s of use in a month, in %s, with your best discount. A year's price is shared out over twelve months.", "按每月用量 %s %s 计算，币种 %s，已使用最优折扣。包年价格按十二个月平摊。"},
	"calc.no_use":    {"This product is not sold by use: there is nothing to compare.", "该产品不支持按需计费，无法比较。"},
	"calc.picture":   {"Cost of a month by use (%s)", "每月费用与用量（%s）"},
	"calc.even":      {"even at %s %s", "%s %s 持平"},
	"calc.even_text": {"From %s %s of use in a month on, paying for a month ahead costs less than pay-per-use.", "每月用量超过 %s %s 时，包月比按需更省。"},
	"calc.others":    {"Other products found (%d)", "其他匹配产品（%d）"},
}
