package portal

import (
	"fmt"
	"regexp"
	"sync"
)

// sayings are what the house says in English sentences, which the contract has in no other language, and the same in Chinese: what jobs and
// checks report, why something was kept aside, and the refusals that a page leads to. A %s of the Chinese is the part of the same place;
// %[2]s the second. What is not here is shown as it was said.
var sayings = [][2]string{
	{"%s: %d customers wait, %d are parked (purser close list)", "%s：%s 个客户待月结，%s 个失败"},
	{"%s: %d customers wait", "%s：%s 个客户待月结"},
	{"left for the next round of the night shift: %d customers, the first %s", "%s 个客户留待下一次定时任务处理，首个原因：%s"},
	{"the customer's books are parked (%s): no money moves until the operator releases them", "该客户的账本已挂起（%s）：运营商解除之前资金不会变动"},
	{"customer %s is not parked", "客户 %s 的账本未挂起"},
	{"there is no tax rate for country %q", "国家/地区 %s 没有税率"},
	{"the close of %s of customer %s is not parked", "客户 %[2]s 的 %[1]s 月结没有失败"},

	{"resource_id: resource %s is not known, and the record does not say its cloud_service_type, resource_type, resource_spec and region", "资源 %s 未登记，且该记录未提供 cloud_service_type、resource_type、resource_spec 与 region"},
	{"there is no product with cloud_service_type %s, resource_type %s, resource_spec %s in region %s", "区域 %[4]s 没有该产品：%[1]s，%[2]s，%[3]s"},
	{"product %q: there is no product with cloud_service_type %s, resource_type %s, resource_spec %s in region %s", "区域 %[5]s 没有该产品：%[2]s，%[3]s，%[4]s"},
	{"usage_factor: resource type %s is not metered by %s", "资源类型 %s 不按 %s 计量"},
	{"usage_factor: %s of %s has no price at that time", "%[2]s 的 %[1]s 在该时间没有价格"},
	{"settlement: %s of %s has no price at %s", "%[2]s 的 %[1]s 在 %[3]s 没有价格"},
	{"usage_measure_id: %d does not convert to unit %d, in which %s is metered", "计量单位 %s 无法换算为 %[3]s 的计量单位 %[2]s"},
	{"usage_value: is too large", "用量过大"},
	{"usage_value: %s of %s is beyond what has a price", "%[2]s 的用量 %[1]s 超出定价范围"},
	{"resource_size: %s is charged by its size", "%s 按大小计费，缺少 resource_size"},
	{"size_measure_id: %d does not convert to the unit that %s is sold by", "大小单位 %s 无法换算为 %s 的销售单位"},
	{"the record is over %d months old", "该记录早于 %s 个月前"},
	{"the record lies over %s in the future", "该记录晚于当前时间 %s 以上"},
	{"customer_id: there is no customer %s", "没有客户 %s"},
	{"id: a record of this source with this id and other content is there already", "该来源已有相同 ID 而内容不同的记录"},
	{"record %s is no longer in quarantine", "记录 %s 已不在隔离区"},
	{"the body must be a JSON array of usage records", "内容须为用量记录的 JSON 数组"},
	{"the body is not JSON of the form that its content type names: %s", "内容不是有效的 JSON：%s"},

	{"insufficient balance", "余额不足"},
	{"automatic payment failed: %s %s", "自动支付失败：%[2]s（%[1]s）"},
	{"order %s is in status %d and cannot be paid", "订单 %s 当前状态（%s）不可支付"},
	{"order %s is in status %d and cannot be cancelled", "订单 %s 当前状态（%s）不可取消"},
	{"order %s is in status %d, not %d", "订单 %s 的状态为 %s，而非 %s"},
	{"the status of order %s has changed", "订单 %s 的状态已变更"},
	{"order %s had to be paid before %s", "订单 %s 的支付截止时间为 %s，已过期"},
	{"the customer has no order %s", "没有订单 %s"},
	{"discount %s cannot be used for this order", "折扣 %s 不适用于此订单"},
	{"coupon %s cannot be used for this order: %s", "优惠券 %s 不适用于此订单：%s"},
	{"it covers none of its products", "不覆盖其中任何产品"},
	{"coupon %s is used, expired, frozen or held by another order", "优惠券 %s 已使用、已过期、已冻结或被其他订单占用"},
	{"coupon %s cannot be used together with a discount of type %d", "优惠券 %s 不能与类型为 %s 的折扣同时使用"},
	{"the discount is below %s, the least that coupon %s allows", "折扣低于优惠券 %[2]s 允许的最低折扣 %[1]s"},
	{"a product of the order is no longer sold as it was ordered", "订单中的某个产品已不再按下单时的方式销售"},
	{"the expenditure quota of %s a month does not suffice: with this order %s", "每月消费额度 %s 不足：加上此订单为 %s"},
	{"the fund quota of enterprise project %s is %s a month: with this payment the month would cost %s", "企业项目 %s 的每月资金额度为 %s：支付后本月将达到 %s"},
	{"the customer has no yearly/monthly resource %s", "没有包年/包月资源 %s"},
	{"resource %s is in the unpaid order %s", "资源 %s 在待支付订单 %s 中"},
	{"resource %s is not renewed by that period", "资源 %s 不支持该续费时长"},
	{"resource %s is attached: unsubscribe its primary resource", "资源 %s 为挂载资源：请退订其主资源"},
	{"resource %s has no renewed period that has not begun", "资源 %s 没有未生效的续费周期"},
	{"resource %s has expired or is frozen", "资源 %s 已到期或已冻结"},
	{"resource %s is in grace or retention", "资源 %s 处于宽限期或保留期"},
	{"resource %s is not a primary resource", "资源 %s 不是主资源"},
	{"another transaction is in progress on resource %s", "资源 %s 有其他交易正在进行"},
	{"%s is a resource package", "%s 是资源包"},
	{"%s is a resource package: it cannot be unsubscribed", "%s 是资源包，不支持退订"},

	{"this movement is booked already", "该流水号已入账"},
	{"the customer owes %s: nothing can be withdrawn", "客户欠款 %s：不能提现"},
	{"amount: must be above 0, at most %s, and have at most %d decimals", "金额须大于 0、不超过 %s，且最多 %s 位小数"},
	{"amount: must be above 0 and have at most %d decimals", "金额须大于 0，且最多 %s 位小数"},
	{"amount: must not be 0 and have at most %d decimals", "金额不能为 0，且最多 %s 位小数"},
	{"%s: must be a decimal with at most %d decimals", "%s：须为最多 %s 位小数的数字"},
	{"%s: must be a decimal", "%s：须为数字"},
	{"rate: must be from 0 to below 1, with at most %d decimals", "税率须不小于 0 且小于 1，最多 %s 位小数"},
	{"country: must be two capital letters, such as SG, or a region, such as IN-KA", "国家/地区须为两位大写字母（如 SG），或地区（如 IN-KA）"},
	{"the catalogue has changed: the files were made from version %d, it is at %d", "目录已变更：文件基于版本 %s，当前版本为 %s"},
	{"there is an application already that is not decided", "已有未审批的合同申请"},
	{"contract %s is decided already", "合同 %s 已审批"},
	{"coupon %s is used, expired or withdrawn", "优惠券 %s 已使用、已过期或已回收"},
	{"coupon %s is held by order %s", "优惠券 %s 被订单 %s 占用"},
	{"the customer has no coupon %s", "没有优惠券 %s"},
	{"the customer has no discount %s in force", "没有生效中的折扣 %s"},
	{"customer %s is closed", "客户 %s 已注销"},
	{"there is already an account named %s", "已有名为 %s 的账号"},
	{"there is no account %s", "没有账号 %s"},
	{"a test clock moves only forward: it shows %s", "测试时钟只能向前拨动：当前为 %s"},
	{"this server was not started for test clocks: --test-clock", "此服务器未启用测试时钟（--test-clock）"},
	{"this server has no such payment provider (--sandbox-payments has one for tests)", "此服务器没有该支付渠道（测试可用 --sandbox-payments）"},
	{"invoice %s has no number yet: it gets one within a minute, that of an enterprise once its tax id is known", "发票 %s 尚无号码：一分钟内生成；企业客户须先填写税号"},

	{"user access denied.checkCustomerPermission,correct permission code is %s", "没有权限，所需权限为 %s"},
	{"The username or password is wrong.", "用户名或密码错误"},
	{"too many wrong passwords: the user is locked until %s", "密码错误次数过多：该用户锁定至 %s"},
	{"too many sign-ins from this address: try again in a minute", "该地址登录过于频繁，请一分钟后重试"},
	{"the user or its account is disabled", "用户或其账号已停用"},
	{"the original password is wrong", "原密码错误"},
	{"the new password is the old one", "新密码与原密码相同"},
	{"the password must have 8 to 64 characters", "密码须为 8 至 64 个字符"},
	{"the password must not be the user name", "密码不能与用户名相同"},
	{"akSkNumExceed: a user has at most %d access keys; delete one first", "每个用户最多 %s 个访问密钥，请先删除一个"},
	{"the account already has an enterprise project named %s", "已有名为 %s 的企业项目"},
	{"the default project cannot be changed", "默认企业项目不可修改"},
	{"the default project can be neither enabled nor disabled", "默认企业项目不可启用或停用"},
	{"The bucket %s belongs to somebody else.", "存储桶 %s 属于其他账号"},
}

// said is a sentence of the house in the visitor's language.
func (v *visit) said(message string) string {
	if m := codeFirst.FindStringSubmatch(message); m != nil {
		return v.said(m[2]) + v.t("said.code", m[1])
	}
	if v.lang == english {
		return message
	}
	for i, pattern := range sayingPatterns() {
		m := pattern.FindStringSubmatch(message)
		if m == nil {
			continue
		}
		parts := make([]any, len(m)-1)
		for k, part := range m[1:] {
			parts[k] = v.said(part) // a reason within a reason
		}
		return fmt.Sprintf(sayings[i][chinese], parts...)
	}
	return message
}

// codeFirst is how the house keeps a refusal as a text.
var codeFirst = regexp.MustCompile(`^([A-Z]{2,6}\.[0-9]{3,8}) (.+)$`)

// sayingPatterns recognise the sayings; made when the first Chinese page needs them.
var sayingPatterns = sync.OnceValue(func() []*regexp.Regexp {
	out := make([]*regexp.Regexp, len(sayings))
	for i, one := range sayings {
		out[i] = regexp.MustCompile("^" + formatVerb.ReplaceAllString(regexp.QuoteMeta(one[english]), "(.+?)") + "$")
	}
	return out
})

var formatVerb = regexp.MustCompile(`%[a-z]`)
