package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static purser.conformance.Demo.BSS;
import static purser.conformance.Demo.CLOUD;
import static purser.conformance.Demo.CUSTOMER;
import static purser.conformance.Demo.IAM;

import com.huaweicloud.sdk.bssintl.v2.BssintlClient;
import com.huaweicloud.sdk.bssintl.v2.model.ListIndirectPartnersRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ListServiceTypesRequest;
import com.huaweicloud.sdk.bssintl.v2.model.QueryIndirectPartnersReq;
import com.huaweicloud.sdk.core.auth.BasicCredentials;
import com.huaweicloud.sdk.core.auth.GlobalCredentials;
import com.huaweicloud.sdk.core.http.HttpConfig;
import com.huaweicloud.sdk.core.region.Region;
import com.huaweicloud.sdk.iam.v3.IamClient;
import com.huaweicloud.sdk.iam.v3.model.*;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** Who is calling: the look-ups clients make at start, tokens, and refusals. */
class IdentityTest {
    private static final ListServiceTypesRequest SERVICES = new ListServiceTypesRequest().withLimit(1);

    @Test
    void domains() {
        List<Domains> found = IAM.keystoneListAuthDomains(new KeystoneListAuthDomainsRequest()).getDomains();
        assertEquals(1, found.size());
        assertEquals(CUSTOMER.domainId(), found.get(0).getId());
        assertEquals(CUSTOMER.domainName(), found.get(0).getName());
    }

    @Test
    void oneProjectForARegion() {
        List<ProjectResult> found = IAM.keystoneListProjects(
                new KeystoneListProjectsRequest().withName(CLOUD.region)).getProjects();
        assertEquals(List.of(CUSTOMER.projectId()), found.stream().map(ProjectResult::getId).toList());
        assertTrue(IAM.keystoneListProjects(new KeystoneListProjectsRequest().withName("nowhere-1"))
                .getProjects().isEmpty());
        assertFalse(IAM.keystoneListAuthProjects(new KeystoneListAuthProjectsRequest()).getProjects().isEmpty());
    }

    @Test
    void usersByName() {
        List<KeystoneListUsersResult> found = IAM.keystoneListUsers(
                new KeystoneListUsersRequest().withName(CUSTOMER.user())).getUsers();
        assertEquals(List.of(CUSTOMER.user()), found.stream().map(KeystoneListUsersResult::getName).toList());
        assertEquals(CUSTOMER.domainId(), found.get(0).getDomainId());
    }

    // The SDK's own look-ups. It remembers what it found by access key, so the first of each goes to the server.

    @Test
    void sdkFindsTheDomain() {
        GlobalCredentials credentials = new GlobalCredentials().withAk(CUSTOMER.accessKey())
                .withSk(CUSTOMER.secretKey()).withIamEndpoint(CLOUD.endpoint);
        BssintlClient client = BssintlClient.newBuilder().withHttpConfig(Demo.config()).withCredential(credentials)
                .withRegion(new Region(CLOUD.region, CLOUD.endpoint)).build();
        assertTrue(client.listServiceTypes(SERVICES).getTotalCount() > 0);
    }

    @Test
    void sdkFindsTheProject() {
        BasicCredentials credentials = new BasicCredentials().withAk(CUSTOMER.accessKey())
                .withSk(CUSTOMER.secretKey()).withIamEndpoint(CLOUD.endpoint);
        IamClient client = IamClient.newBuilder().withHttpConfig(Demo.config()).withCredential(credentials)
                .withRegion(new Region(CLOUD.region, CLOUD.endpoint)).build();
        assertEquals(1, client.keystoneListProjects(
                new KeystoneListProjectsRequest().withName(CLOUD.region)).getProjects().size());
    }

    private static KeystoneCreateUserTokenByPasswordResponse token(String password, AuthScope scope) {
        PwdPasswordUser user = new PwdPasswordUser().withName(CUSTOMER.user()).withPassword(password)
                .withDomain(new PwdPasswordUserDomain().withName(CUSTOMER.domainName()));
        PwdIdentity identity = new PwdIdentity().withMethods(List.of(PwdIdentity.MethodsEnum.PASSWORD))
                .withPassword(new PwdPassword().withUser(user));
        return IAM.keystoneCreateUserTokenByPassword(new KeystoneCreateUserTokenByPasswordRequest()
                .withNocatalog("1").withBody(new KeystoneCreateUserTokenByPasswordRequestBody()
                        .withAuth(new PwdAuth().withIdentity(identity).withScope(scope))));
    }

    @Test
    void tokenForTheDomain() {
        var answer = token(CUSTOMER.password(),
                new AuthScope().withDomain(new AuthScopeDomain().withName(CUSTOMER.domainName())));
        assertEquals(201, answer.getHttpStatusCode());
        assertEquals(CUSTOMER.domainId(), answer.getToken().getDomain().getId());
        assertNull(answer.getToken().getProject());
        assertEquals(CUSTOMER.user(), answer.getToken().getUser().getName());
        assertFalse(answer.getXSubjectToken().isEmpty(), "no X-Subject-Token");
    }

    @Test
    void tokenForTheProject() {
        var answer = token(CUSTOMER.password(),
                new AuthScope().withProject(new AuthScopeProject().withName(CLOUD.region)));
        assertEquals(CUSTOMER.projectId(), answer.getToken().getProject().getId());
    }

    @Test
    void refusals() {
        GlobalCredentials wrong = CUSTOMER.global().withSk("wrong");
        var signature = Demo.refused(401, "APIGW.0301",
                () -> Demo.build(BssintlClient.newBuilder(), wrong).listServiceTypes(SERVICES));
        assertTrue(signature.getErrorMsg().contains("verify aksk signature fail"), signature.getErrorMsg());
        GlobalCredentials unknown = CUSTOMER.global().withAk("NOSUCHKEY00000000000");
        var key = Demo.refused(401, "APIGW.0301",
                () -> Demo.build(BssintlClient.newBuilder(), unknown).listServiceTypes(SERVICES));
        assertTrue(key.getErrorMsg().contains("ak not exist"), key.getErrorMsg());
        // A partner operation of the SDK that is not part of the contract.
        Demo.refused(404, "APIGW.0101", () -> BSS.listIndirectPartners(
                new ListIndirectPartnersRequest().withBody(new QueryIndirectPartnersReq().withLimit(1))));
    }

    @Test
    @EnabledIfEnvironmentVariable(named = "PURSER_TLS_ENDPOINT", matches = "https://.+")
    void tls() throws Exception {
        HttpConfig config = Demo.config();
        String authority = System.getenv("PURSER_CA");
        if (authority == null || authority.isEmpty()) {
            config.withIgnoreSSLVerification(true);
        } else {
            trust(config, Path.of(authority));
        }
        BssintlClient client = BssintlClient.newBuilder().withHttpConfig(config).withCredential(CUSTOMER.global())
                .withEndpoint(System.getenv("PURSER_TLS_ENDPOINT")).build();
        assertTrue(client.listServiceTypes(SERVICES).getTotalCount() > 0);
    }

    private static void trust(HttpConfig config, Path authority) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (InputStream file = Files.newInputStream(authority)) {
            int number = 0;
            for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                store.setCertificateEntry("authority" + number++, certificate);
            }
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        config.withSSLSocketFactory(context.getSocketFactory())
                .withX509TrustManager((X509TrustManager) factory.getTrustManagers()[0]);
    }
}
