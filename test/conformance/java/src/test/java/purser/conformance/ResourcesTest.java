package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static purser.conformance.Buyer.server;
import static purser.conformance.Buyer.withDisk;
import static purser.conformance.Demo.CUSTOMER;
import static purser.conformance.Demo.refused;

import com.fasterxml.jackson.databind.JsonNode;
import com.huaweicloud.sdk.bssintl.v2.BssintlClient;
import com.huaweicloud.sdk.bssintl.v2.model.*;
import com.huaweicloud.sdk.core.exception.ServiceResponseException;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** Every operation on yearly/monthly resources, the unhappy paths too: what each refuses is in ../refusals.json. */
class ResourcesTest {
    private static final JsonNode TABLE = table();

    // Few customers, because sign-ins from one address are limited: whose account is frozen, or whose clock is turned, is
    // of no use to the other tests.
    private static final Buyer SHARED = new Buyer("500000");
    private static final Buyer AGING = new Buyer("1000");

    private static JsonNode table() {
        try {
            return Buyer.JSON.readTree(new File("../refusals.json"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static RenewalResourcesReq renewal(String resource, int unit, int n, int autoPay) {
        return new RenewalResourcesReq().withResourceIds(List.of(resource)).withPeriodType(unit).withPeriodNum(n).withIsAutoPay(autoPay);
    }

    private static UnsubscribeResourcesReq unsubscription(List<String> resources, int type) {
        return new UnsubscribeResourcesReq().withResourceIds(resources).withUnsubscribeType(type);
    }

    /** The code with which an operation on one resource is refused; empty when it is done. */
    private static String outcome(BssintlClient bss, String call, String resource, int unit) {
        try {
            switch (call) {
                case "renew" -> Wire.exact(bss.renewalResources(new RenewalResourcesRequest().withBody(renewal(resource, unit, 1, 0))));
                case "price" -> {
                    List<FailResourceInfo> failed = Wire.exact(bss.listRenewRateOnPeriod(new ListRenewRateOnPeriodRequest().withBody(
                            new ListRenewRateOnPeriodReq().withResourceIds(List.of(resource)).withPeriodType(unit).withPeriodNum(1)))).getFailResourceInfos();
                    return failed.size() == 1 && failed.get(0).getResourceId().equals(resource) ? failed.get(0).getErrorCode() : "";
                }
                case "unsubscribe", "unsubscribe_renewals" -> Wire.exact(bss.cancelResourcesSubscription(new CancelResourcesSubscriptionRequest()
                        .withBody(unsubscription(List.of(resource), call.equals("unsubscribe") ? 1 : 2))));
                case "auto_on" -> bss.autoRenewalResources(new AutoRenewalResourcesRequest().withResourceId(resource));
                case "auto_off" -> bss.cancelAutoRenewalResources(new CancelAutoRenewalResourcesRequest().withResourceId(resource));
                case "on_demand", "on_demand_off" -> {
                    List<ErrorDetail> failed = Wire.exact(bss.updatePeriodToOnDemand(new UpdatePeriodToOnDemandRequest().withBody(new PeriodToOnDemandReq()
                            .withOperation(call.equals("on_demand") ? "SET_UP" : "CANCEL").withResourceIds(List.of(resource))))).getErrorDetails();
                    return failed.size() == 1 && failed.get(0).getId().equals(resource) ? failed.get(0).getErrorCode() : "";
                }
                case "config" -> bss.setResourcesRenewConfig(new SetResourcesRenewConfigRequest().withBody(
                        new RenewResourceConfigReq().withConfigName(RenewResourceConfigReq.ConfigNameEnum.EXPIRE_DATE).withConfigValue("1")));
                case "query" -> bss.listPayPerUseCustomerResources(
                        new ListPayPerUseCustomerResourcesRequest().withBody(new QueryResourcesReq().withResourceIds(List.of(resource))));
                case "refund" -> bss.showRefundOrderDetails(new ShowRefundOrderDetailsRequest().withOrderId(resource));
                default -> throw new IllegalArgumentException("refusals.json: no call " + call);
            }
            return "";
        } catch (ServiceResponseException e) {
            int status = List.of("CBC.0151", "CBC.0155").contains(e.getErrorCode()) ? 403 : 400;
            assertEquals(status, e.getHttpStatusCode(), e.getErrorCode());
            return e.getErrorCode();
        }
    }

    private static void done(Buyer buyer, String call, String resource) {
        assertEquals("", outcome(buyer.bss, call, resource, 2), call);
    }

    private static Map<String, Object> with(Map<String, Object> product, Map<String, Object> changes) {
        product.putAll(changes);
        return product;
    }

    private static final Map<String, Object> PACKAGE = Map.of("cloud_service_type", "hws.service.type.obs",
            "resource_type", "hws.resource.type.obs", "resource_spec", "obs.package.100gb");
    private static final Map<String, Object> GATEWAY = Map.of("cloud_service_type", "hws.service.type.vpn",
            "resource_type", "hws.resource.type.vpn.vgw", "resource_spec", "vpn.vgw.s", "period_type", 0);

    /** Each state, and what brings a resource of a customer there. */
    private static final Map<String, Function<Buyer, String>> STATES = new HashMap<>();

    static {
        STATES.put("unknown", buyer -> "nothing");
        STATES.put("free", buyer -> buyer.buy(server()).get(0).getResourceId());
        STATES.put("another's", buyer -> new Buyer("100").buy(server()).get(0).getResourceId());
        STATES.put("package", buyer -> {
            String order = buyer.order(with(server(), PACKAGE));
            buyer.pay(order);
            return buyer.bss.listFreeResourceInfos(new ListFreeResourceInfosRequest().withBody(
                    new ListFreeResourceInfosReq().withOrderId(order))).getFreeResourcePackages().get(0).getOrderInstanceId();
        });
        STATES.put("unsubscribed", buyer -> after(buyer, "unsubscribe"));
        STATES.put("in an unpaid renewal", buyer -> after(buyer, "renew"));
        STATES.put("attached", buyer -> buyer.buy(withDisk(40)).get(1).getResourceId());
        STATES.put("attached in an unpaid change", buyer -> {
            List<OrderInstanceV2> rows = buyer.buy(withDisk(40));
            assertEquals(6, buyer.resize(rows.get(1).getResourceId(), 100).path("status").asInt());
            return rows.get(0).getResourceId();
        });
        STATES.put("refund under review", buyer -> {
            String resource = buyer.buy(with(withDisk(30_000), Map.of("period_num", 9))).get(0).getResourceId();
            done(buyer, "unsubscribe", resource);
            assertEquals(2, buyer.resource(resource).getStatus());
            return resource;
        });
        STATES.put("paid nine years ahead", buyer -> {
            String resource = buyer.buy(server()).get(0).getResourceId();
            for (int i = 0; i < 3; i++) {
                assertTrue(buyer.bss.renewalResources(new RenewalResourcesRequest().withBody(renewal(resource, 3, 3, 1))).getFailResourceInfos().isEmpty());
            }
            return resource;
        });
        STATES.put("bought by days", buyer -> buyer.buy(with(server(), GATEWAY)).get(0).getResourceId());
        STATES.put("free, frozen account", buyer -> {
            String resource = buyer.buy(server()).get(0).getResourceId();
            buyer.standing("frozen");
            return resource;
        });
        STATES.put("expired", buyer -> aged(buyer, 1, 5));
        STATES.put("frozen", buyer -> aged(buyer, 16, 4));
        STATES.put("released", buyer -> aged(buyer, 31, 3));
    }

    private static String after(Buyer buyer, String call) {
        String resource = buyer.buy(server()).get(0).getResourceId();
        done(buyer, call, resource);
        return resource;
    }

    private static String aged(Buyer buyer, int days, int status) {
        OrderInstanceV2 resource = buyer.buy(server()).get(0);
        buyer.turn(Instant.parse(resource.getExpireTime()).plus(Duration.ofDays(days)));
        assertEquals(status, buyer.resource(resource.getResourceId()).getStatus());
        return resource.getResourceId();
    }

    @TestFactory
    Stream<DynamicTest> states() {
        Set<String> named = new HashSet<>();
        TABLE.path("states").fieldNames().forEachRemaining(named::add);
        assertEquals(named, STATES.keySet());
        return named.stream().map(state -> DynamicTest.dynamicTest(state, () -> {
            Buyer buyer = switch (state) {
                case "expired", "frozen", "released" -> AGING;
                case "free, frozen account" -> new Buyer("100");
                default -> SHARED;
            };
            String resource = STATES.get(state).apply(buyer);
            Map<String, String> wanted = new TreeMap<>();
            TABLE.path("states").path(state).fields().forEachRemaining(call -> wanted.put(call.getKey(), call.getValue().asText()));
            Map<String, String> got = new TreeMap<>();
            wanted.keySet().forEach(call -> got.put(call, outcome(buyer.bss, call, resource, state.equals("paid nine years ahead") ? 3 : 2)));
            assertEquals(wanted, got);
        }));
    }

    private static <T> T body(JsonNode form, Class<T> type) {
        return Buyer.JSON.convertValue(form.path("body"), type);
    }

    @TestFactory
    Stream<DynamicTest> forms() {
        BssintlClient bss = Demo.BSS;
        // This SDK cannot send the period of automatic renewals yet; those of Go and Python do.
        return StreamSupport.stream(TABLE.path("forms").spliterator(), false).filter(form -> !form.at("/body/period_type").isTextual()).map(form -> DynamicTest.dynamicTest(
                form.path("call").asText() + ": " + form.path("why").asText(),
                () -> refused(400, form.path("code").asText("CBC.0100"), () -> {
                    switch (form.path("call").asText()) {
                        case "renew" -> bss.renewalResources(new RenewalResourcesRequest().withBody(body(form, RenewalResourcesReq.class)));
                        case "price" -> bss.listRenewRateOnPeriod(new ListRenewRateOnPeriodRequest().withBody(body(form, ListRenewRateOnPeriodReq.class)));
                        case "unsubscribe" -> bss.cancelResourcesSubscription(
                                new CancelResourcesSubscriptionRequest().withBody(body(form, UnsubscribeResourcesReq.class)));
                        case "auto_on" -> bss.autoRenewalResources(
                                new AutoRenewalResourcesRequest().withResourceId("1").withBody(body(form, AutoRenewalResourcesReq.class)));
                        case "on_demand" -> bss.updatePeriodToOnDemand(new UpdatePeriodToOnDemandRequest().withBody(body(form, PeriodToOnDemandReq.class)));
                        case "config" -> bss.setResourcesRenewConfig(new SetResourcesRenewConfigRequest().withBody(body(form, RenewResourceConfigReq.class)));
                        case "query" -> bss.listPayPerUseCustomerResources(
                                new ListPayPerUseCustomerResourcesRequest().withBody(body(form, QueryResourcesReq.class)));
                        default -> throw new IllegalArgumentException("refusals.json: no call " + form);
                    }
                })));
    }

    @Test
    @EnabledIfEnvironmentVariable(named = "PURSER_VIEWER_ACCESS_KEY", matches = ".+")
    void withoutPermission() {
        BssintlClient viewer = Buyer.client(System.getenv("PURSER_VIEWER_ACCESS_KEY"), System.getenv("PURSER_VIEWER_SECRET_KEY"), CUSTOMER.domainId());
        TABLE.path("without permission").forEach(call -> assertEquals("CBC.0151", outcome(viewer, call.asText(), "nothing", 2), call.asText()));
        assertEquals("CBC.30050009", outcome(viewer, "price", "nothing", 2));
    }

    private static Map<String, String> named(List<FailResourceInfo> failed) {
        return failed.stream().collect(Collectors.toMap(FailResourceInfo::getResourceId, FailResourceInfo::getErrorCode));
    }

    @Test
    void goodAndBadTogether() {
        Buyer buyer = SHARED;
        List<String> rows = buyer.buy(with(withDisk(40), Map.of("subscription_num", 2))).stream().map(OrderInstanceV2::getResourceId).toList();
        String other = buyer.buy(withDisk(40)).get(1).getResourceId();
        List<String> ids = List.of("nothing", rows.get(0), other, rows.get(1));
        ListRenewRateOnPeriodResponse price = Wire.exact(buyer.bss.listRenewRateOnPeriod(new ListRenewRateOnPeriodRequest().withBody(
                new ListRenewRateOnPeriodReq().withResourceIds(ids).withPeriodType(3).withPeriodNum(1).withIncludeRelativeResources(true))));
        assertEquals(Map.of("nothing", "CBC.30050009", other, "CBC.30050007"), named(price.getFailResourceInfos()));
        RenewalResourcesResponse renewed = Wire.exact(buyer.bss.renewalResources(new RenewalResourcesRequest().withBody(
                new RenewalResourcesReq().withResourceIds(ids).withPeriodType(3).withPeriodNum(1).withIsAutoPay(1))));
        assertEquals(Map.of("nothing", "CBC.99003016", other, "CBC.30010036"), named(renewed.getFailResourceInfos()));
        assertEquals(2, renewed.getOrderIds().size());
        for (int i = 0; i < 2; i++) {
            assertEquals(5, buyer.details(renewed.getOrderIds().get(i)).getStatus());
            assertEquals(0, buyer.amount(renewed.getOrderIds().get(i)).compareTo(new BigDecimal(price.getRenewInquiryResults().get(i).getAmount())));
        }
        List<String> all = Stream.concat(Stream.of(rows.get(2)), ids.stream()).toList(); // a disk beside its server goes along
        for (int type : new int[] {2, 1}) {
            CancelResourcesSubscriptionResponse ended = Wire.exact(buyer.bss.cancelResourcesSubscription(new CancelResourcesSubscriptionRequest()
                    .withBody(unsubscription(all, type).withUnsubscribeReasonType(5).withUnsubscribeReason("gone"))));
            assertEquals(2, ended.getOrderIds().size());
            assertEquals(Map.of("nothing", "CBC.99003012", other, "CBC.99003185"), named(ended.getFailResourceInfos()));
            assertEquals(type == 2 ? 2 : 3, buyer.resource(rows.get(0)).getStatus());
        }
    }

    @Test
    void paymentOfARenewalIsRefused() {
        Buyer poor = new Buyer("40");
        String resource = poor.buy(server()).get(0).getResourceId();
        RenewalResourcesResponse renewed = Wire.exact(poor.bss.renewalResources(new RenewalResourcesRequest().withBody(renewal(resource, 3, 3, 1))));
        assertEquals(Map.of(resource, "CBC.30050006"), named(renewed.getFailResourceInfos()));
        assertEquals(6, poor.details(renewed.getOrderIds().get(0)).getStatus());
    }

    @Test
    void autoRenewal() {
        Buyer buyer = new Buyer("100");
        List<OrderInstanceV2> rows = buyer.buy(withDisk(40));
        String server = rows.get(0).getResourceId();
        String disk = rows.get(1).getResourceId();
        buyer.bss.autoRenewalResources(new AutoRenewalResourcesRequest().withResourceId(server));
        policies(buyer, server, 3);
        done(buyer, "auto_off", server);
        policies(buyer, server, 0);
        buyer.bss.autoRenewalResources(new AutoRenewalResourcesRequest().withResourceId(disk).withBody(new AutoRenewalResourcesReq().withAutoRenewTimes(99)));
        policies(buyer, server, 3);
        buyer.bss.autoRenewalResources(new AutoRenewalResourcesRequest().withResourceId(server).withBody(
                new AutoRenewalResourcesReq().withAutoRenewTimes(0)));
        done(buyer, "auto_off", disk);
        policies(buyer, server, 0);
        for (String[] k : new String[][] {{"DEDUCTION_DATE", "2"}, {"DEDUCTION_DATE", "7"}, {"EXPIRE_DATE", "1"}, {"EXPIRE_DATE", "28"}, {"EXPIRE_DATE", "-1"}}) {
            SetResourcesRenewConfigResponse set = Wire.exact(buyer.bss.setResourcesRenewConfig(new SetResourcesRenewConfigRequest().withBody(
                    new RenewResourceConfigReq().withConfigName(RenewResourceConfigReq.ConfigNameEnum.fromValue(k[0])).withConfigValue(k[1]))));
            assertEquals("CBC.0000 success", set.getErrorCode() + " " + set.getErrorMsg());
        }
    }

    private static void policies(Buyer buyer, String server, int policy) {
        List<OrderInstanceV2> rows = buyer.query(new QueryResourcesReq().withResourceIds(List.of(server))).getData();
        assertEquals(List.of(policy, policy), rows.stream().map(OrderInstanceV2::getExpirePolicy).toList());
    }

    /** This SDK has no customer_id yet; those of Go and Python send it. */
    @Test
    void filters() {
        Buyer buyer = new Buyer("1000");
        List<OrderInstanceV2> rows = buyer.buy(with(withDisk(40), Map.of("subscription_num", 2)));
        OrderInstanceV2 year = buyer.buy(with(server(), Map.of("period_type", 3))).get(0);
        String first = rows.get(0).getResourceId();
        String second = rows.get(1).getResourceId();
        OrderInstanceV2 disk = rows.stream().filter(row -> first.equals(row.getParentResourceId())).findFirst().orElseThrow();
        assertEquals(0, disk.getSpecSize().compareTo(new BigDecimal(40)));
        assertEquals(17, disk.getSpecSizeMeasureId());
        done(buyer, "unsubscribe", second);
        String from = rows.get(0).getExpireTime();
        String to = year.getExpireTime();
        String late = Instant.parse(to).plusSeconds(1).toString();
        String early = Instant.parse(from).minusSeconds(1).toString();
        Map<QueryResourcesReq, Integer> queries = new HashMap<>();
        queries.put(new QueryResourcesReq(), 5);
        queries.put(new QueryResourcesReq().withResourceIds(List.of()).withStatusList(List.of()), 5);
        queries.put(new QueryResourcesReq().withOrderId(""), 5);
        queries.put(new QueryResourcesReq().withOrderId(buyer.order(server())), 0);
        queries.put(new QueryResourcesReq().withOnlyMainResource(1), 3);
        queries.put(new QueryResourcesReq().withResourceIds(List.of(first)), 2);
        queries.put(new QueryResourcesReq().withResourceIds(List.of(first)).withOnlyMainResource(1), 1);
        queries.put(new QueryResourcesReq().withResourceIds(List.of(disk.getResourceId())), 1);
        queries.put(new QueryResourcesReq().withResourceIds(List.of(disk.getResourceId())).withOnlyMainResource(1), 1);
        queries.put(new QueryResourcesReq().withResourceIds(List.of("nothing")), 0);
        queries.put(new QueryResourcesReq().withStatusList(List.of(2)), 3);
        queries.put(new QueryResourcesReq().withStatusList(List.of(3)), 2);
        queries.put(new QueryResourcesReq().withStatusList(List.of(2, 3, 4, 5)), 5);
        queries.put(new QueryResourcesReq().withStatusList(List.of(4, 5)), 0);
        queries.put(new QueryResourcesReq().withServiceTypeCode("hws.service.type.ebs"), 2);
        queries.put(new QueryResourcesReq().withServiceTypeCode("HWS.Service.Type.EC2"), 3);
        queries.put(new QueryResourcesReq().withServiceTypeCode("hws.service.type.none"), 0);
        queries.put(new QueryResourcesReq().withExpireTimeBegin(to), 1);
        queries.put(new QueryResourcesReq().withExpireTimeBegin(late), 0);
        queries.put(new QueryResourcesReq().withExpireTimeEnd(from).withStatusList(List.of(2)), 2);
        queries.put(new QueryResourcesReq().withExpireTimeEnd(early).withStatusList(List.of(2)), 0);
        queries.put(new QueryResourcesReq().withExpireTimeBegin(from).withExpireTimeEnd(to).withStatusList(List.of(2)), 3);
        queries.put(new QueryResourcesReq().withResourceIds(List.of(first, second)).withStatusList(List.of(3)).withOnlyMainResource(1), 1);
        queries.forEach((query, wanted) -> {
            ListPayPerUseCustomerResourcesResponse found = buyer.query(query);
            assertEquals(wanted + " " + wanted, found.getTotalCount() + " " + found.getData().size(), query::toString);
        });
        Set<String> seen = new HashSet<>();
        for (int offset = 0; offset < 6; offset += 2) {
            ListPayPerUseCustomerResourcesResponse page = buyer.query(new QueryResourcesReq().withOffset(offset).withLimit(2));
            assertEquals(5, page.getTotalCount());
            page.getData().forEach(row -> seen.add(row.getResourceId()));
        }
        assertEquals(5, seen.size());
    }

    @Test
    void refunds() {
        Buyer buyer = SHARED;
        List<OrderInstanceV2> rows = buyer.buy(withDisk(100));
        String server = rows.get(0).getResourceId();
        BigDecimal before = buyer.cash();
        String renewal = renew(buyer, server);
        String alone = end(buyer, server, 2);
        assertEquals(0, back(buyer, alone).compareTo(buyer.amount(renewal)));
        String smaller = buyer.resize(rows.get(1).getResourceId(), 50).path("order_id").asText();
        BigDecimal less = back(buyer, smaller);
        assertEquals(0, less.negate().compareTo(buyer.amount(smaller)));
        assertEquals(3, buyer.details(smaller).getOrderType());
        String again = renew(buyer, server);
        String whole = end(buyer, server, 1);
        BigDecimal all = back(buyer, whole);
        assertEquals(0, all.compareTo(buyer.amount(whole)));
        assertEquals(0, before.subtract(buyer.cash()).compareTo(buyer.amount(again).subtract(less).subtract(all)));
        refused(400, "CBC.99005026", () -> buyer.bss.showRefundOrderDetails(new ShowRefundOrderDetailsRequest().withOrderId(again)));
        refused(400, "CBC.99005026", () -> buyer.bss.showRefundOrderDetails(new ShowRefundOrderDetailsRequest().withOrderId("CS0")));
        refused(400, "CBC.99005026", () -> Demo.BSS.showRefundOrderDetails(new ShowRefundOrderDetailsRequest().withOrderId(whole)));
    }

    private static String renew(Buyer buyer, String resource) {
        return buyer.bss.renewalResources(new RenewalResourcesRequest().withBody(renewal(resource, 2, 1, 1))).getOrderIds().get(0);
    }

    private static String end(Buyer buyer, String resource, int type) {
        return buyer.bss.cancelResourcesSubscription(
                new CancelResourcesSubscriptionRequest().withBody(unsubscription(List.of(resource), type))).getOrderIds().get(0);
    }

    /** What went back, of rows that are as they should be. */
    private static BigDecimal back(Buyer buyer, String order) {
        ShowRefundOrderDetailsResponse refund = Wire.exact(buyer.bss.showRefundOrderDetails(new ShowRefundOrderDetailsRequest().withOrderId(order)));
        assertEquals(refund.getTotalCount(), refund.getRefundInfos().size());
        assertEquals(refund.getTotalCount(), (int) refund.getRefundInfos().stream().map(OrderRefundInfoV2::getId).distinct().count());
        refund.getRefundInfos().forEach(row -> assertEquals("1 " + buyer.id, row.getMeasureId() + " " + row.getCustomerId()));
        return refund.getRefundInfos().stream().map(OrderRefundInfoV2::getAmount).filter(amount -> amount.signum() < 0)
                .reduce(BigDecimal.ZERO, BigDecimal::subtract);
    }
}
