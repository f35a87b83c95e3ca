package portal

// contractTexts are those of contracts.
var contractTexts = catalogue{
	"contracts.title": {"Contracts", "合同"}, "applications.title": {"Contracts", "合同申请"},
	"contracts.explain":    {"Apply for a contract here; whoever runs the cloud decides. What it brings is on the page of discounts.", "在此申请合同，由运营方审批。合同带来的优惠见折扣页。"},
	"applications.explain": {"What customers apply for. What is accepted or refused stays so; grant its discounts on their page.", "客户提交的合同申请。审批结果不可更改；相应折扣请在折扣页授予。"},
	"contracts.empty":      {"There is no contract like that.", "没有符合条件的合同。"}, "contracts.all": {"All", "全部"},
	"contracts.apply": {"Apply for a contract", "申请合同"}, "contracts.name": {"Title", "合同名称"}, "contracts.contact": {"Contact", "联系人"}, "contracts.note": {"Note", "备注"},
	"contracts.from": {"First day (empty: today)", "起始日（留空为今天）"}, "contracts.until": {"Last day (empty: for a year)", "结束日（留空为一年）"}, "contracts.send": {"Apply", "提交申请"},
	"contracts.day": {"That is no day.", "日期格式不正确。"}, "contracts.applied": {"Contract %s is applied for.", "合同 %s 已提交申请。"}, "contracts.applied_at": {"Applied for", "申请时间"},
	"contracts.what": {"To do", "操作"}, "contracts.accept": {"Accept", "通过"}, "contracts.refuse": {"Refuse", "驳回"}, "contracts.withdraw": {"Withdraw", "撤回"},
	"contracts.decided": {"Contract %s: %s.", "合同 %s：%s。"}, "contracts.ahead": {"Not yet in force", "未生效"}, "contracts.in_force": {"In force", "生效中"}, "contracts.over": {"Over", "已到期"},
	"contract_state.applied": {"Applied for", "审批中"}, "contract_state.accepted": {"Accepted", "已通过"}, "contract_state.refused": {"Refused", "已驳回"}, "contract_state.withdrawn": {"Withdrawn", "已撤回"},
}
