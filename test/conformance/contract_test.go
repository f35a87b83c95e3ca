// Here the contract of the Operations Capability is held against the types of the official Go SDK.
package conformance

import (
	"context"
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
		"ListInvoices path domain_id: not in the SDK": "the SDK puts the credential's domain id in by itself",
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
