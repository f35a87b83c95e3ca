package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.huaweicloud.sdk.bssintl.v2.BssintlClient;
import com.huaweicloud.sdk.bssintl.v2.model.CreateEnterpriseProjectAuthRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ListCustomerOrdersRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ShowCustomerAccountBalancesRequest;
import com.huaweicloud.sdk.eps.v1.EpsClient;
import com.huaweicloud.sdk.eps.v1.model.*;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Enterprise projects by the official EPS client: opened, made, changed, and seen by a user of one of them. This
 * client has no operation for deleting, records of moves, associated resources, names elsewhere and switches.
 */
class ProjectsTest {
    private static final Demo.Caller OWNER = Demo.CLOUD.customers.get(1);
    private static final EpsClient EPS = Demo.build(EpsClient.newBuilder(), OWNER.global());
    private static final BssintlClient BSS = Demo.build(BssintlClient.newBuilder(), OWNER.global());

    private static CreateEnterpriseProjectResponse make(String name) {
        return EPS.createEnterpriseProject(new CreateEnterpriseProjectRequest().withBody(
                new EnterpriseProject().withName(name).withDescription("made by Java")));
    }

    private static UpdateEnterpriseProjectRequest rename(String id, String name) {
        return new UpdateEnterpriseProjectRequest().withEnterpriseProjectId(id).withBody(new EnterpriseProject().withName(name));
    }

    @Test
    void livesThroughItsStates() {
        Demo.refused(403, "EPS.0039", () -> make("too-early"));
        for (int i = 0; i < 2; i++) {
            assertEquals(204, BSS.createEnterpriseProjectAuth(new CreateEnterpriseProjectAuthRequest()).getHttpStatusCode());
        }
        EpDetail made = make("java-quay").getEnterpriseProject();
        assertEquals("java-quay", made.getName());
        assertEquals(1, made.getStatus());
        Demo.refused(409, "EPS.0010", () -> make("java-quay"));
        Demo.refused(400, "EPS.0007", () -> make("dEfault"));
        ListEnterpriseProjectResponse list = EPS.listEnterpriseProject(new ListEnterpriseProjectRequest()
                .withSortDir(ListEnterpriseProjectRequest.SortDirEnum.ASC));
        assertEquals(2, list.getTotalCount());
        assertEquals(List.of("0", made.getId()), list.getEnterpriseProjects().stream().map(EpDetail::getId).toList());
        assertEquals("java-pier", EPS.updateEnterpriseProject(rename(made.getId(), "java-pier")).getEnterpriseProject().getName());
        Demo.refused(400, "EPS.0012", () -> EPS.updateEnterpriseProject(rename("0", "x")));
        assertEquals(204, EPS.disableEnterpriseProject(new DisableEnterpriseProjectRequest().withEnterpriseProjectId(made.getId())
                .withBody(new DisableAction().withAction(DisableAction.ActionEnum.DISABLE))).getHttpStatusCode());
        Demo.refused(400, "EPS.0014", () -> EPS.updateEnterpriseProject(rename(made.getId(), "x")));
        assertEquals(204, EPS.enableEnterpriseProject(new EnableEnterpriseProjectRequest().withEnterpriseProjectId(made.getId())
                .withBody(new EnableAction().withAction(EnableAction.ActionEnum.ENABLE))).getHttpStatusCode());
        Demo.refused(404, "EPS.0005", () -> EPS.showEnterpriseProject(new ShowEnterpriseProjectRequest().withEnterpriseProjectId("nobodys")));
        EpQuotas quota = Wire.exact(EPS.showEnterpriseProjectQuota(new ShowEnterpriseProjectQuotaRequest())).getQuotas().getResources().get(0);
        assertEquals(100, quota.getQuota());
        assertEquals(1, quota.getUsed());
        moved(made.getId());
    }

    /** A server of the account is moved in, found there, and on record. */
    private static void moved(String id) {
        Resources server = servers("0").get(0);
        MigrateResource body = new MigrateResource().withProjectId(OWNER.projectId()).withRegionId(Demo.CLOUD.region)
                .withResourceId(server.getResourceId()).withResourceType("ecs").withAssociated(true);
        assertEquals(204, EPS.migrateResource(new MigrateResourceRequest().withEnterpriseProjectId(id).withBody(body)).getHttpStatusCode());
        assertEquals(server.getResourceId(), servers(id).get(0).getResourceId());
        assertTrue(servers("0").stream().noneMatch(other -> other.getResourceId().equals(server.getResourceId())));
    }

    private static List<Resources> servers(String project) {
        return EPS.showResourceBindEnterpriseProject(new ShowResourceBindEnterpriseProjectRequest().withEnterpriseProjectId(project)
                .withBody(new ResqEpResouce().withProjects(List.of(OWNER.projectId())).withResourceTypes(List.of("ecs")))).getResources();
    }

    @Test
    void featuresAreListed() {
        assertEquals(5, Wire.exact(EPS.listProviders(new ListProvidersRequest().withLimit(5))).getProviders().size());
    }

    @Test
    void userOfOneProjectSeesThat() {
        Demo.Caller who = Demo.CLOUD.projectUser;
        EpsClient eps = Demo.build(EpsClient.newBuilder(), who.global());
        BssintlClient bss = Demo.build(BssintlClient.newBuilder(), who.global());
        assertEquals(List.of("webshop"), eps.listEnterpriseProject(new ListEnterpriseProjectRequest()).getEnterpriseProjects().stream().map(EpDetail::getName).toList());
        assertEquals(1, bss.listCustomerOrders(new ListCustomerOrdersRequest()).getTotalCount());
        Demo.refused(404, "EPS.0005", () -> eps.showEnterpriseProject(new ShowEnterpriseProjectRequest().withEnterpriseProjectId("0")));
        Demo.refused(403, "CBC.0151", () -> bss.showCustomerAccountBalances(new ShowCustomerAccountBalancesRequest()));
    }
}
