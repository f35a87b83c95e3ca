package purser.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.huaweicloud.sdk.bssintl.v2.BssintlClient;
import com.huaweicloud.sdk.bssintl.v2.model.*;
import com.huaweicloud.sdk.core.auth.GlobalCredentials;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Assertions;

/** A customer who orders: purser's own operations, with a token, beside the official client. */
final class Buyer {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final AtomicLong NUMBERS = new AtomicLong(System.currentTimeMillis());
    private static Own operator;

    final String id;
    final BssintlClient bss;
    private final Own own;

    /** Calls of one account with its token. */
    private record Own(String token) {
        static Own of(String account, String user, String password) {
            Map<String, Object> domain = Map.of("name", account);
            Object auth = Map.of("auth", Map.of(
                    "identity", Map.of("methods", List.of("password"), "password",
                            Map.of("user", Map.of("name", user, "password", password, "domain", domain))),
                    "scope", Map.of("domain", domain)));
            return new Own(send("POST", "/v3/auth/tokens", auth, "").headers().firstValue("X-Subject-Token").orElseThrow());
        }

        JsonNode call(String method, String path, Object body) {
            try {
                return JSON.readTree(send(method, path, body, token).body());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static HttpResponse<String> send(String method, String path, Object body, String token) {
            try {
                HttpResponse<String> answer = HTTP.send(
                        HttpRequest.newBuilder(URI.create(Demo.CLOUD.endpoint + path))
                                .header("Content-Type", "application/json").header("X-Auth-Token", token)
                                .method(method, HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body))).build(),
                        HttpResponse.BodyHandlers.ofString());
                Assertions.assertTrue(answer.statusCode() < 300, () -> path + ": " + answer.statusCode() + " " + answer.body());
                return answer;
            } catch (IOException e) {
                throw new UncheckedIOException(path, e);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static Own operator() {
        if (operator == null) {
            Demo.Caller who = Demo.CLOUD.operator;
            operator = Own.of(who.domainName(), who.user(), who.password());
        }
        return operator;
    }

    /** A new customer with so much money and nothing else. */
    Buyer(String cash) {
        String name = "java-" + NUMBERS.incrementAndGet();
        JsonNode made = operator().call("POST", "/purser/v1/customers", Map.of("account_name", name, "user_name", name, "country", "SG"));
        id = made.at("/customer/customer_id").asText();
        operator().call("POST", "/purser/v1/customers/" + id + "/top-ups", Map.of("amount", cash, "reference", name));
        own = Own.of(name, name, made.path("password").asText());
        JsonNode key = own.call("POST", "/v3.0/OS-CREDENTIAL/credentials",
                Map.of("credential", Map.of("user_id", made.path("user_id").asText()))).path("credential");
        bss = client(key.path("access").asText(), key.path("secret").asText(), id);
    }

    static BssintlClient client(String access, String secret, String domain) {
        return Demo.build(BssintlClient.newBuilder(), new GlobalCredentials().withAk(access).withSk(secret).withDomainId(domain));
    }

    void standing(String standing) {
        operator().call("PATCH", "/purser/v1/customers/" + id, Map.of("standing", standing));
    }

    /** Turns this customer's clock. */
    void turn(Instant to) {
        JsonNode job = operator().call("PUT", "/purser/v1/clocks", Map.of("customer_id", id, "time", to.toString()));
        Assertions.assertEquals("done", job.path("state").asText(), job::toString);
    }

    /** A product as it is ordered: a server for a month unless something else is put in. */
    static Map<String, Object> server() {
        Map<String, Object> product = product("1", "hws.service.type.ec2", "hws.resource.type.vm", "s3.small.1.linux");
        product.put("period_type", 2);
        product.put("period_num", 1);
        return product;
    }

    static Map<String, Object> withDisk(int gb) {
        Map<String, Object> disk = product("2", "hws.service.type.ebs", "hws.resource.type.volume", "SAS");
        disk.put("resource_size", gb);
        disk.put("size_measure_id", 17);
        Map<String, Object> server = server();
        server.put("attached", List.of(disk));
        return server;
    }

    static Map<String, Object> product(String id, String service, String type, String spec) {
        return new java.util.HashMap<>(Map.of("id", id, "cloud_service_type", service, "resource_type", type,
                "resource_spec", spec, "region", "ap-southeast-1", "subscription_num", 1));
    }

    String order(Map<String, Object> product) {
        return own.call("POST", "/purser/v1/orders", Map.of("products", List.of(product))).path("order_id").asText();
    }

    void pay(String order) {
        bss.payOrders(new PayOrdersRequest().withBody(
                new PayCustomerOrderV3Req().withOrderId(order).withUseCoupon("NO").withUseDiscount("NO")));
    }

    /** Orders and pays: the resources, the primary ones first. */
    List<OrderInstanceV2> buy(Map<String, Object> product) {
        String order = order(product);
        pay(order);
        return query(new QueryResourcesReq().withOrderId(order).withLimit(100)).getData().stream()
                .sorted(Comparator.comparing(OrderInstanceV2::getIsMainResource).reversed()).toList();
    }

    JsonNode resize(String disk, int gb) {
        return own.call("POST", "/purser/v1/resource-changes", Map.of("resource_id", disk, "resource_size", gb, "size_measure_id", 17));
    }

    ListPayPerUseCustomerResourcesResponse query(QueryResourcesReq query) {
        return Wire.exact(bss.listPayPerUseCustomerResources(new ListPayPerUseCustomerResourcesRequest().withBody(query)));
    }

    /** A primary resource as it is now. */
    OrderInstanceV2 resource(String resource) {
        return query(new QueryResourcesReq().withResourceIds(List.of(resource)).withOnlyMainResource(1)).getData().get(0);
    }

    CustomerOrderV3 details(String order) {
        return Wire.exact(bss.showCustomerOrderDetails(
                new ShowCustomerOrderDetailsRequest().withOrderId(order).withXLanguage("en_US"))).getOrderInfo();
    }

    BigDecimal amount(String order) {
        return new BigDecimal(String.valueOf(details(order).getAmountAfterDiscount()));
    }

    BigDecimal cash() {
        return bss.showCustomerAccountBalances(new ShowCustomerAccountBalancesRequest()).getAccountBalances().stream()
                .filter(row -> row.getAccountType() == 1).findFirst().orElseThrow().getAmount();
    }
}
