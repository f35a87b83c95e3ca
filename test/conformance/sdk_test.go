package conformance

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/global"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	bss "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2"
	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"
	iam "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3"
	iammodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3/model"
	"github.com/shopspring/decimal"
)

func (s *server) bss(t *testing.T, access, secret, token, domain string) *bss.BssintlClient {
	t.Helper()
	credential, err := global.NewCredentialsBuilder().WithAk(access).WithSk(secret).WithSecurityToken(token).WithDomainId(domain).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := bss.BssintlClientBuilder().WithEndpoint(s.Endpoint).WithCredential(credential).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return bss.NewBssintlClient(client)
}

func (s *server) iam(t *testing.T, c credentials) *iam.IamClient {
	t.Helper()
	credential, err := global.NewCredentialsBuilder().WithAk(c.AccessKey).WithSk(c.SecretKey).WithDomainId(c.DomainID).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := iam.IamClientBuilder().WithEndpoint(s.Endpoint).WithCredential(credential).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return iam.NewIamClient(client)
}

// refused wants the SDK's error with this status and code.
func refused(t *testing.T, what string, err error, status int, code string) {
	t.Helper()
	var e *sdkerr.ServiceResponseError
	if !errors.As(err, &e) {
		t.Errorf("%s: %v, want %d %s", what, err, status, code)
		return
	}
	if e.StatusCode != status || e.ErrorCode != code || e.ErrorMessage == "" || e.RequestId == "" {
		t.Errorf("%s: %d %q %q, request %q; want %d %s", what, e.StatusCode, e.ErrorCode, e.ErrorMessage, e.RequestId, status, code)
	}
}

// The official Go SDK, pointed here by endpoint alone, lists what there is.
func TestGoSDKProducts(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		me := s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID)
		english := bssmodel.ListServiceTypesRequest{XLanguage: new("en_US"), Limit: new(int32(1000))}
		types, err := me.ListServiceTypes(&english)
		if err != nil || *types.TotalCount < 33 || int(*types.TotalCount) != len(*types.ServiceTypes) {
			t.Fatalf("service types: %+v, %v", types, err)
		}
		name := bssmodel.ListServiceTypesRequest{XLanguage: new("en_US"), ServiceTypeName: new("elastic CLOUD")}
		if found, err := me.ListServiceTypes(&name); err != nil || *found.TotalCount != 1 || *(*found.ServiceTypes)[0].ServiceTypeCode != "hws.service.type.ec2" {
			t.Errorf("by name: %+v, %v", found, err)
		}
		resources, err := me.ListResourceTypes(&bssmodel.ListResourceTypesRequest{Offset: new(int32(90)), Limit: new(int32(1000))})
		if err != nil || *resources.TotalCount < 95 || len(*resources.ResourceTypes) != int(*resources.TotalCount)-90 {
			t.Errorf("resource types: %v", err)
		}
		ofService, err := me.ListServiceResources(&bssmodel.ListServiceResourcesRequest{ServiceTypeCode: "hws.service.type.ebs"})
		if err != nil || *ofService.TotalCount != 1 || *(*ofService.Infos)[0].BasicInfo.ResourceTypeCode != "hws.resource.type.volume" {
			t.Errorf("service resources: %+v, %v", ofService, err)
		}
		usage, err := me.ListUsageTypes(&bssmodel.ListUsageTypesRequest{ResourceTypeCode: new("hws.resource.type.vm")})
		if err != nil || *usage.TotalCount != 1 || *(*usage.UsageTypes)[0].Code != "Duration" {
			t.Errorf("usage types: %+v, %v", usage, err)
		}
		units, err := me.ListMeasureUnits(&bssmodel.ListMeasureUnitsRequest{})
		if err != nil || len(*units.MeasureUnits) < 60 {
			t.Errorf("units: %v", err)
		}
		conversions, err := me.ListConversions(&bssmodel.ListConversionsRequest{MeasureType: new(int32(2))})
		if err != nil || len(*conversions.Conversions) != 3 {
			t.Errorf("conversions of duration: %+v, %v", conversions, err)
		}
		seen := map[string]bool{}
		for marker := ""; ; {
			body := bssmodel.ResourceSpecsQueryReq{CloudServiceType: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", RegionCode: s.Region, ChargeMode: "1", Limit: new(int32(40))}
			if marker != "" {
				body.Marker = &marker
			}
			page, err := me.ListResourceSpecs(&bssmodel.ListResourceSpecsRequest{Body: &body})
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range *page.CloudServiceBasics {
				if seen[*row.ResourceSpec] {
					t.Errorf("spec %s twice", *row.ResourceSpec)
				}
				seen[*row.ResourceSpec] = true
			}
			if page.PageInfo == nil || page.PageInfo.NextMarker == nil || *page.PageInfo.NextMarker == "" {
				break
			}
			marker = *page.PageInfo.NextMarker
		}
		if len(seen) < 60 || !seen["s3.small.1.linux"] {
			t.Errorf("%d specs", len(seen))
		}
	})
}

func server100(s *server, n int) (out []bssmodel.DemandProductInfo) {
	for i := range n {
		usage := decimal.RequireFromString("1.5")
		out = append(out, bssmodel.DemandProductInfo{
			Id: string(rune('a'+i%26)) + strings.Repeat("x", i/26), CloudServiceType: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", ResourceSpec: "s3.small.1.linux",
			Region: s.Region, UsageFactor: "Duration", UsageValue: &usage, UsageMeasureId: 4, SubscriptionNum: 1,
		})
	}
	return out
}

// Prices to the digit, with the demo customer's discounts; balances beside them.
func TestGoSDKPricesAndBalances(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		me := s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID)
		ask := func(products []bssmodel.DemandProductInfo) (*bssmodel.ListOnDemandResourceRatingsResponse, error) {
			return me.ListOnDemandResourceRatings(&bssmodel.ListOnDemandResourceRatingsRequest{Body: &bssmodel.RateOnDemandReq{
				ProjectId: c.ProjectID, InquiryPrecision: new(int32(1)), ProductInfos: products,
			}})
		}
		price, err := ask(server100(s, 100))
		if err != nil || price.OfficialWebsiteAmount.String() != "3.045" || price.Amount.String() != "2.58825" || price.DiscountAmount.String() != "0.45675" {
			t.Fatalf("%+v, %v", price, err)
		}
		sum := decimal.Zero
		for _, row := range *price.ProductRatingResults {
			sum = sum.Add(*row.Amount)
			if !row.OfficialWebsiteAmount.Equal(row.Amount.Add(*row.DiscountAmount)) || len(*row.DiscountRatingResults) != 2 {
				t.Errorf("row %+v", row)
			}
		}
		if !sum.Equal(*price.Amount) {
			t.Errorf("rows come to %s, the total is %s", sum, price.Amount)
		}
		unknown := server100(s, 1)
		unknown[0].ResourceSpec = "no.such.spec"
		_, err = ask(unknown)
		refused(t, "no such product", err, 400, "CBC.99006006")
		twice := append(server100(s, 1), server100(s, 1)...)
		_, err = ask(twice)
		refused(t, "the same id twice", err, 400, "CBC.0100")
		term, err := me.ListRateOnPeriodDetail(&bssmodel.ListRateOnPeriodDetailRequest{Body: &bssmodel.RateOnPeriodReq{ProjectId: c.ProjectID, ProductInfos: []bssmodel.PeriodProductInfo{{
			Id: "1", CloudServiceType: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", ResourceSpec: "s3.small.1.linux", Region: s.Region, PeriodType: 3, PeriodNum: 2, SubscriptionNum: 1,
		}}}})
		if err != nil || term.OfficialWebsiteRatingResult.OfficialWebsiteAmount.String() != "175.32" { // 87.66 a year when two are bought
			t.Fatalf("%+v, %v", term, err)
		}
		best := 0
		for _, o := range *term.OptionalDiscountRatingResults {
			best += int(*o.BestOffer)
			if *o.BestOffer == 1 && (o.Amount.String() != "149.02" || *o.DiscountType != 605) {
				t.Errorf("best offer %+v", o)
			}
		}
		if best != 1 {
			t.Errorf("%d best offers", best)
		}
		quiet := s.Customers[2] // has bought nothing
		balances, err := s.bss(t, quiet.AccessKey, quiet.SecretKey, "", quiet.DomainID).ShowCustomerAccountBalances(&bssmodel.ShowCustomerAccountBalancesRequest{})
		if err != nil || len(*balances.AccountBalances) != 4 || (*balances.AccountBalances)[0].Amount.String() != "10000" {
			t.Errorf("balances: %+v, %v", balances, err)
		}
		coupons, err := me.ListSubCustomerCoupons(&bssmodel.ListSubCustomerCouponsRequest{Status: new(int32(2))})
		if err != nil || *coupons.Count != 2 || *(*coupons.UserCoupons)[0].CustomerId != c.DomainID {
			t.Errorf("coupons: %+v, %v", coupons, err)
		}
		bob := s.Customers[1]
		quota, err := s.bss(t, bob.AccessKey, bob.SecretKey, "", bob.DomainID).ShowCustomerExpenditureQuota(&bssmodel.ShowCustomerExpenditureQuotaRequest{})
		if err != nil || quota.GrantingAmount.String() != "2000" {
			t.Errorf("quota: %+v, %v", quota, err)
		}
	})
}

func TestGoSDKIdentity(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[2]
		me := s.iam(t, c)
		if domains, err := me.KeystoneListAuthDomains(&iammodel.KeystoneListAuthDomainsRequest{}); err != nil || (*domains.Domains)[0].Id != c.DomainID {
			t.Errorf("%+v, %v", domains, err)
		}
		if projects, err := me.KeystoneListProjects(&iammodel.KeystoneListProjectsRequest{Name: &s.Region}); err != nil || len(*projects.Projects) != 1 || (*projects.Projects)[0].Id != c.ProjectID {
			t.Errorf("%+v, %v", projects, err)
		}
		users, err := me.KeystoneListUsers(&iammodel.KeystoneListUsersRequest{Name: &c.User})
		if err != nil || len(*users.Users) != 1 {
			t.Fatalf("%+v, %v", users, err)
		}
		user := (*users.Users)[0].Id
		made, err := me.CreatePermanentAccessKey(&iammodel.CreatePermanentAccessKeyRequest{Body: &iammodel.CreatePermanentAccessKeyRequestBody{Credential: &iammodel.CreateCredentialOption{UserId: user}}})
		if err != nil {
			t.Fatal(err)
		}
		list := func(access, secret, token string) error {
			_, err := s.bss(t, access, secret, token, c.DomainID).ListServiceTypes(&bssmodel.ListServiceTypesRequest{})
			return err
		}
		if err := list(made.Credential.Access, made.Credential.Secret, ""); err != nil {
			t.Errorf("with the new key: %v", err)
		}
		_, err = me.CreatePermanentAccessKey(&iammodel.CreatePermanentAccessKeyRequest{Body: &iammodel.CreatePermanentAccessKeyRequestBody{Credential: &iammodel.CreateCredentialOption{UserId: user}}})
		if err == nil || !strings.Contains(err.Error(), "akSkNumExceed") {
			t.Errorf("a third key: %v", err)
		}
		keys, err := me.ListPermanentAccessKeys(&iammodel.ListPermanentAccessKeysRequest{})
		if err != nil || len(*keys.Credentials) != 2 {
			t.Errorf("%+v, %v", keys, err)
		}
		inactive := iammodel.GetUpdateCredentialOptionStatusEnum().INACTIVE
		if _, err := me.UpdatePermanentAccessKey(&iammodel.UpdatePermanentAccessKeyRequest{AccessKey: made.Credential.Access, Body: &iammodel.UpdatePermanentAccessKeyRequestBody{Credential: &iammodel.UpdateCredentialOption{Status: &inactive}}}); err != nil {
			t.Fatal(err)
		}
		refused(t, "with the key turned off", list(made.Credential.Access, made.Credential.Secret, ""), 401, "APIGW.0301")
		if _, err := me.DeletePermanentAccessKey(&iammodel.DeletePermanentAccessKeyRequest{AccessKey: made.Credential.Access}); err != nil {
			t.Fatal(err)
		}
		temporary, err := me.CreateTemporaryAccessKeyByToken(&iammodel.CreateTemporaryAccessKeyByTokenRequest{Body: &iammodel.CreateTemporaryAccessKeyByTokenRequestBody{Auth: &iammodel.TokenAuth{
			Identity: &iammodel.TokenAuthIdentity{Methods: []iammodel.TokenAuthIdentityMethods{iammodel.GetTokenAuthIdentityMethodsEnum().TOKEN}, Token: &iammodel.IdentityToken{DurationSeconds: new(int32(900))}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := list(temporary.Credential.Access, temporary.Credential.Secret, temporary.Credential.Securitytoken); err != nil {
			t.Errorf("with a temporary key: %v", err)
		}
		refused(t, "a temporary key without its token", list(temporary.Credential.Access, temporary.Credential.Secret, ""), 401, "APIGW.0301")
		refused(t, "a wrong secret", list(c.AccessKey, "wrong", ""), 401, "APIGW.0301")
		refused(t, "an unknown key", list("NOSUCHKEY", "wrong", ""), 401, "APIGW.0301")
	})
}

// A user of the account may do what its actions allow; what the command line changes is seen within a second.
func TestGoSDKSubUser(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		s.cli(t, "user", "add", c.DomainName, "sue", "--actions", "bss:order:view")
		access, secret := s.key(t, c, "sue")
		sue := s.bss(t, access, secret, "", c.DomainID)
		_, err := sue.ShowCustomerAccountBalances(&bssmodel.ShowCustomerAccountBalancesRequest{})
		refused(t, "without the action", err, 403, "CBC.0151")
		if err == nil || !strings.Contains(err.Error(), "bss:balance:view") {
			t.Errorf("the refusal does not name the action: %v", err)
		}
		price, err := sue.ListOnDemandResourceRatings(&bssmodel.ListOnDemandResourceRatingsRequest{Body: &bssmodel.RateOnDemandReq{ProjectId: c.ProjectID, ProductInfos: server100(s, 1)}})
		if err != nil || !price.DiscountAmount.IsZero() {
			t.Errorf("discounts are not hidden: %+v, %v", price, err)
		}
		s.cli(t, "user", "disable", c.DomainName, "sue")
		time.Sleep(1200 * time.Millisecond)
		_, err = sue.ListServiceTypes(&bssmodel.ListServiceTypesRequest{})
		refused(t, "a disabled user", err, 403, "CBC.0155")
	})
}
