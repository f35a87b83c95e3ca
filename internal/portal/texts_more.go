package portal

// haveTexts are those of what a customer has: renewals, packages, coupons, pay-per-use resources, discounts.
var haveTexts = catalogue{
	"group.have": {"What you have", "我的资源"}, "group.account": {"Account", "账号中心"}, "group.manage": {"Management", "管理与监管"},
	"form.save": {"Save", "保存"}, "form.sure": {"Press again to confirm", "再次点击以确认"}, "form.not": {"Not now", "暂不"},

	"renewals.title": {"Renewals", "续费管理"}, "renewals.manual": {"Manual renewal", "手动续费"}, "renewals.auto": {"Automatic renewal", "自动续费"}, "renewals.use": {"Pay-per-use after expiry", "到期转按需"},
	"renewals.none": {"Not renewed", "到期不续费"}, "renewals.all": {"All", "全部"}, "renewals.calendar": {"Calendar of expiries", "到期日历"}, "renewals.name": {"Name or id", "名称或 ID"},
	"renewals.expires_from": {"Expires from", "到期开始"}, "renewals.empty": {"Nothing is here. What you buy for a month or a year shows up here and can be renewed in time.", "暂无资源。包年/包月购买的资源会显示在这里，可按时续费。"},
	"renewals.choose_all": {"Choose all", "全选"}, "renewals.choose_one": {"Choose %s", "选择 %s"}, "renewals.at_expiry": {"At expiry", "到期策略"}, "renewals.price": {"Price and renew…", "查询价格并续费…"},
	"renewals.unsubscribe": {"Unsubscribe…", "退订…"}, "renewals.settings": {"What happens at expiry…", "到期策略设置…"}, "renewals.day": {"Renew day", "统一到期日"},
	"renewals.day_explain": {"Resources renewed from now on expire on this day of the month; the days up to it are paid beside.", "此后续费的资源统一在每月该日到期，差额天数另行计费。"}, "renewals.nth": {"day %d", "%d 日"},
	"renewals.last_day": {"last day of the month", "每月最后一天"}, "renewals.no_day": {"Not set: each resource keeps its own day.", "未设置：各资源保持各自的到期日。"}, "renewals.ahead": {"Automatic renewal begins", "自动续费扣款日"},
	"renewals.ahead_explain": {"From then on it is tried daily at 03:00 (GMT+8) until expiry.", "从该日起每天 03:00（GMT+8）尝试扣款，直至到期。"}, "renewals.days_before": {"%d days before expiry", "到期前 %d 天"},
	"renewals.ago": {"%d days ago", "%d 天前"}, "renewals.in": {"in %d days", "%d 天后"}, "renewals.more": {"%d more", "另有 %d 个"}, "renewals.policy_set": {"What happens with %s at its expiry is changed.", "%s 的到期策略已修改。"},
	"renewals.day_set": {"The setting is kept; it holds for what is renewed from now on.", "设置已保存，对此后的续费生效。"},

	"weekday.1": {"Mon", "一"}, "weekday.2": {"Tue", "二"}, "weekday.3": {"Wed", "三"}, "weekday.4": {"Thu", "四"}, "weekday.5": {"Fri", "五"}, "weekday.6": {"Sat", "六"}, "weekday.7": {"Sun", "日"},

	"renew.title": {"Renew", "续费"}, "renew.none": {"No resource was chosen: tick those that it is about.", "未选择资源：请先勾选。"}, "renew.what": {"What is renewed", "续费资源"}, "renew.price": {"Price", "价格"},
	"renew.tax": {"Tax, where there is any, comes on top.", "如有税费另计。"}, "renew.pay": {"Renew and pay now", "续费并立即支付"}, "renew.order": {"Make orders, pay later", "生成订单，稍后支付"},
	"renew.done": {"Renewed by order %s.", "续费订单：%s。"}, "renew.failed": {"Not done: %s", "未成功：%s"},

	"unsubscribe.title": {"Unsubscribe", "退订"}, "unsubscribe.whole": {"The resource and its renewals", "退订资源及其续费"}, "unsubscribe.renewals": {"Only renewals that have not begun", "仅退订未生效的续费"},
	"unsubscribe.worked_out": {"What goes back", "退款试算"}, "unsubscribe.paid": {"Paid", "实付"}, "unsubscribe.coupon": {"To the coupon", "退回优惠券"}, "unsubscribe.tax": {"Tax back", "退回税费"}, "unsubscribe.back": {"Back", "退款"},
	"unsubscribe.with": {"with %d attached", "含 %d 个挂载资源"}, "unsubscribe.free": {"new: in full, without fee", "新购：全额退款，无手续费"}, "unsubscribe.review": {"waits for approval", "需审核"},
	"unsubscribe.sum": {"Back to the account, with tax", "退回账户（含税）"}, "unsubscribe.explain": {"Worked out as of now: paid less what was consumed and the fee. It goes back to where it came from; what a coupon paid comes back for terms that have not begun.", "按当前时刻试算：实付减去已消费与手续费，原路退回；代金券支付的部分仅退回尚未开始的周期。"},
	"unsubscribe.why": {"Why", "原因"}, "unsubscribe.reason": {"In your words", "补充说明"}, "unsubscribe.do": {"Unsubscribe now", "立即退订"}, "unsubscribe.done": {"Unsubscribed by order %s.", "退订订单：%s。"},
	"unsubscribe_why.1": {"hard to use", "不好用"}, "unsubscribe_why.2": {"lacks features", "功能不足"}, "unsubscribe_why.3": {"too complex", "太复杂"}, "unsubscribe_why.4": {"service not good enough", "服务不佳"}, "unsubscribe_why.5": {"other", "其他"},

	"expiry.title": {"At expiry", "到期策略"}, "expiry.explain": {"Automatic renewal pays from the balance. Pay-per-use after expiry goes on without a term.", "自动续费从余额扣款；到期转按需后按用量计费。"}, "expiry.change": {"Change", "修改"},
	"expiry.auto": {"Renew by itself", "开通自动续费"}, "expiry.manual": {"No longer by itself", "取消自动续费"}, "expiry.use": {"Pay-per-use after expiry", "设为到期转按需"}, "expiry.not_use": {"No longer pay-per-use after expiry", "取消到期转按需"},

	"packages.title": {"Resource packages", "资源包"}, "packages.reuse": {"Quota", "配额"}, "packages.uses": {"Uses", "使用明细"}, "packages.use_title": {"Uses of packages", "资源包使用明细"},
	"packages.no_use": {"No use in these days. What a package covers is taken from it first.", "此期间没有使用记录。资源包覆盖的用量会优先抵扣。"}, "packages.when": {"When", "时间"}, "packages.before": {"Before", "抵扣前"}, "packages.used": {"Used", "抵扣量"}, "packages.after": {"After", "抵扣后"},
	"package_status.0": {"Not yet in effect", "未生效"}, "package_status.1": {"In effect", "生效中"}, "package_status.2": {"Used up", "已用完"}, "package_status.3": {"Expired", "已失效"}, "package_status.4": {"Unsubscribed", "已退订"},
	"reuse.1": {"renewed each cycle", "按周期重置"}, "reuse.2": {"once", "不可重置"},

	"limit.serviceType": {"services", "产品"}, "limit.regionCode": {"regions", "区域"}, "limit.productId": {"products", "商品"}, "limit.subscribeType": {"orders", "订单类型"}, "limit.usageTimes": {"uses at most", "最多使用次数"}, "limit.minConsume": {"from an amount of", "最低消费"},
	"limit.minConsumeDiscount": {"with a discount down to", "最低折扣"}, "limit.simultaneousUseWithEmpowerDiscount": {"beside a partner's discount", "与伙伴折扣同享"}, "limit.simultaneousUseWithContractDiscount": {"beside a contract's discount", "与商务折扣同享"},
	"limit.simultaneousUseWithPromotionDiscount": {"beside a promotion", "与促销折扣同享"}, "subscribe.new": {"purchases", "新购"}, "subscribe.renew": {"renewals", "续费"}, "subscribe.change": {"changes", "变更"},
	"factor.Duration": {"duration", "时长"}, "factor.upflow": {"outgoing traffic", "流出流量"}, "factor.size": {"stored volume", "存储容量"},
	"coupons.title": {"Coupons", "优惠券"}, "coupons.empty": {"No coupon is in this state. Coupons are issued by the operator or your partner and are used when an order is paid.", "此状态下没有优惠券。优惠券由运营商或伙伴发放，支付订单时使用。"},
	"coupons.coupon": {"Coupon", "优惠券"}, "coupons.last": {"last used for", "最近用于"}, "coupons.for": {"For", "适用范围"}, "coupon_status.1": {"Not yet active", "未激活"}, "coupon_status.2": {"To be used", "待使用"}, "coupon_status.3": {"Used", "已使用"}, "coupon_status.4": {"Expired", "已过期"}, "coupon_status.5": {"Withdrawn", "已回收"},
	"coupon_version.1": {"used once", "一次性使用"}, "coupon_version.2": {"used until nothing is left", "可多次使用"},

	"use.title": {"Pay-per-use resources", "按需资源"}, "use.of": {"Use of %s, the last 48 hours", "%s 近 48 小时用量"}, "use.none": {"Nothing was reported in the last 48 hours.", "近 48 小时没有上报用量。"}, "use.bill": {"What it cost", "查看费用"},
	"use.empty": {"No pay-per-use resource yet. They show up as soon as they report use, or are registered.", "暂无按需资源。资源上报用量或登记后会显示在这里。"}, "use.live": {"Live use", "实时用量"}, "use.factor": {"Use of", "用量类型"}, "use.picture": {"Use by the hour", "每小时用量"},
	"use_status.2": {"In use", "使用中"}, "use_status.3": {"Deleted", "已删除"}, "use_status.4": {"Frozen", "已冻结"}, "use_status.6": {"Stopped", "已停止"},

	"discounts.title": {"Discounts", "折扣"}, "discounts.explain": {"What your contract, your partner and promotions grant. The best one is marked where you pay.", "商务合同、伙伴授予与促销折扣。支付时会标出最优折扣。"}, "discounts.empty": {"No discount was granted to this account.", "此账号没有折扣。"},
	"discounts.name": {"Discount", "折扣名称"}, "discounts.value": {"You pay", "折扣"}, "discounts.covers": {"Covers", "适用范围"}, "discounts.ratio": {"× %s", "× %s"}, "discounts.everything": {"everything", "全部产品"},
	"discounts.later": {"not yet", "未生效"}, "discounts.now": {"in force", "生效中"}, "discounts.over": {"over", "已失效"},
}

// billTexts are those of bills, costs and invoices.
var billTexts = catalogue{
	"bills.title": {"Bills", "账单"}, "bills.cycle": {"Month", "账期"}, "bills_by.service": {"By service", "按产品"}, "bills_by.resource": {"By resource", "按资源"}, "bills_by.project": {"By enterprise project", "按企业项目"}, "bills_by.region": {"By region", "按区域"},
	"bills.consume": {"Spend of the month", "本期消费"}, "bills.paid_by": {"Paid by", "支付方式"}, "bills.owed": {"Owed", "欠款"}, "bills.cash": {"Cash", "现金"}, "bills.credit": {"Credit", "信用额度"}, "bills.coupon": {"Coupon", "优惠券"},
	"bills.bonus": {"Bonus", "奖励金"}, "bills.debt": {"Debt", "欠费"}, "bills.adjustment": {"Adjustment", "调账"}, "bills.writeoff": {"Written off since", "已核销"}, "bills.discount": {"Discount", "优惠"}, "bills.cut": {"Cut off", "抹零"}, "bills.amount": {"Payable", "应付"},
	"bills.picture": {"Spend in %s", "%s 消费"}, "bills.others": {"others", "其他"}, "bills.empty": {"There is nothing on the bill of %s with these filters.", "%s 没有符合条件的账单。"}, "bills.mode": {"Billing mode", "计费模式"},
	"bills.first":            {"The first %d of %d rows are shown: filter to see the others.", "仅显示前 %d 行（共 %d 行），请使用筛选。"},
	"bills_explain.service":  {"Payable = list price − discount − what is cut off below the cent. Choose a service for its resources.", "应付 = 官网价 − 优惠 − 抹零。点击产品查看其资源。"},
	"bills_explain.resource": {"With eight decimals, before anything is cut off; choose a resource for its fee records.", "保留八位小数，未抹零。点击资源查看消费明细。"},
	"bills_explain.project":  {"Original costs, payable, before anything is cut off.", "原始成本（应付），未抹零。"},
	"bills_explain.region":   {"Original costs, payable, before anything is cut off.", "原始成本（应付），未抹零。"},
	"bill_type.1":            {"Purchase", "消费-新购"}, "bill_type.2": {"Renewal", "消费-续订"}, "bill_type.3": {"Change", "消费-变更"}, "bill_type.4": {"Refund, unsubscribed", "退款-退订"}, "bill_type.5": {"Usage", "消费-使用"}, "bill_type.8": {"Automatic renewal", "消费-自动续订"}, "bill_type.9": {"Adjustment, in favour", "调账-补偿"},
	"bill_type.12": {"Billed by the hour", "按小时计费"}, "bill_type.14": {"Support plan", "消费-服务支持计划月末扣费"}, "bill_type.15": {"Tax", "消费税"}, "bill_type.16": {"Adjustment, against", "调账-扣费"}, "bill_type.18": {"Monthly payment", "消费-按月付费"}, "bill_type.20": {"Refund, changed", "退款-变更"},
	"bill_type.24": {"Refund, to pay-per-use", "退款-包年/包月转按需"}, "bill_type.100": {"Refund of tax", "退订税金"}, "bill_type.101": {"Tax, in favour", "补偿税金"}, "bill_type.102": {"Tax, against", "扣费税金"},

	"fees.title": {"Fee records", "消费明细"}, "fees.trade": {"Order or transaction", "订单号/交易号"}, "fees.day": {"Day", "日期"}, "fees.usage": {"Usage", "使用量"}, "fees.details": {"Details", "详情"}, "fees.csv": {"As CSV", "导出 CSV"}, "fees.formula": {"How it comes about", "计算过程"},
	"fees.package": {"Covered by packages", "资源包抵扣"}, "fees.unit_price": {"Unit price", "单价"}, "fees.consumed": {"Consumed", "使用时间"}, "fees.traded": {"Charged", "扣费时间"},

	"costs.title": {"Cost analysis", "成本分析"}, "costs.by": {"By", "汇总方式"}, "costs.and": {"And by", "其次按"}, "costs.none": {"nothing else", "无"}, "costs.kind": {"Costs", "成本类型"}, "costs.original": {"Original", "原始成本"}, "costs.amortised": {"Amortised", "摊销成本"},
	"costs.amount": {"Amount", "金额类型"}, "costs.payable": {"Payable", "应付金额"}, "costs.net": {"Net", "净成本"}, "costs.step": {"Steps", "时间粒度"}, "costs.month": {"months", "按月"}, "costs.day": {"days", "按日"}, "costs.picture": {"Costs", "成本"},
	"costs.empty": {"No costs in this time.", "此期间没有成本。"}, "cost_key.CLOUD_SERVICE_TYPE": {"Service", "产品"}, "cost_key.RESOURCE_TYPE": {"Resource type", "资源类型"}, "cost_key.REGION_CODE": {"Region", "区域"}, "cost_key.ENTERPRISE_PROJECT_ID": {"Enterprise project", "企业项目"},
	"cost_key.CHARGING_MODE": {"Billing mode", "计费模式"}, "cost_key.BILL_TYPE": {"Bill type", "账单类型"}, "cost_key.RES_SPEC_CODE": {"Specification", "规格"}, "cost_key.USAGE_TYPE": {"Usage type", "使用量类型"}, "cost_key.RESOURCE_ID": {"Resource", "资源"}, "cost_key.ASSOCIATED_ACCOUNT": {"Account", "账号"},

	"invoices.title": {"Invoices", "发票"}, "invoices.empty": {"No invoice in this time. They are issued for a month after its close, or for an order when it is paid.", "此期间没有发票。发票在月结后按账期开具，或在支付后按订单开具。"},
	"invoices.no": {"Invoice", "发票号"}, "invoices.for": {"To", "抬头"}, "invoices.tax": {"Tax", "税费"},
	"invoice_state.0": {"Draft", "草稿"}, "invoice_state.1": {"In review", "待审核"}, "invoice_state.4": {"To be exported", "待导出"}, "invoice_state.5": {"To be filled in", "待回填"}, "invoice_state.6": {"To be mailed", "待邮寄"}, "invoice_state.7": {"To be received", "待签收"}, "invoice_state.8": {"Issued", "已完成"}, "invoice_state.9": {"Returned", "已退票"},
}

// accountTexts are those of the account, its credentials and projects, and of traces.
var accountTexts = catalogue{
	"account.title": {"My account", "我的账号"}, "account.basic": {"Basic information", "基本信息"}, "account.id": {"Account id", "账号 ID"}, "account.no": {"Account number", "账户号"}, "account.kind": {"Type", "账号类型"}, "account_kind.individual": {"individual", "个人"}, "account_kind.enterprise": {"enterprise", "企业"},
	"account.verified": {"Verification", "实名认证"}, "account.is_verified": {"verified", "已认证"}, "account.not_verified": {"not verified: ask the operator", "未认证：请联系运营商"}, "account.country": {"Country and tax number", "国家与税号"}, "account.since": {"Since", "开通时间"},
	"standing.active": {"active", "正常"}, "standing.frozen": {"frozen", "已冻结"}, "standing.closed": {"closed", "已注销"}, "account.privileges": {"Privileges", "账号权益"}, "account.settlement": {"Settlement", "结算方式"}, "settlement.prepaid": {"prepaid", "预付费"}, "settlement.monthly": {"monthly", "月结"},
	"account.credit": {"Credit limit", "信用额度"}, "account.no_quota": {"no limit", "不限"}, "account.partner": {"Partner", "伙伴"}, "account.tier": {"Tier", "客户等级"}, "account.master": {"Master account", "企业主账号"}, "account.members": {"Member accounts", "企业子账号"}, "accounting.unified": {"unified accounting", "财务托管"}, "accounting.independent": {"independent accounting", "财务独立"},
	"account_type.1": {"Cash", "现金余额"}, "account_type.2": {"Credit left", "剩余信用额度"}, "account_type.5": {"Bonus", "奖励金"}, "account_type.7": {"Deposit", "保证金"}, "account.topup": {"Top up", "充值"}, "account.method": {"By", "方式"}, "account.card": {"card", "银行卡"}, "account.transfer": {"bank transfer", "银行转账"},
	"account.begun": {"The payment of %s has begun: pay it below.", "充值 %s 已发起：请在下方完成支付。"}, "account.ended": {"The payment has ended: %s.", "支付结果：%s。"}, "topup_state.pending": {"waiting", "待支付"}, "topup_state.succeeded": {"paid in", "成功"}, "topup_state.failed": {"failed", "失败"}, "topup_state.expired": {"expired", "已过期"}, "topup_state.refunded": {"refunded", "已退款"},
	"account.sandbox_pay": {"Pay (sandbox)", "支付（沙箱）"}, "account.sandbox_fail": {"Let it fail", "模拟失败"}, "account.preferences": {"Preferences", "偏好设置"}, "account.alert": {"Tell me when less than this is left (0: never)", "余额低于此值时提醒（0 为不提醒）"},
	"account.alert_explain": {"Balance, credit and coupons together. The common day of expiry is set at", "余额、信用额度与优惠券合计。统一到期日设置见"}, "account.invoices": {"Invoices", "开票方式"}, "account.by_cycle": {"one for each month", "按账期"}, "account.by_order": {"one for each order", "按订单"},
	"account.saved": {"Saved.", "已保存。"}, "account.entries": {"Movements of money", "收支明细"}, "account.no_entries": {"Nothing has moved yet: top up to begin.", "暂无收支：请先充值。"}, "account.cause": {"Cause", "类型"}, "account.reference": {"Reference", "流水号"}, "account.movement": {"From and to", "资金流向"},
	"cause.topup": {"Top-up", "充值"}, "cause.payment": {"Order paid", "订单支付"}, "cause.refund": {"Refund", "退款"}, "cause.usage": {"Usage", "按需扣费"}, "cause.statement": {"Monthly statement", "月结"}, "cause.truncation": {"Rounding of the month", "抹零"}, "cause.withdrawal": {"Withdrawal", "提现"}, "cause.bonus": {"Bonus", "奖励金"}, "cause.adjustment": {"Adjustment", "调账"}, "cause.writeoff": {"Debt paid off", "核销"},
	"purse.cash": {"cash", "现金"}, "purse.bonus": {"bonus", "奖励金"}, "purse.deposit": {"deposit", "保证金"}, "purse.credit": {"credit", "信用额度"}, "purse.debt": {"debt", "欠款"}, "purse.topup": {"paid in", "充值"}, "purse.promotion": {"promotion", "促销"}, "purse.coupon": {"coupon", "优惠券"}, "purse.revenue": {"revenue", "收入"}, "purse.refund": {"refunds", "退款"}, "purse.tax": {"tax", "税金"}, "purse.adjustment": {"adjustment", "调账"}, "purse.truncation": {"rounding", "抹零"},

	"credential.title": {"My credential", "我的凭证"}, "credential.new": {"The new key", "新访问密钥"}, "credential.once": {"The secret is shown this once: copy it now.", "密钥仅显示一次，请立即复制。"}, "credential.who": {"Who you are", "身份信息"}, "credential.user": {"User", "用户"}, "credential.user_id": {"User id", "用户 ID"}, "credential.owner": {"owner", "账号所有者"},
	"credential.email": {"E-mail", "邮箱"}, "credential.mobile": {"Mobile", "手机号"}, "credential.password_explain": {"Changing it ends every session of this user; you sign in again.", "修改后该用户的所有会话失效，需重新登录。"}, "credential.old": {"Old", "原密码"}, "credential.new_password": {"New", "新密码"}, "credential.again": {"Again", "确认密码"}, "credential.set": {"Change", "修改"},
	"credential.differ": {"The two new passwords differ; nothing was changed.", "两次输入的新密码不一致，未做修改。"}, "credential.password_set": {"The password is changed.", "密码已修改。"}, "credential.keys": {"Access keys", "访问密钥"}, "credential.no_keys": {"No key yet. A key signs requests of programs.", "暂无访问密钥。访问密钥用于程序签名。"}, "credential.description": {"Description", "描述"},
	"credential.key": {"Access key", "访问密钥 ID"}, "credential.active": {"active", "启用"}, "credential.inactive": {"off", "停用"}, "credential.off": {"Turn off", "停用"}, "credential.on": {"Turn on", "启用"}, "credential.delete": {"Delete", "删除"}, "credential.make": {"Make a key", "新增访问密钥"}, "credential.two": {"A user has at most two. Turn a key off before you delete it.", "每个用户最多两个。删除前请先停用。"},
	"credential.made": {"Key %s is made.", "访问密钥 %s 已创建。"}, "credential.changed": {"Key %s is changed.", "访问密钥 %s 已更改。"}, "credential.projects": {"Projects", "项目列表"}, "credential.project_id": {"Project id", "项目 ID"}, "credential.users": {"Users of the account", "账号下的用户"},

	"projects.title": {"Enterprise projects", "企业项目"}, "projects.open": {"Open enterprise projects", "开通企业项目"}, "projects.open_explain": {"With enterprise projects, resources, orders and costs are kept apart, and users may be limited to one.", "开通后可按企业项目管理资源、订单和成本，并限制用户的权限范围。"}, "projects.opened": {"Enterprise projects are open.", "企业项目已开通。"},
	"projects.kind": {"Type", "类型"}, "project_type.prod": {"production", "生产"}, "project_type.poc": {"trial", "测试"}, "projects.enabled": {"enabled", "启用"}, "projects.disabled": {"disabled", "停用"}, "projects.spent": {"Budget left", "预算余量"}, "projects.of": {"Spent of budget", "已用 / 预算"}, "projects.new": {"A new project", "新建企业项目"}, "projects.name": {"Name", "名称"}, "projects.make": {"Create", "创建"},
	"projects.made": {"Project %s is there.", "企业项目 %s 已创建。"}, "projects.saved": {"Project %s is changed.", "企业项目 %s 已修改。"}, "projects.quota": {"%d of %d projects", "已用 %d / 共 %d 个"}, "projects.budget": {"Budget", "预算"}, "projects.budget_month": {"For a month", "每月预算"}, "projects.budget_most": {"Never more than", "上限"},
	"projects.budget_explain": {"At 80 % and 100 % of the budget a message goes out; above the other limit orders are refused.", "达到预算的 80 % 与 100 % 时发送消息；超过上限时订单会被拒绝。"}, "projects.budget_set": {"The budget is kept.", "预算已保存。"}, "projects.who": {"Who may do what", "授权"}, "projects.nobody": {"No user is limited to this project.", "没有授权到此项目的用户。"}, "projects.may": {"May do", "权限"},
	"projects.grant_explain": {"Actions with spaces between, * stands for a part; none takes the grant back. Such a user sees only what belongs to this project.", "权限以空格分隔，* 表示部分匹配；留空则撤销授权。该用户只能看到此项目的内容。"}, "projects.granted": {"What %s may do here is changed.", "%s 的权限已修改。"}, "projects.resources": {"Its resources", "项目资源"}, "projects.no_resources": {"Nothing belongs to this project yet: choose it when you order.", "此项目暂无资源：下单时可选择该项目。"},

	"traces.title": {"Cloud traces", "云审计"}, "traces.project": {"Region and project", "区域与项目"}, "traces.span": {"Time range", "时间范围"}, "span.1h": {"Last hour", "最近 1 小时"}, "span.1d": {"Last day", "最近 1 天"}, "span.1w": {"Last week", "最近 1 周"}, "span.own": {"Customised", "自定义"}, "traces.kind": {"Trace type", "事件类型"}, "traces.system": {"Management", "管理事件"}, "traces.data": {"Data", "数据事件"},
	"traces.source": {"Trace source", "事件来源"}, "traces.by": {"Search by", "筛选类型"}, "trace_by.resource_id": {"Resource id", "资源 ID"}, "trace_by.trace_name": {"Trace name", "事件名称"}, "trace_by.resource_name": {"Resource name", "资源名称"}, "trace_by.trace_id": {"Trace id", "事件 ID"}, "traces.text": {"Text", "内容"}, "traces.user": {"Operator", "操作用户"},
	"rating.normal": {"normal", "正常"}, "rating.warning": {"warning", "警告"}, "rating.incident": {"incident", "事故"}, "traces.view_title": {"Trace %s", "事件 %s"}, "traces.close": {"Close", "关闭"}, "traces.empty": {"No trace with these filters. Traces of the last seven days are listed.", "没有符合条件的事件。可查询最近七天的事件。"}, "traces.week": {"Look at the last week", "查看最近一周"},
	"traces.name": {"Trace name", "事件名称"}, "traces.resource": {"Resource", "资源"}, "traces.when": {"Operation time", "操作时间"}, "traces.operation": {"Operation", "操作"}, "traces.view": {"View Trace", "查看事件"},
	"traces.never":      {"Cloud Trace Service is not enabled in this region and project", "此区域与项目尚未开通云审计服务"},
	"traces.never_more": {"Once it is, every key operation is recorded here: who did what, when, from where, and what came of it. It costs nothing; traces can be searched for seven days. Orders, bills and other global services are recorded in the account's home region.", "开通后将在此记录每一项关键操作：何人、何时、从何处执行了什么操作及其结果。该服务免费，可查询最近七天的事件。订单、账单等全局级服务的事件记录在账号的主区域。"},
	"traces.enable":     {"Enable CTS", "开通云审计服务"}, "traces.disable": {"Switch off", "停用"},
	"traces.off": {"Cloud Trace Service is switched off in this region and project", "此区域与项目的云审计服务已停用"}, "traces.off_more": {"What is done now leaves no trace. What was recorded before stays below.", "当前操作不会被记录。此前记录的事件仍显示在下方。"},
	"traces_now.enabled": {"CTS is enabled: what is done from now on is recorded.", "云审计服务已开通，此后的操作将被记录。"}, "traces_now.disabled": {"CTS is switched off: what is done from now on is not recorded.", "云审计服务已停用，此后的操作不再记录。"},
	"trackers.title": {"Trackers", "追踪器"}, "trackers.explain": {"The management tracker records key operations. With a bucket it also writes them to files there, for as long as you like to keep them.", "管理类追踪器记录关键操作；配置存储桶后，事件还会转储为文件长期保存。"},
	"trackers.tracker": {"Tracker", "追踪器"}, "trackers.kind": {"Type", "类型"}, "tracker.system": {"Management", "管理类"}, "tracker.data": {"Data", "数据类"}, "trackers.files": {"Transfer to", "转储至"}, "trackers.digests": {"Digests", "摘要校验"}, "trackers.nowhere": {"not transferred", "未转储"}, "trackers.hourly": {"hourly, signed", "每小时签名"},
	"tracker_status.enabled": {"enabled", "正常"}, "tracker_status.disabled": {"off", "停用"}, "tracker_status.error": {"cannot write", "异常"},
	"trackers.transfer": {"Change the transfer…", "配置转储…"}, "trackers.transfer_more": {"Files are written below CloudTraces/ in the bucket; without a bucket, nowhere. With digests, purser trace verify proves later that none is missing or changed.", "文件写入存储桶的 CloudTraces/ 目录；不填存储桶则不转储。启用摘要后，可用 purser trace verify 证明文件未缺失、未被篡改。"},
	"trackers.bucket": {"Bucket", "存储桶"}, "trackers.prefix": {"File name prefix", "文件名前缀"}, "trackers.validate": {"Write signed digests each hour", "每小时写入签名摘要"}, "traces.transfer_set": {"The transfer is set.", "转储配置已保存。"},

	"api.title": {"API", "API"}, "api.explain": {"Everything on these pages is done by the public API at %s. At the foot of each page you find the calls that made it.", "页面上的一切都由 %s 的公开 API 完成。每个页面底部列出了其调用。"}, "api.contracts": {"Contracts", "接口契约"}, "api.keys": {"Programs sign with an access key: make one at", "程序使用访问密钥签名，请在此创建："},
}
