// Here the contract of the Operations Capability is held against the types of the official Go SDK.
package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	bss "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2"
)

// bssWalk is what the SDK of the international site and api/bss.yaml must agree on.
var bssWalk = sdkWalk{
	file:   "bss.yaml",
	client: (*bss.BssintlClient)(nil),
	defs: map[string]func() *def.HttpRequestDef{
		"ListServiceTypes":                      bss.GenReqDefForListServiceTypes,
		"ListResourceTypes":                     bss.GenReqDefForListResourceTypes,
		"ListServiceResources":                  bss.GenReqDefForListServiceResources,
		"ListUsageTypes":                        bss.GenReqDefForListUsageTypes,
		"ListMeasureUnits":                      bss.GenReqDefForListMeasureUnits,
		"ListConversions":                       bss.GenReqDefForListConversions,
		"ListResourceSpecs":                     bss.GenReqDefForListResourceSpecs,
		"ListOnDemandResourceRatings":           bss.GenReqDefForListOnDemandResourceRatings,
		"ListRateOnPeriodDetail":                bss.GenReqDefForListRateOnPeriodDetail,
		"ListRenewRateOnPeriod":                 bss.GenReqDefForListRenewRateOnPeriod,
		"ShowCustomerAccountBalances":           bss.GenReqDefForShowCustomerAccountBalances,
		"ShowCustomerExpenditureQuota":          bss.GenReqDefForShowCustomerExpenditureQuota,
		"ListSubCustomerCoupons":                bss.GenReqDefForListSubCustomerCoupons,
		"ListCustomerOrders":                    bss.GenReqDefForListCustomerOrders,
		"ShowCustomerOrderDetails":              bss.GenReqDefForShowCustomerOrderDetails,
		"ListOrderDiscounts":                    bss.GenReqDefForListOrderDiscounts,
		"PayOrders":                             bss.GenReqDefForPayOrders,
		"CancelCustomerOrder":                   bss.GenReqDefForCancelCustomerOrder,
		"ShowRefundOrderDetails":                bss.GenReqDefForShowRefundOrderDetails,
		"ListPayPerUseCustomerResources":        bss.GenReqDefForListPayPerUseCustomerResources,
		"RenewalResources":                      bss.GenReqDefForRenewalResources,
		"CancelResourcesSubscription":           bss.GenReqDefForCancelResourcesSubscription,
		"AutoRenewalResources":                  bss.GenReqDefForAutoRenewalResources,
		"CancelAutoRenewalResources":            bss.GenReqDefForCancelAutoRenewalResources,
		"UpdatePeriodToOnDemand":                bss.GenReqDefForUpdatePeriodToOnDemand,
		"SetResourcesRenewConfig":               bss.GenReqDefForSetResourcesRenewConfig,
		"ListFreeResourceInfos":                 bss.GenReqDefForListFreeResourceInfos,
		"ListFreeResourceUsages":                bss.GenReqDefForListFreeResourceUsages,
		"ListFreeResourcesUsageRecords":         bss.GenReqDefForListFreeResourcesUsageRecords,
		"ShowCustomerMonthlySum":                bss.GenReqDefForShowCustomerMonthlySum,
		"ListCustomerselfResourceRecords":       bss.GenReqDefForListCustomerselfResourceRecords,
		"ListCustomerselfResourceRecordDetails": bss.GenReqDefForListCustomerselfResourceRecordDetails,
		"ListCosts":                             bss.GenReqDefForListCosts,
		"CreateEnterpriseProjectAuth":           bss.GenReqDefForCreateEnterpriseProjectAuth,
		"ListInvoices":                          bss.GenReqDefForListInvoices,
	},
	// What a partner calls on behalf of customers, and real-name authentication: not a customer's business office.
	others: []string{
		"ChangeEnterpriseRealnameAuthentication",
		"CheckUserIdentity",
		"CreateEnterpriseRealnameAuthentication",
		"CreatePersonalRealnameAuth",
		"CreateSubCustomer",
		"FreezeSubCustomers",
		"ListCustomerOnDemandResources",
		"ListEnterpriseSubCustomers",
		"ListIndirectPartners",
		"ListPostpaidBillSum",
		"ListSubCustomerBudget",
		"ListSubCustomerBudgetRecords",
		"ListSubCustomers",
		"SendVerificationMessageCode",
		"ShowPartnerConsumptionQuota",
		"ShowRealnameAuthenticationReviewResult",
		"ShowSubCustomerBudget",
		"UnfreezeSubCustomers",
		"UpdateSubCustomerBudget",
	},
	// Two old operations that documents and older clients have.
	own: []string{"ListResourceUsages", "ShowMonthlySumOld"},
	odd: map[string]string{
		"RenewalResources body.expire_policy: not in the SDK": "older documents have it",
		"ListInvoices path domain_id: not in the SDK":         "the SDK puts the credential's domain id in by itself",
	},
}

// TestContractBSSIsValid: the contract is valid OpenAPI, its examples included.
func TestContractBSSIsValid(t *testing.T) {
	if err := loadContract(t, bssWalk.file).Validate(context.Background(), openapi3.EnableExamplesValidation()); err != nil {
		t.Fatal(err)
	}
}

// TestContractBSSMatchesSDK: no field, name, place, requirement or JSON type differs, in either direction.
func TestContractBSSMatchesSDK(t *testing.T) { bssWalk.run(t) }

// bssFacts is what the documents say beyond the types of the SDK, of requests and of the answers where kin differ: the
// operation and the field, then whether it must be there, its JSON type, bounds, default, choices, the form of a time,
// and what an empty string means. A length or a bound that is not said here is the contract's own.
const bssFacts = `
AutoRenewalResources body.auto_renew_times: integer, 0..99
AutoRenewalResources body.period_type: string, of MONTH YEAR
AutoRenewalResources path resource_id: required, string, <=64
CancelAutoRenewalResources path resource_id: required, string, <=64
CancelCustomerOrder body.order_id: required, string, <=64
CancelCustomerOrder body: required, object
CancelResourcesSubscription body.resource_ids: required, array, 1..10 items
CancelResourcesSubscription body.resource_ids[]: string, <=64
CancelResourcesSubscription body.unsubscribe_reason_type: integer, of 1 2 3 4 5
CancelResourcesSubscription body.unsubscribe_type: required, integer, of 1 2
CancelResourcesSubscription body: required, object
ListConversions header X-Language: string, <=8, default=zh_CN, any case
ListConversions query measure_type: integer, of 1 2 3 4 7 9 10 11 12 16 19 20 27 28 29 30 31 40 41 108
ListCosts body.amount_type: required, string, of PAYMENT_AMOUNT NET_AMOUNT
ListCosts body.cost_type: required, string, of ORIGINAL_COST AMORTIZED_COST
ListCosts body.filters: array, 0..100 items
ListCosts body.filters[].filter_factor.key: required, string
ListCosts body.filters[].filter_factor.value: required, array
ListCosts body.filters[].filter_factor.value[]: string, <=64
ListCosts body.filters[].filter_factor: required, object
ListCosts body.filters[].operator: required, integer, of 0 1
ListCosts body.groupby: required, array, 0..2 items
ListCosts body.groupby[].key: required, string
ListCosts body.groupby[].type: required, string, of dimension tag cost_unit
ListCosts body.limit: integer, 1..1000, default=10
ListCosts body.offset: integer, 0..200000, default=0
ListCosts body.time_condition.begin_time: required, string, <=10, day or month
ListCosts body.time_condition.end_time: required, string, <=10, day or month
ListCosts body.time_condition.time_measure_id: required, integer, of 1 2
ListCosts body.time_condition: required, object
ListCosts body: required, object
ListCosts header X-Language: string, <=8, default=zh_CN, any case
ListCustomerOrders query create_time_begin: string, <=20, UTC, ""=refused
ListCustomerOrders query create_time_end: string, <=20, UTC, ""=refused
ListCustomerOrders query customer_id: string, <=64
ListCustomerOrders query indirect_partner_id: string, <=64
ListCustomerOrders query limit: integer, 1..100, default=10
ListCustomerOrders query method: string, default=oneself, of oneself sub_customer
ListCustomerOrders query offset: integer, default=0
ListCustomerOrders query order_by: string, of createTime -createTime, any case
ListCustomerOrders query order_id: string, <=64, any case
ListCustomerOrders query order_type: string, of 1 2 3 4 10 11 13 14 15
ListCustomerOrders query payment_time_begin: string, <=20, UTC
ListCustomerOrders query payment_time_end: string, <=20, UTC
ListCustomerOrders query service_type_code: string, <=64, any case
ListCustomerOrders query status: integer, of 1 3 4 5 6 9
ListCustomerselfResourceRecordDetails body.bill_cycle_begin: string, <=10, day
ListCustomerselfResourceRecordDetails body.bill_cycle_end: string, <=10, day
ListCustomerselfResourceRecordDetails body.bill_type: integer, of 1 2 3 4 5 8 9 14 15 16 17 18 20 23 24 100 101 102
ListCustomerselfResourceRecordDetails body.charge_mode: integer, of 1 3 10 11
ListCustomerselfResourceRecordDetails body.cloud_service_type: string, <=64
ListCustomerselfResourceRecordDetails body.cycle: required, string, <=8, month
ListCustomerselfResourceRecordDetails body.enterprise_project_id: string, <=64
ListCustomerselfResourceRecordDetails body.limit: integer, 1..1000, default=10
ListCustomerselfResourceRecordDetails body.method: string, default=all, of oneself sub_customer all
ListCustomerselfResourceRecordDetails body.offset: integer, default=0
ListCustomerselfResourceRecordDetails body.payer_account_id: string, <=64
ListCustomerselfResourceRecordDetails body.query_type: string, default=BILLCYCLE, of BILLCYCLE DAILY
ListCustomerselfResourceRecordDetails body.region: string, <=64
ListCustomerselfResourceRecordDetails body.res_instance_id: string, <=64
ListCustomerselfResourceRecordDetails body.resource_type: string, <=64
ListCustomerselfResourceRecordDetails body.statistic_type: integer, default=1, of 1 2 3
ListCustomerselfResourceRecordDetails body.sub_customer_id: string, <=64
ListCustomerselfResourceRecordDetails body: required, object
ListCustomerselfResourceRecordDetails header X-Language: string, <=10, default=en_US, any case
ListCustomerselfResourceRecords header X-Language: string, <=10, default=zh_CN, any case
ListCustomerselfResourceRecords query bill_date_begin: string, <=10, day
ListCustomerselfResourceRecords query bill_date_end: string, <=10, day
ListCustomerselfResourceRecords query bill_type: integer, of 1 2 3 4 5 8 9 12 14 15 16 17 18 20 23 24 100 101 102
ListCustomerselfResourceRecords query charge_mode: string, of 1 3 10 11, ""=refused
ListCustomerselfResourceRecords query cloud_service_type: string, <=64, ""=value
ListCustomerselfResourceRecords query cycle: required, string, <=10, month
ListCustomerselfResourceRecords query enterprise_project_id: string, <=64
ListCustomerselfResourceRecords query limit: integer, 1..1000, default=10
ListCustomerselfResourceRecords query method: string, default=all, of oneself sub_customer all
ListCustomerselfResourceRecords query offset: integer, default=0
ListCustomerselfResourceRecords query region: string, <=64, ""=value
ListCustomerselfResourceRecords query resource_id: string, <=64, ""=value
ListCustomerselfResourceRecords query statistic_type: integer, default=3, of 1 3
ListCustomerselfResourceRecords query sub_customer_id: string, <=64
ListCustomerselfResourceRecords query trade_id: string, <=64, ""=value
ListFreeResourceInfos body.enterprise_project_id: string, <=64
ListFreeResourceInfos body.limit: integer, 1..100, default=10
ListFreeResourceInfos body.offset: integer, 0..999999, default=0
ListFreeResourceInfos body.order_id: string, <=64
ListFreeResourceInfos body.product_id: string, <=64
ListFreeResourceInfos body.product_name: string, <=256
ListFreeResourceInfos body.region_code: string, <=64
ListFreeResourceInfos body.service_type_code_list[]: string, <=64, any case
ListFreeResourceInfos body.status: integer, of 0 1 2 3 4
ListFreeResourceInfos body: required, object
ListFreeResourceInfos header X-Language: string, <=8, default=zh_CN, any case
ListFreeResourceUsages body.free_resource_ids: required, array, 1..100 items
ListFreeResourceUsages body.free_resource_ids[]: string, <=64
ListFreeResourceUsages body: required, object
ListFreeResourceUsages header X-Language: string, <=8, default=zh_CN, any case
ListFreeResourcesUsageRecords query deduct_time_begin: required, string, <=10, day
ListFreeResourcesUsageRecords query deduct_time_end: required, string, <=10, day
ListFreeResourcesUsageRecords query free_resource_id: string, <=64
ListFreeResourcesUsageRecords query limit: integer, 1..100, default=10
ListFreeResourcesUsageRecords query offset: integer, default=0
ListFreeResourcesUsageRecords query product_id: string, <=64
ListFreeResourcesUsageRecords query resource_type_code: string, <=64
ListInvoices path domain_id: required, string, <=64
ListInvoices query end_time: required, string, <=64, UTC
ListInvoices query limit: required, integer, 1..100
ListInvoices query offset: required, integer, 1..99999
ListInvoices query start_time: required, string, <=64, UTC
ListMeasureUnits header X-Language: string, <=8, default=zh_CN, any case
ListOnDemandResourceRatings body.inquiry_precision: integer, default=0, of 0 1
ListOnDemandResourceRatings body.product_infos: required, array, 1..100 items
ListOnDemandResourceRatings body.product_infos[].available_zone: string, <=64, any case
ListOnDemandResourceRatings body.product_infos[].cloud_service_type: required, string, <=400
ListOnDemandResourceRatings body.product_infos[].id: required, string, <=64
ListOnDemandResourceRatings body.product_infos[].region: required, string
ListOnDemandResourceRatings body.product_infos[].resource_size: integer
ListOnDemandResourceRatings body.product_infos[].resource_spec: required, string
ListOnDemandResourceRatings body.product_infos[].resource_type: required, string
ListOnDemandResourceRatings body.product_infos[].subscription_num: required, integer
ListOnDemandResourceRatings body.product_infos[].usage_factor: required, string, <=64, any case
ListOnDemandResourceRatings body.product_infos[].usage_measure_id: required, integer
ListOnDemandResourceRatings body.product_infos[].usage_value: required, number
ListOnDemandResourceRatings body.project_id: required, string, <=64
ListOnDemandResourceRatings body: required, object
ListOrderDiscounts query order_id: required, string, <=64
ListPayPerUseCustomerResources body.customer_id: string, <=64
ListPayPerUseCustomerResources body.expire_time_begin: string, <=20, UTC
ListPayPerUseCustomerResources body.expire_time_end: string, <=20, UTC
ListPayPerUseCustomerResources body.limit: integer, 1..500, default=10
ListPayPerUseCustomerResources body.offset: integer, default=0
ListPayPerUseCustomerResources body.only_main_resource: integer, default=0, of 0 1
ListPayPerUseCustomerResources body.order_id: string, <=64
ListPayPerUseCustomerResources body.resource_ids: array, 0..50 items
ListPayPerUseCustomerResources body.resource_ids[]: string, <=64
ListPayPerUseCustomerResources body.service_type_code: string, <=64, ""=refused
ListPayPerUseCustomerResources body.status_list: array, 0..10 items
ListPayPerUseCustomerResources body.status_list[]: integer, of 2 3 4 5
ListPayPerUseCustomerResources body: required, object
ListRateOnPeriodDetail body.product_infos: required, array, 1..100 items
ListRateOnPeriodDetail body.product_infos[].available_zone: string, <=64, any case
ListRateOnPeriodDetail body.product_infos[].cloud_service_type: required, string, <=400
ListRateOnPeriodDetail body.product_infos[].id: required, string, <=64
ListRateOnPeriodDetail body.product_infos[].period_num: required, integer
ListRateOnPeriodDetail body.product_infos[].period_type: required, integer, of 0 2 3 4
ListRateOnPeriodDetail body.product_infos[].region: required, string
ListRateOnPeriodDetail body.product_infos[].resource_size: integer
ListRateOnPeriodDetail body.product_infos[].resource_spec: required, string
ListRateOnPeriodDetail body.product_infos[].resource_type: required, string
ListRateOnPeriodDetail body.product_infos[].subscription_num: required, integer
ListRateOnPeriodDetail body.project_id: required, string, <=64
ListRateOnPeriodDetail body: required, object
ListRenewRateOnPeriod body.include_relative_resources: boolean, default=false
ListRenewRateOnPeriod body.period_num: required, integer, 1..11
ListRenewRateOnPeriod body.period_type: required, integer, of 2 3
ListRenewRateOnPeriod body.resource_ids: required, array, 1..10 items
ListRenewRateOnPeriod body.resource_ids[]: string, <=64
ListRenewRateOnPeriod body: required, object
ListResourceSpecs body.charge_mode: required, string, of 1 3
ListResourceSpecs body.cloud_service_type: required, string, <=64
ListResourceSpecs body.filters: array, 0..1 items
ListResourceSpecs body.filters[].key: required, string, of RESOURCE_SPEC
ListResourceSpecs body.filters[].value: required, string
ListResourceSpecs body.limit: integer, 1..100, default=100
ListResourceSpecs body.region_code: required, string, <=64
ListResourceSpecs body.resource_type: required, string, <=64
ListResourceSpecs body: required, object
ListResourceSpecs header X-Language: string, <=8, default=zh_CN, any case
ListResourceTypes header X-Language: string, <=8, default=zh_CN, any case
ListResourceTypes query limit: integer, 1..1000, default=10
ListResourceTypes query offset: integer, default=0
ListResourceUsages header X-Language: string, <=8, default=en_US, any case, ""=refused
ListServiceResources header X-Language: string, <=8, default=zh_CN, any case
ListServiceResources query limit: integer, 1..100, default=10
ListServiceResources query offset: integer, 0..10000000, default=0
ListServiceResources query service_type_code: required, string, <=64
ListServiceTypes header X-Language: string, <=8, default=zh_CN, any case
ListServiceTypes query limit: integer, 1..1000, default=10
ListServiceTypes query offset: integer, 0..1000000000, default=0
ListServiceTypes query service_type_name: string, <=128
ListSubCustomerCoupons query active_end_time: string, <=64, UTC, ""=refused
ListSubCustomerCoupons query active_start_time: string, <=64, UTC, ""=refused
ListSubCustomerCoupons query coupon_id: string, <=64
ListSubCustomerCoupons query coupon_type: integer, of 1 2 3 4
ListSubCustomerCoupons query limit: integer, 1..100, default=10
ListSubCustomerCoupons query offset: integer, default=0
ListSubCustomerCoupons query order_id: string, <=64
ListSubCustomerCoupons query promotion_plan_id: string, <=64
ListSubCustomerCoupons query source_id: string, <=255
ListSubCustomerCoupons query status: integer, of 1 2 3 4 5
ListUsageTypes header X-Language: string, <=8, default=zh_CN, any case
ListUsageTypes query limit: integer, 1..1000, default=10
ListUsageTypes query offset: integer, default=0
ListUsageTypes query resource_type_code: string, <=64
PayOrders body.coupon_infos: array, 0..3 items
PayOrders body.coupon_infos[].id: required, string, <=64
PayOrders body.coupon_infos[].type: required, integer, of 300 301 302 303
PayOrders body.discount_infos: array, 0..1 items
PayOrders body.discount_infos[].id: required, string, <=64
PayOrders body.discount_infos[].type: required, integer, of 0 2 3 609
PayOrders body.order_id: required, string, <=64
PayOrders body.use_coupon: required, string, of YES NO
PayOrders body.use_discount: required, string, of YES NO
PayOrders body: required, object
RenewalResources body.expire_policy: integer, of 0 1 2 3
RenewalResources body.is_auto_pay: integer, default=0, of 0 1
RenewalResources body.period_num: required, integer, 1..11
RenewalResources body.period_type: required, integer, of 2 3
RenewalResources body.resource_ids: required, array, 1..10 items
RenewalResources body.resource_ids[]: string, <=64
RenewalResources body: required, object
SetResourcesRenewConfig body.config_name: required, string, of DEDUCTION_DATE EXPIRE_DATE
SetResourcesRenewConfig body.config_value: required, string, <=64
SetResourcesRenewConfig body: required, object
ShowCustomerMonthlySum query bill_cycle: required, string, <=8, month
ShowCustomerMonthlySum query enterprise_project_id: string, <=64, ""=refused
ShowCustomerMonthlySum query limit: integer, 1..1000, default=10
ShowCustomerMonthlySum query method: string, default=all, of oneself sub_customer all
ShowCustomerMonthlySum query offset: integer, default=0
ShowCustomerMonthlySum query service_type_code: string, <=64
ShowCustomerMonthlySum query sub_customer_id: string, <=64
ShowCustomerOrderDetails header X-Language: string, <=10, default=zh_CN, any case
ShowCustomerOrderDetails path order_id: required, string, <=64
ShowCustomerOrderDetails query indirect_partner_id: string, <=64
ShowCustomerOrderDetails query limit: integer, 1..100, default=10
ShowCustomerOrderDetails query offset: integer, default=0
ShowMonthlySumOld path domain_id: required, string, <=64
ShowMonthlySumOld query cycle: required, string, <=8, month
ShowMonthlySumOld query type: string, of 0 1
ShowRefundOrderDetails query customer_id: string, <=64
ShowRefundOrderDetails query indirect_partner_id: string, <=64
ShowRefundOrderDetails query order_id: required, string, <=64
UpdatePeriodToOnDemand body.operation: required, string, <=64, of SET_UP CANCEL
UpdatePeriodToOnDemand body.resource_ids: required, array, 1..100 items
UpdatePeriodToOnDemand body.resource_ids[]: string, <=64
UpdatePeriodToOnDemand body: required, object
ListMeasureUnits answer.measure_units[].measure_id: required, integer
ListConversions answer.conversions[].conversion_ratio: required, integer
ListRenewRateOnPeriod answer.renew_inquiry_results[].amount: required, string, decimal
ListRenewRateOnPeriod answer.official_website_rating_result.official_website_amount: required, string, decimal
ListRenewRateOnPeriod answer.optional_discount_rating_results[].discount_amount: required, string, decimal
ListRenewRateOnPeriod answer.optional_discount_rating_results[].discount_type: required, integer
ListSubCustomerCoupons answer.count: required, integer
ListSubCustomerCoupons answer.user_coupons[].face_value: required, number, decimal
ListSubCustomerCoupons answer.user_coupons[].is_frozen: required, string
ListSubCustomerCoupons answer.user_coupons[].balance: number, decimal, null
ListSubCustomerCoupons answer.user_coupons[].lock_order_id: string, null
ListSubCustomerCoupons answer.user_coupons[].use_limits[].use_limiti_info_id: required, string
ListCustomerOrders answer.order_infos[].amount_after_discount: required, number, decimal
ListCustomerOrders answer.order_infos[].amount_info.discounts[].discount_type: required, string
ListOrderDiscounts answer.discounts: array
ListOrderDiscounts answer.discounts[].discount_value: required, string
ListOrderDiscounts answer.discounts[].discount_type: required, integer
ShowCustomerOrderDetails answer.order_line_items[].period_num: integer, null
ShowRefundOrderDetails answer.refund_infos[].measure_id: required, string
ShowRefundOrderDetails answer.refund_infos[].amount: required, number, decimal
UpdatePeriodToOnDemand answer.error_details[].id: required, string
ListFreeResourceInfos answer.free_resource_packages[].free_resources[].amount: required, string, decimal
ListFreeResourceUsages answer.free_resources[].amount: required, number, decimal
ListFreeResourcesUsageRecords answer.free_resource_records[].used_amount: required, string, decimal
ListCustomerselfResourceRecords answer.fee_records[].charge_mode: required, string
ListCustomerselfResourceRecords answer.fee_records[].period_type: required, string
ListCustomerselfResourceRecordDetails answer.monthly_records[].charge_mode: required, integer
ListCustomerselfResourceRecordDetails answer.monthly_records[].period_type: required, integer
ListCustomerselfResourceRecordDetails answer.monthly_records[].resource_Type_code: required, string
ListCustomerselfResourceRecordDetails answer.monthly_records[].bill_date: string, null
ListCosts answer.cost_data[].costs[].amount: required, string, decimal
ListCosts answer.cost_data[].amount_by_costs: required, string, decimal
ListInvoices answer.count: required, integer
ListInvoices answer.invoices[].invoiceAmount: required, number, decimal
ListInvoices answer.invoices[].invoiceMode: required, string
ListInvoices answer.invoices[].taxList[].taxRate: required, string
ListResourceUsages answer.package_usage_infos[].order_instance_id: required, string
ListResourceUsages answer.package_usage_infos[].total: required, number, decimal
ListResourceUsages answer.package_usage_infos[].quota_reuse_cycle_type: required, integer
ShowMonthlySumOld answer.total_amount: required, number, decimal
ShowMonthlySumOld answer.storedcard_amount: required, number, decimal
ShowMonthlySumOld answer.bill_sums[].cloud_service_type_code: required, string
ShowMonthlySumOld answer.bill_sums[].resource_type_code: string, null
ShowMonthlySumOld answer.bill_sums[].bill_type: required, integer
ShowMonthlySumOld answer.bill_sums[].pay_method: required, string
ShowMonthlySumOld answer.bill_sums[].enterpriseProjectId: required, string
SetResourcesRenewConfig answer.error_code: required, string
SetResourcesRenewConfig answer.error_msg: required, string
ShowMonthlySumOld answer.error_code: required, string
ShowMonthlySumOld answer.bill_sums[].consume_time: required, string
ListResourceUsages answer.package_usage_infos[].balance: required, number, decimal
ListCustomerOrders answer.order_infos[].sub_order_infos: array, null
ListCustomerselfResourceRecords answer.fee_records[].id: string, null
ListCustomerselfResourceRecords answer.fee_records[].order_id: string, null
ShowCustomerMonthlySum answer.bill_sums[].credit_amount: required, number, decimal
ShowCustomerMonthlySum answer.bill_sums[].resource_type_code: required, string
`

// bssCodes are the errors that the documents give an operation, without "CBC.".
var bssCodes = map[string]string{
	"ListServiceTypes":                      "0100 0151 0999",
	"ListResourceTypes":                     "0100 0151 0999",
	"ListServiceResources":                  "0100 0151 0999",
	"ListUsageTypes":                        "0100 0151 0999",
	"ListMeasureUnits":                      "0151 0999",
	"ListConversions":                       "0100 0151 0999",
	"ListOnDemandResourceRatings":           "0100 0151 0999 99006006 99006050 99006055 99006074",
	"ListRateOnPeriodDetail":                "0100 0151 0250 0999 99006006 99006055",
	"ListRenewRateOnPeriod":                 "0100 0151 0154 0999 30050007 30050008 30050009 30050010 30050011 30050012 30050013 99006006 99006016 99006017 99006024 99006050 99006055 99006066 99006073",
	"ShowCustomerAccountBalances":           "0100 0151 0999 99000049",
	"ShowCustomerExpenditureQuota":          "0100",
	"ListSubCustomerCoupons":                "0100 0151 0999 99000037",
	"ListCustomerOrders":                    "0100 0101 0151 0155 0999",
	"ShowCustomerOrderDetails":              "0100 0101 0151 0155 0999 30000010",
	"ListOrderDiscounts":                    "0100 0101 0151 0999 30000010",
	"PayOrders":                             "0999 30000010 99000089 99003106 99003108 99003110 99003112 99003116 99003117 99003141 99003147 99003155 99003156 99003162 99003198 99005003 99006093 99008040 99008056",
	"CancelCustomerOrder":                   "0100 0151 0999 99000089 99005010",
	"ShowRefundOrderDetails":                "0151 0999 99005026",
	"ListPayPerUseCustomerResources":        "0100 0151 0999",
	"RenewalResources":                      "0100 0151 0999 30010036 30010069 30050006 99000092 99003016 99003100 99003144 99003154 99003634",
	"CancelResourcesSubscription":           "0100 0151 0999 30000052 30000053 30000067 99003012 99003100 99003128 99003185 99003643 99003647 99003649 99003650 99003651 99003652 99003654 99003656 99006066",
	"AutoRenewalResources":                  "0100 0151 0999 99003012 99003602",
	"CancelAutoRenewalResources":            "0100 0151 0999 99003012 99003605",
	"UpdatePeriodToOnDemand":                "0100 0151 0999 99003012 99003608 99003609 99003610 99003611 99003622 99003623 99003624 99003625 99003626",
	"SetResourcesRenewConfig":               "0100 0151 0999",
	"ListFreeResourceInfos":                 "0100 0151 0999",
	"ListFreeResourceUsages":                "0100 0151 0999",
	"ListFreeResourcesUsageRecords":         "0100 0151 0999",
	"ListResourceUsages":                    "0999",
	"ShowCustomerMonthlySum":                "0100 0151 0999 18000048",
	"ListCustomerselfResourceRecords":       "0100 0151 0999 18000048",
	"ListCustomerselfResourceRecordDetails": "0100 0151 0154 0999 18000048",
	"ListCosts":                             "0100 0151 0999 18000014",
	"CreateEnterpriseProjectAuth":           "0100 0151 0999 99007004",
}

// TestContractBSSFacts: the contract says of a field what the documents say, and adds nothing but limits.
func TestContractBSSFacts(t *testing.T) {
	have := map[string][]string{}
	for _, item := range loadContract(t, bssWalk.file).Paths.Map() {
		for _, o := range item.Operations() {
			for _, p := range append(slices.Clone(item.Parameters), o.Parameters...) {
				describe(have, o.OperationID+" "+p.Value.In+" "+p.Value.Name, p.Value.Schema.Value, p.Value.Required)
			}
			if o.RequestBody != nil {
				describe(have, o.OperationID+" body", o.RequestBody.Value.GetMediaType("application/json").Schema.Value, o.RequestBody.Value.Required)
			}
			if ok := o.Responses.Value("200"); ok != nil {
				describe(have, o.OperationID+" answer", ok.Value.Content.Get("application/json").Schema.Value, true)
			}
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(bssFacts), "\n") {
		field, said, _ := strings.Cut(line, ": ")
		want := strings.Split(said, ", ")
		if have[field] == nil {
			t.Errorf("not in the contract: %s", field)
		}
		for _, w := range want {
			if !slices.Contains(have[field], w) {
				t.Errorf("%s: want %s, the contract has %q", field, w, have[field])
			}
		}
		for _, h := range have[field] {
			limit := strings.HasPrefix(h, "<=") || strings.Contains(h, "..")
			// What an item of a list may be is the contract's own, too.
			if !limit && !slices.Contains(want, h) && !(strings.HasSuffix(field, "[]") && h == `""=refused`) {
				t.Errorf("%s: the contract adds %s", field, h)
			}
		}
	}
}

// TestContractBSSErrors: every error that the documents give an operation is listed, and nothing is reported after
// what goes wrong inside.
func TestContractBSSErrors(t *testing.T) {
	for _, item := range loadContract(t, bssWalk.file).Paths.Map() {
		for _, o := range item.Operations() {
			var have []string
			list, _ := o.Extensions["x-errors"].([]any)
			for _, e := range list {
				have = append(have, fmt.Sprint(e.(map[string]any)["code"]))
			}
			for code := range strings.FieldsSeq(bssCodes[o.OperationID]) {
				if !slices.Contains(have, "CBC."+code) {
					t.Errorf("%s: CBC.%s is not listed", o.OperationID, code)
				}
			}
			if len(have) == 0 || have[len(have)-1] != "CBC.0999" {
				t.Errorf("%s: CBC.0999 must be the last of %v", o.OperationID, have)
			}
			if slices.Sort(have); len(slices.Compact(slices.Clone(have))) != len(have) {
				t.Errorf("%s: a code is listed twice in %v", o.OperationID, have)
			}
		}
	}
}

// describe says what a schema asks for or promises, and the schemas in it, in the words of bssFacts.
func describe(all map[string][]string, where string, s *openapi3.Schema, required bool) {
	var have []string
	put := func(when bool, format string, args ...any) {
		if when {
			have = append(have, fmt.Sprintf(format, args...))
		}
	}
	answer := strings.Contains(where, " answer")
	put(required, "required")
	put(true, "%s", strings.Join(s.Type.Slice(), "|"))
	put(answer && s.Format == "decimal", "decimal")
	put(answer && s.Nullable, "null")
	put(s.Min != nil || s.Max != nil, "%s..%s", written(s.Min), written(s.Max))
	put(s.MaxLength != nil, "<=%s", written(s.MaxLength))
	put(s.MaxItems != nil || s.MinItems > 0, "%d..%s items", s.MinItems, written(s.MaxItems))
	put(s.Default != nil, "default=%v", s.Default)
	put(len(s.Enum) > 0, "of %s", strings.Trim(fmt.Sprint(s.Enum), "[]"))
	put(s.Pattern != "", "%s", timeForms[s.Pattern])
	put(s.Extensions["x-case-insensitive"] == true, "any case")
	put(s.Extensions["x-empty"] == "value", `""=value`)
	// An empty string never does for a field that must be there: said only where it may be left out.
	put(s.MinLength > 0 && !required, `""=refused`)
	all[where] = have
	if s.Items != nil {
		describe(all, where+"[]", s.Items.Value, false)
	}
	for name, p := range s.Properties {
		describe(all, where+"."+name, p.Value, slices.Contains(s.Required, name))
	}
}

func written[N float64 | uint64](n *N) string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf("%.0f", float64(*n))
}

// timeForms names the patterns of times in requests.
var timeForms = map[string]string{
	`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$`:           "UTC",
	`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$`:    "day",
	`^\d{4}-(0[1-9]|1[0-2])$`:                          "month",
	`^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$`: "day or month",
}
