package conformance

import (
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/global"
	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"
	eps "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/eps/v1"
	epsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/eps/v1/model"
)

func (s *server) eps(t *testing.T, c credentials) *eps.EpsClient {
	t.Helper()
	credential, err := global.NewCredentialsBuilder().WithAk(c.AccessKey).WithSk(c.SecretKey).WithDomainId(c.DomainID).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := eps.EpsClientBuilder().WithEndpoint(s.Endpoint).WithCredential(credential).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return eps.NewEpsClient(client)
}

// The official Go SDK opens enterprise projects, twice; makes, lists, changes, disables and enables them, moves a server in
// and reads what was moved; and every refusal comes with this surface's codes.
func TestGoSDKEnterpriseProjects(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[1]
		bss, client := s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID), s.eps(t, c)
		make := func(name string) (*epsmodel.CreateEnterpriseProjectResponse, error) {
			return client.CreateEnterpriseProject(&epsmodel.CreateEnterpriseProjectRequest{Body: &epsmodel.EnterpriseProject{Name: name, Description: new("of " + name)}})
		}
		_, err := make("too-early")
		refused(t, "before they are open", err, 403, "EPS.0039")
		for range 2 {
			if answer, err := bss.CreateEnterpriseProjectAuth(&bssmodel.CreateEnterpriseProjectAuthRequest{}); err != nil || answer.HttpStatusCode != 204 {
				t.Fatal(answer, err)
			}
		}
		made, err := make("harbour-crane")
		if err != nil || made.HttpStatusCode != 201 {
			t.Fatal(made, err)
		}
		id := made.EnterpriseProject.Id
		if p := made.EnterpriseProject; p.Name != "harbour-crane" || p.Status != 1 || p.Type.Value() != "prod" || p.DeleteFlag || p.CreatedAt == nil {
			t.Errorf("made %v", p)
		}
		_, err = make("harbour-crane")
		refused(t, "a name that is taken", err, 409, "EPS.0010")
		_, err = make("Default")
		refused(t, "the default's name", err, 400, "EPS.0007")
		order := epsmodel.GetListEnterpriseProjectRequestSortDirEnum().ASC
		list, err := client.ListEnterpriseProject(&epsmodel.ListEnterpriseProjectRequest{SortDir: &order})
		if err != nil || *list.TotalCount != 2 || (*list.EnterpriseProjects)[0].Id != "0" || (*list.EnterpriseProjects)[1].Id != id {
			t.Errorf("%v, %v", list, err)
		}
		if one, err := client.ListEnterpriseProject(&epsmodel.ListEnterpriseProjectRequest{Name: new("CRANE"), Status: new(int32(1))}); err != nil || *one.TotalCount != 1 {
			t.Errorf("%v, %v", one, err)
		}
		if shown, err := client.ShowEnterpriseProject(&epsmodel.ShowEnterpriseProjectRequest{EnterpriseProjectId: "0"}); err != nil || shown.EnterpriseProject.Name != "default" {
			t.Errorf("%v, %v", shown, err)
		}
		changed, err := client.UpdateEnterpriseProject(&epsmodel.UpdateEnterpriseProjectRequest{EnterpriseProjectId: id, Body: &epsmodel.EnterpriseProject{Name: "north-quay"}})
		if err != nil || changed.EnterpriseProject.Name != "north-quay" {
			t.Errorf("%v, %v", changed, err)
		}
		_, err = client.UpdateEnterpriseProject(&epsmodel.UpdateEnterpriseProjectRequest{EnterpriseProjectId: "0", Body: &epsmodel.EnterpriseProject{Name: "x"}})
		refused(t, "change the default one", err, 400, "EPS.0012")
		s.moveThere(t, c, client, id)
		off := &epsmodel.DisableEnterpriseProjectRequest{EnterpriseProjectId: id, Body: &epsmodel.DisableAction{Action: epsmodel.GetDisableActionActionEnum().DISABLE}}
		if answer, err := client.DisableEnterpriseProject(off); err != nil || answer.HttpStatusCode != 204 {
			t.Errorf("%v, %v", answer, err)
		}
		_, err = client.UpdateEnterpriseProject(&epsmodel.UpdateEnterpriseProjectRequest{EnterpriseProjectId: id, Body: &epsmodel.EnterpriseProject{Name: "x"}})
		refused(t, "change a disabled one", err, 400, "EPS.0014")
		on := &epsmodel.EnableEnterpriseProjectRequest{EnterpriseProjectId: id, Body: &epsmodel.EnableAction{Action: epsmodel.GetEnableActionActionEnum().ENABLE}}
		if answer, err := client.EnableEnterpriseProject(on); err != nil || answer.HttpStatusCode != 204 {
			t.Errorf("%v, %v", answer, err)
		}
		_, err = client.DeleteEnterpriseProject(&epsmodel.DeleteEnterpriseProjectRequest{EnterpriseProjectId: id})
		refused(t, "delete where that is not allowed", err, 403, "EPS.0039")
		_, err = client.ShowEnterpriseProject(&epsmodel.ShowEnterpriseProjectRequest{EnterpriseProjectId: "nobody's"})
		refused(t, "an unknown one", err, 404, "EPS.0005")
		if quota, err := client.ShowEnterpriseProjectQuota(&epsmodel.ShowEnterpriseProjectQuotaRequest{}); err != nil || quota.Quotas.Resources[0].Quota != 100 || quota.Quotas.Resources[0].Used != 1 {
			t.Errorf("%v, %v", quota, err)
		}
		if all, err := client.ListProviders(&epsmodel.ListProvidersRequest{Provider: new("ecs")}); err != nil || *all.TotalCount != 1 || len(*all.Providers) != 1 {
			t.Errorf("%v, %v", all, err)
		}
		if config, err := client.ShowEpConfigs(&epsmodel.ShowEpConfigsRequest{}); err != nil || *config.SupportItem.DeleteEpSupport != "false" {
			t.Errorf("%v, %v", config, err)
		}
		if _, err := client.ListResourceMapping(&epsmodel.ListResourceMappingRequest{}); err != nil {
			t.Error(err)
		}
	})
}

// moveThere moves a server into a project, looks for it there, and reads the record of it.
func (s *server) moveThere(t *testing.T, c credentials, client *eps.EpsClient, id string) {
	t.Helper()
	find := func(project string) []epsmodel.Resources {
		t.Helper()
		found, err := client.ShowResourceBindEnterpriseProject(&epsmodel.ShowResourceBindEnterpriseProjectRequest{
			EnterpriseProjectId: project, Body: &epsmodel.ResqEpResouce{Projects: &[]string{c.ProjectID}, ResourceTypes: []string{"ecs"}},
		})
		if err != nil || int(*found.TotalCount) != len(*found.Resources) {
			t.Fatal(found, err)
		}
		return *found.Resources
	}
	servers := find("0")
	if len(servers) < 2 {
		t.Fatalf("%d servers of the demo, want some", len(servers))
	}
	one := servers[0]
	if tied, err := client.ShowAssociatedResources(&epsmodel.ShowAssociatedResourcesRequest{ResourceId: one.ResourceId, ProjectId: c.ProjectID, RegionId: s.Region, ResourceType: "ecs"}); err != nil || *tied.Id != one.ResourceId || len(*tied.AssociatedResources) != 0 {
		t.Errorf("%v, %v", tied, err)
	}
	move := &epsmodel.MigrateResourceRequest{EnterpriseProjectId: id, Body: &epsmodel.MigrateResource{
		ProjectId: &c.ProjectID, RegionId: &s.Region, ResourceId: one.ResourceId, ResourceType: "ecs", Associated: new(true),
	}}
	if answer, err := client.MigrateResource(move); err != nil || answer.HttpStatusCode != 204 {
		t.Errorf("%v, %v", answer, err)
	}
	if here := find(id); len(here) != 1 || here[0].ResourceId != one.ResourceId || here[0].EnterpriseProjectId != id || len(find("0")) != len(servers)-1 {
		t.Errorf("after the move: %v", here)
	}
	records, err := client.ListMigrationRecord(&epsmodel.ListMigrationRecordRequest{ResourceId: &one.ResourceId})
	if err != nil || len(*records.Records) != 1 {
		t.Fatal(records, err)
	}
	if r := (*records.Records)[0]; *r.OriginEpId != "0" || *r.TargetEpName != "north-quay" || *r.Code != "204" || *r.ResourceName != one.ResourceName {
		t.Errorf("%v", r)
	}
	move.Body.ResourceId = "nobody's"
	_, err = client.MigrateResource(move)
	refused(t, "move what is not there", err, 404, "EPS.0005")
}

// A user who may act in one project sees what belongs to it, and nothing else, by the official SDKs.
func TestGoSDKProjectUser(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		who := s.ProjectUser
		client, bss := s.eps(t, who), s.bss(t, who.AccessKey, who.SecretKey, "", who.DomainID)
		list, err := client.ListEnterpriseProject(&epsmodel.ListEnterpriseProjectRequest{})
		if err != nil || *list.TotalCount != 1 || (*list.EnterpriseProjects)[0].Id != who.EnterpriseProjectID {
			t.Errorf("%v, %v", list, err)
		}
		orders, err := bss.ListCustomerOrders(&bssmodel.ListCustomerOrdersRequest{})
		if err != nil || *orders.TotalCount != 1 || (*(*orders.OrderInfos)[0].EnterpriseProjects)[0].Name == nil || *(*(*orders.OrderInfos)[0].EnterpriseProjects)[0].Name != "webshop" {
			t.Errorf("%v, %v", orders, err)
		}
		_, err = client.CreateEnterpriseProject(&epsmodel.CreateEnterpriseProjectRequest{Body: &epsmodel.EnterpriseProject{Name: "mine"}})
		refused(t, "make a project", err, 403, "EPS.0004")
		_, err = client.ShowEnterpriseProject(&epsmodel.ShowEnterpriseProjectRequest{EnterpriseProjectId: "0"})
		refused(t, "see another project", err, 404, "EPS.0005")
		_, err = bss.ShowCustomerAccountBalances(&bssmodel.ShowCustomerAccountBalancesRequest{})
		refused(t, "the account's balance", err, 403, "CBC.0151")
	})
}
