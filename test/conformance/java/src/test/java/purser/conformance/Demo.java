package purser.conformance;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.huaweicloud.sdk.bssintl.v2.BssintlClient;
import com.huaweicloud.sdk.core.ClientBuilder;
import com.huaweicloud.sdk.core.auth.BasicCredentials;
import com.huaweicloud.sdk.core.auth.GlobalCredentials;
import com.huaweicloud.sdk.core.auth.ICredential;
import com.huaweicloud.sdk.core.exception.ServiceResponseException;
import com.huaweicloud.sdk.core.http.HttpConfig;
import com.huaweicloud.sdk.cts.v3.CtsClient;
import com.huaweicloud.sdk.eps.v1.EpsClient;
import com.huaweicloud.sdk.iam.v3.IamClient;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.function.Executable;

/** The demo cloud's sign-ins and the official clients made from them, with nothing changed but the endpoint. */
@JsonIgnoreProperties(ignoreUnknown = true)
final class Demo {
    /** One sign-in of demo.json. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Caller(
            @JsonProperty("domain_id") String domainId,
            @JsonProperty("domain_name") String domainName,
            @JsonProperty("user") String user,
            @JsonProperty("password") String password,
            @JsonProperty("access_key") String accessKey,
            @JsonProperty("secret_key") String secretKey,
            @JsonProperty("project_id") String projectId,
            @JsonProperty("enterprise_project_id") String enterpriseProjectId) {

        GlobalCredentials global() {
            return new GlobalCredentials().withAk(accessKey).withSk(secretKey).withDomainId(domainId);
        }

        BasicCredentials basic() {
            return new BasicCredentials().withAk(accessKey).withSk(secretKey).withProjectId(projectId);
        }
    }

    @JsonProperty String endpoint;
    @JsonProperty String region;
    @JsonProperty Caller operator;
    @JsonProperty List<Caller> customers;
    @JsonProperty("project_user") Caller projectUser;

    static final Demo CLOUD = read();

    /** The customer with a commercial discount. */
    static final Caller CUSTOMER = CLOUD.customers.get(0);

    static final BssintlClient BSS = build(BssintlClient.newBuilder(), CUSTOMER.global());
    static final IamClient IAM = build(IamClient.newBuilder(), CUSTOMER.global());
    static final EpsClient EPS = build(EpsClient.newBuilder(), CUSTOMER.global());
    static final CtsClient CTS = build(CtsClient.newBuilder(), CUSTOMER.basic());

    private static Demo read() {
        String path = System.getenv("PURSER_DEMO_JSON");
        if (path == null) {
            throw new IllegalStateException("PURSER_DEMO_JSON is not set; run this through run.sh");
        }
        try {
            return new ObjectMapper().readValue(new File(path), Demo.class);
        } catch (IOException e) {
            throw new UncheckedIOException(path, e);
        }
    }

    /**
     * Short timeouts, so that a hanging server fails a test and not the run. The SDK's own check for missing
     * parameters is off: the server's is what is tested. Every answer's bytes are kept for {@link Wire}.
     */
    static HttpConfig config() {
        return HttpConfig.getDefaultHttpConfig()
                .withTimeout(10)
                .withIgnoreRequiredValidation(true)
                .addHttpListener(Wire.LISTENER);
    }

    static <T> T build(ClientBuilder<T> builder, ICredential credential) {
        return builder.withHttpConfig(config()).withCredential(credential).withEndpoint(CLOUD.endpoint).build();
    }

    /** Makes a call that must fail as given, and hands back the SDK's error. */
    static ServiceResponseException refused(int status, String code, Executable call) {
        ServiceResponseException error = Assertions.assertThrows(ServiceResponseException.class, call);
        String got = "HTTP " + error.getHttpStatusCode() + " " + error.getErrorCode() + ": " + error.getErrorMsg();
        Assertions.assertEquals(status, error.getHttpStatusCode(), got);
        Assertions.assertEquals(code, error.getErrorCode(), got);
        Assertions.assertTrue(error.getErrorMsg() != null && !error.getErrorMsg().startsWith("{")
                && error.getErrorMsg().contains(" "), () -> "no readable message: " + got);
        Assertions.assertTrue(error.getRequestId() != null && !error.getRequestId().isEmpty(),
                () -> "no X-Request-Id with " + got);
        return error;
    }

    private Demo() {}
}
