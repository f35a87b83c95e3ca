package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static purser.conformance.Demo.BSS;
import static purser.conformance.Demo.CUSTOMER;

import com.huaweicloud.sdk.bssintl.v2.model.*;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What it costs: on demand and by period, as exact decimals. */
class PricesTest {
    private static final int HOUR = 4;
    private static final int MONTH = 2;
    private static final int YEAR = 3;
    private static final Set<Integer> DISCOUNT_TYPES = Set.of(605, 606, 607);

    enum Product {
        VM("hws.service.type.ec2", "hws.resource.type.vm", "s3.small.1.linux", null, null),
        VOLUME("hws.service.type.ebs", "hws.resource.type.volume", "GPSSD", 40, 17),
        BANDWIDTH("hws.service.type.vpc", "hws.resource.type.bandwidth", "19_bgp", 5, 15);

        final String service;
        final String resource;
        final String spec;
        final Integer size;
        final Integer unit;

        Product(String service, String resource, String spec, Integer size, Integer unit) {
            this.service = service;
            this.resource = resource;
            this.spec = spec;
            this.size = size;
            this.unit = unit;
        }

        /** This product used for an hour. */
        DemandProductInfo used(String id) {
            return new DemandProductInfo().withId(id).withCloudServiceType(service).withResourceType(resource)
                    .withResourceSpec(spec).withRegion(Demo.CLOUD.region).withResourceSize(size)
                    .withSizeMeasureId(unit).withUsageFactor("Duration").withUsageValue(BigDecimal.ONE)
                    .withUsageMeasureId(HOUR).withSubscriptionNum(1);
        }

        /** This product ordered for a month. */
        PeriodProductInfo ordered(String id) {
            return new PeriodProductInfo().withId(id).withCloudServiceType(service).withResourceType(resource)
                    .withResourceSpec(spec).withRegion(Demo.CLOUD.region).withResourceSize(size)
                    .withSizeMeasureId(unit).withPeriodType(MONTH).withPeriodNum(1).withSubscriptionNum(1);
        }
    }

    private static void same(BigDecimal expected, BigDecimal got, String what) {
        assertEquals(0, expected.compareTo(got), () -> what + ": expected " + expected + ", got " + got);
    }

    private static void addsUp(String what, BigDecimal official, BigDecimal amount, BigDecimal discount, int unit) {
        same(official, amount.add(discount), what + ": official is amount + discount");
        assertTrue(amount.signum() >= 0 && discount.signum() >= 0, what + ": a negative amount");
        assertEquals(1, unit, what + ": measure_id is the currency unit");
    }

    private static <T> BigDecimal sum(List<T> rows, Function<T, BigDecimal> field) {
        return rows.stream().map(field).reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    private static ListOnDemandResourceRatingsResponse send(Integer precision, List<DemandProductInfo> products) {
        return BSS.listOnDemandResourceRatings(new ListOnDemandResourceRatingsRequest().withBody(new RateOnDemandReq()
                .withProjectId(CUSTOMER.projectId()).withInquiryPrecision(precision).withProductInfos(products)));
    }

    private static ListRateOnPeriodDetailResponse send(List<PeriodProductInfo> products) {
        return BSS.listRateOnPeriodDetail(new ListRateOnPeriodDetailRequest().withBody(
                new RateOnPeriodReq().withProjectId(CUSTOMER.projectId()).withProductInfos(products)));
    }

    /** Asks for prices on demand and checks what must hold for every answer. */
    private static ListOnDemandResourceRatingsResponse onDemand(Integer precision, DemandProductInfo... products) {
        ListOnDemandResourceRatingsResponse answer = Wire.exact(send(precision, List.of(products)));
        List<DemandProductRatingResult> rows = answer.getProductRatingResults();
        assertEquals(Stream.of(products).map(DemandProductInfo::getId).toList(),
                rows.stream().map(DemandProductRatingResult::getId).toList(), "one result a product, in order");
        int decimals = precision != null && precision == 1 ? 10 : 6;
        for (DemandProductRatingResult row : rows) {
            String what = "product " + row.getId();
            addsUp(what, row.getOfficialWebsiteAmount(), row.getAmount(), row.getDiscountAmount(), row.getMeasureId());
            for (BigDecimal amount
                    : List.of(row.getOfficialWebsiteAmount(), row.getAmount(), row.getDiscountAmount())) {
                assertTrue(Wire.places(amount) <= decimals,
                        () -> what + ": more than " + decimals + " decimals in " + amount);
            }
            assertFalse(row.getProductId().isEmpty(), what + ": no product_id");
        }
        addsUp("the total", answer.getOfficialWebsiteAmount(), answer.getAmount(), answer.getDiscountAmount(),
                answer.getMeasureId());
        same(sum(rows, DemandProductRatingResult::getOfficialWebsiteAmount), answer.getOfficialWebsiteAmount(),
                "the products' sum");
        same(sum(rows, DemandProductRatingResult::getAmount), answer.getAmount(), "the products' sum");
        return answer;
    }

    /** Asks for prices by period and checks what must hold for every answer. */
    private static ListRateOnPeriodDetailResponse byPeriod(PeriodProductInfo... products) {
        ListRateOnPeriodDetailResponse answer = Wire.exact(send(List.of(products)));
        List<String> ids = Stream.of(products).map(PeriodProductInfo::getId).toList();
        OfficialWebsiteRatingResult official = answer.getOfficialWebsiteRatingResult();
        BigDecimal whole = official.getOfficialWebsiteAmount();
        assertEquals(ids, official.getProductRatingResults().stream()
                .map(PeriodProductOfficialRatingResult::getId).toList());
        same(sum(official.getProductRatingResults(), PeriodProductOfficialRatingResult::getOfficialWebsiteAmount),
                whole, "the products' sum");
        assertEquals(1, official.getMeasureId());
        for (OptionalDiscountRatingResult offer : answer.getOptionalDiscountRatingResults()) {
            String what = "offer " + offer.getDiscountId();
            assertTrue(DISCOUNT_TYPES.contains(offer.getDiscountType()), what + ": " + offer.getDiscountType());
            assertFalse(offer.getDiscountName().isEmpty(), what + ": no discount_name");
            same(whole, offer.getOfficialWebsiteAmount(), what);
            addsUp(what, whole, offer.getAmount(), offer.getDiscountAmount(), offer.getMeasureId());
            List<PeriodProductRatingResult> rows = offer.getProductRatingResults();
            assertEquals(ids, rows.stream().map(PeriodProductRatingResult::getId).toList());
            rows.forEach(row -> addsUp(what + ", product " + row.getId(), row.getOfficialWebsiteAmount(),
                    row.getAmount(), row.getDiscountAmount(), row.getMeasureId()));
            same(sum(rows, PeriodProductRatingResult::getAmount), offer.getAmount(), what + ": the products' sum");
        }
        return answer;
    }

    // On demand

    @ParameterizedTest
    @EnumSource(Product.class)
    void onDemandInBothPrecisions(Product product) {
        BigDecimal exact = onDemand(1, product.used("1")).getOfficialWebsiteAmount();
        assertTrue(exact.signum() > 0);
        BigDecimal cut = exact.setScale(6, RoundingMode.DOWN);
        same(cut, onDemand(0, product.used("1")).getOfficialWebsiteAmount(), "precision 0 cuts at 6 decimals");
        same(cut, onDemand(null, product.used("1")).getOfficialWebsiteAmount(), "precision 0 is the default");
    }

    @Test
    void onDemandDiscountIsExplained() {
        DemandProductRatingResult row = onDemand(null, Product.VM.used("1").withUsageValue(BigDecimal.valueOf(100)))
                .getProductRatingResults().get(0);
        assertTrue(row.getDiscountAmount().signum() > 0, "customers[0] has a commercial discount");
        for (DemandDiscountRatingResult result : row.getDiscountRatingResults()) {
            assertTrue(DISCOUNT_TYPES.contains(result.getDiscountType()));
            assertEquals(1, result.getMeasureId());
            assertFalse(result.getDiscountId().isEmpty() || result.getDiscountName().isEmpty());
        }
        assertTrue(row.getDiscountRatingResults().stream()
                .anyMatch(result -> result.getAmount().compareTo(row.getDiscountAmount()) == 0),
                () -> "no discount listed is the " + row.getDiscountAmount() + " taken off");
    }

    @ParameterizedTest
    @CsvSource({"4, 1", "5, 60", "6, 3600"})
    void onDemandConvertsUnits(int unit, int number) {
        BigDecimal hour = onDemand(1, Product.VM.used("1")).getOfficialWebsiteAmount();
        same(hour, onDemand(1, Product.VM.used("1").withUsageMeasureId(unit).withUsageValue(BigDecimal.valueOf(number)))
                .getOfficialWebsiteAmount(), number + " of unit " + unit + " is an hour");
    }

    @Test
    void onDemandGrows() {
        BigDecimal one = onDemand(1, Product.VM.used("1")).getOfficialWebsiteAmount();
        BigDecimal three = BigDecimal.valueOf(3);
        same(one.multiply(three), onDemand(1, Product.VM.used("1").withSubscriptionNum(3)).getOfficialWebsiteAmount(),
                "three of them");
        same(one.multiply(three), onDemand(1, Product.VM.used("1").withUsageValue(three)).getOfficialWebsiteAmount(),
                "three hours");
        same(onDemand(1, Product.VOLUME.used("1")).getOfficialWebsiteAmount()
                        .multiply(BigDecimal.valueOf(2)),
                onDemand(1, Product.VOLUME.used("1").withResourceSize(80)).getOfficialWebsiteAmount(),
                "80 GB cost twice 40 GB");
    }

    @Test
    void onDemandHundredProducts() {
        onDemand(null, IntStream.range(0, 100).mapToObj(i -> Product.values()[i % 3].used("id" + i))
                .toArray(DemandProductInfo[]::new));
    }

    // By period

    @ParameterizedTest
    @CsvSource({"VM, 2", "VM, 3", "VOLUME, 2", "VOLUME, 3", "BANDWIDTH, 2", "BANDWIDTH, 3"})
    void byPeriodMarksOneBestOffer(Product product, int period) {
        ListRateOnPeriodDetailResponse answer = byPeriod(product.ordered("1").withPeriodType(period));
        assertTrue(answer.getOfficialWebsiteRatingResult().getOfficialWebsiteAmount().signum() > 0);
        List<OptionalDiscountRatingResult> offers = answer.getOptionalDiscountRatingResults();
        List<OptionalDiscountRatingResult> best = offers.stream().filter(offer -> offer.getBestOffer() == 1).toList();
        assertEquals(1, best.size(), "best offers among " + offers.size());
        offers.forEach(offer -> assertTrue(
                offer.getDiscountAmount().compareTo(best.get(0).getDiscountAmount()) <= 0,
                "a larger discount than the best offer's"));
    }

    @Test
    void byPeriodGrows() {
        BigDecimal one = byPeriod(Product.VM.ordered("1")).getOfficialWebsiteRatingResult().getOfficialWebsiteAmount();
        same(one.multiply(BigDecimal.valueOf(3)), byPeriod(Product.VM.ordered("1").withSubscriptionNum(3))
                .getOfficialWebsiteRatingResult().getOfficialWebsiteAmount(), "three of them");
        assertTrue(byPeriod(Product.VM.ordered("1").withPeriodType(YEAR)).getOfficialWebsiteRatingResult()
                .getOfficialWebsiteAmount().compareTo(one.multiply(BigDecimal.valueOf(12))) <= 0,
                "a year costs more than twelve months");
    }

    @Test
    void byPeriodHundredProducts() {
        byPeriod(IntStream.range(0, 100).mapToObj(i -> Product.values()[i % 3].ordered("id" + i))
                .toArray(PeriodProductInfo[]::new));
    }

    // What is refused

    static Stream<Arguments> onDemandFaults() {
        return Stream.of(
                fault("unknown spec", "CBC.99006006", "", p -> p.withResourceSpec("s3.nonsense.linux")),
                fault("unknown region", "CBC.99006006", "", p -> p.withRegion("nowhere-1")),
                fault("unit of another kind", "CBC.99006050", "", p -> p.withUsageMeasureId(10)),
                fault("unknown usage factor", "CBC.99006074", "nonsense", p -> p.withUsageFactor("nonsense")),
                fault("no id", "CBC.0100", "id", p -> p.withId(null)),
                fault("no region", "CBC.0100", "region", p -> p.withRegion(null)),
                fault("no usage_value", "CBC.0100", "usage_value", p -> p.withUsageValue(null)),
                fault("no usage_measure_id", "CBC.0100", "usage_measure_id", p -> p.withUsageMeasureId(null)));
    }

    private static Arguments fault(String name, String code, String word, Consumer<DemandProductInfo> change) {
        return Arguments.of(name, code, word, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("onDemandFaults")
    void onDemandRefuses(String name, String code, String word, Consumer<DemandProductInfo> change) {
        DemandProductInfo product = Product.VM.used("1");
        change.accept(product);
        var error = Demo.refused(400, code, () -> send(null, List.of(product)));
        assertTrue(error.getErrorMsg().contains(word),
                () -> "the message must hold " + word + ": " + error.getErrorMsg());
    }

    @Test
    void periodRefuses() {
        Demo.refused(400, "CBC.99006006", () -> send(List.of(Product.VM.ordered("1").withResourceSpec("nonsense"))));
        Demo.refused(400, "CBC.0100", () -> send(List.of(Product.VM.ordered("1").withPeriodType(9))));
        Demo.refused(400, "CBC.0100", () -> send(List.of(Product.VM.ordered("1").withPeriodNum(null))));
    }

    @Test
    void equalIdsAreRefused() {
        Demo.refused(400, "CBC.0100", () -> send(null, List.of(Product.VM.used("same"), Product.VM.used("same"))));
        Demo.refused(400, "CBC.0100", () -> send(List.of(Product.VM.ordered("same"), Product.VM.ordered("same"))));
    }

    @Test
    void missingPartsAreNamed() {
        var project = Demo.refused(400, "CBC.0100", () -> BSS.listOnDemandResourceRatings(
                new ListOnDemandResourceRatingsRequest().withBody(
                        new RateOnDemandReq().withProductInfos(List.of(Product.VM.used("1"))))));
        assertTrue(project.getErrorMsg().contains("project_id"), project.getErrorMsg());
        var products = Demo.refused(400, "CBC.0100", () -> BSS.listRateOnPeriodDetail(
                new ListRateOnPeriodDetailRequest().withBody(
                        new RateOnPeriodReq().withProjectId(CUSTOMER.projectId()))));
        assertTrue(products.getErrorMsg().contains("product_infos"), products.getErrorMsg());
    }
}
