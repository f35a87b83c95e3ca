package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static purser.conformance.Demo.BSS;

import com.huaweicloud.sdk.bssintl.v2.model.*;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is sold: the lists, in both languages. (This SDK release has neither resource specs nor a search by name.) */
class ProductsTest {
    private static final String ECS = "hws.service.type.ec2";
    private static final String VM = "hws.resource.type.vm";

    /** A row of a list: what makes it itself, and its translated name. */
    record Row(String key, String name) {}

    record Page(int total, List<Row> rows) {}

    interface Reader {
        Page read(String language, Integer offset, Integer limit);
    }

    /** One paged list. */
    record Listing(String operation, Reader reader) {
        Page page(Integer offset, Integer limit) {
            return reader.read(null, offset, limit);
        }

        @Override
        public String toString() {
            return operation;
        }
    }

    static Stream<Listing> listings() {
        return Stream.of(
                new Listing("ListServiceTypes", (language, offset, limit) -> {
                    ListServiceTypesResponse answer = Wire.exact(BSS.listServiceTypes(new ListServiceTypesRequest()
                            .withXLanguage(language).withOffset(offset).withLimit(limit)));
                    return new Page(answer.getTotalCount(), answer.getServiceTypes().stream()
                            .map(row -> new Row(row.getServiceTypeCode(), row.getServiceTypeName())).toList());
                }),
                new Listing("ListResourceTypes", (language, offset, limit) -> {
                    ListResourceTypesResponse answer = Wire.exact(BSS.listResourceTypes(new ListResourceTypesRequest()
                            .withXLanguage(language).withOffset(offset).withLimit(limit)));
                    return new Page(answer.getTotalCount(), answer.getResourceTypes().stream()
                            .map(row -> new Row(row.getServiceTypeCode() + " " + row.getResourceTypeCode(),
                                    row.getResourceTypeName())).toList());
                }),
                new Listing("ListServiceResources", (language, offset, limit) -> {
                    ListServiceResourcesResponse answer = Wire.exact(BSS.listServiceResources(
                            new ListServiceResourcesRequest().withServiceTypeCode(ECS)
                                    .withXLanguage(language).withOffset(offset).withLimit(limit)));
                    answer.getInfos().forEach(row -> assertEquals(ECS, row.getBasicInfo().getProductOwnerService()));
                    return new Page(answer.getTotalCount(), answer.getInfos().stream()
                            .map(row -> new Row(row.getBasicInfo().getResourceTypeCode(),
                                    row.getBasicInfo().getName())).toList());
                }),
                new Listing("ListUsageTypes", (language, offset, limit) -> {
                    ListUsageTypesResponse answer = Wire.exact(BSS.listUsageTypes(new ListUsageTypesRequest()
                            .withXLanguage(language).withOffset(offset).withLimit(limit)));
                    return new Page(answer.getTotalCount(), answer.getUsageTypes().stream()
                            .map(row -> new Row(String.join(" ", row.getServiceTypeCode(), row.getResourceTypeCode(),
                                    row.getCode()), row.getName())).toList());
                }));
    }

    private static boolean chinese(Row row) {
        return row.name().codePoints().anyMatch(c -> Character.UnicodeScript.of(c) == Character.UnicodeScript.HAN);
    }

    private static List<String> keys(List<Row> rows) {
        return rows.stream().map(Row::key).toList();
    }

    @ParameterizedTest
    @MethodSource("listings")
    void pagesDifferAndCoverAllOnce(Listing listing) {
        Page first = listing.page(null, null);
        assertTrue(first.total() > 0, "the demo cloud must have rows");
        assertEquals(Math.min(first.total(), 10), first.rows().size(), "the default limit is 10");
        int size = Math.min(100, Math.max(1, (first.total() + 2) / 3));
        List<String> all = new ArrayList<>();
        for (int offset = 0; offset < first.total(); offset += size) {
            Page page = listing.page(offset, size);
            assertEquals(first.total(), page.total(), "total_count changed at offset " + offset);
            all.addAll(keys(page.rows()));
        }
        assertEquals(first.total(), all.size(), "the pages together hold total_count rows");
        assertEquals(all.size(), new HashSet<>(all).size(), "the pages overlap");
    }

    @ParameterizedTest
    @MethodSource("listings")
    void offsetCountsRecords(Listing listing) {
        List<Row> rows = listing.page(0, 3).rows();
        assertEquals(keys(rows.subList(1, rows.size())), keys(listing.page(1, 2).rows()),
                "offset=1 must begin at the second row");
        Page beyond = listing.page(1_000_000, 10);
        assertTrue(beyond.rows().isEmpty(), "rows beyond the end");
        assertTrue(beyond.total() > 0, "total_count must not depend on the page");
    }

    @ParameterizedTest
    @MethodSource("listings")
    void namesFollowTheLanguage(Listing listing) {
        List<Row> english = listing.reader().read("en_US", 0, 50).rows();
        List<Row> other = listing.reader().read("zh_CN", 0, 50).rows();
        assertEquals(keys(english), keys(other), "the language must not change the rows or their order");
        assertTrue(english.stream().noneMatch(ProductsTest::chinese), "a Chinese name in the English answer");
        assertTrue(other.stream().anyMatch(ProductsTest::chinese), "no Chinese name in the Chinese answer");
        assertEquals(other, listing.page(0, 50).rows(), "without X-Language the names are Chinese");
    }

    @Test
    void limitsAreHeld() {
        for (int limit : new int[] {0, -1, 1_000_000}) {
            var error = Demo.refused(400, "CBC.0100",
                    () -> BSS.listServiceTypes(new ListServiceTypesRequest().withLimit(limit)));
            assertTrue(error.getErrorMsg().contains("limit"), error.getErrorMsg());
        }
    }

    @Test
    void serviceResourcesNeedTheService() {
        var error = Demo.refused(400, "CBC.0100", () -> BSS.listServiceResources(new ListServiceResourcesRequest()));
        assertTrue(error.getErrorMsg().contains("service_type_code"), error.getErrorMsg());
    }

    @Test
    void usageTypesByResource() {
        ListUsageTypesResponse answer = Wire.exact(BSS.listUsageTypes(
                new ListUsageTypesRequest().withResourceTypeCode(VM).withLimit(100)));
        assertFalse(answer.getUsageTypes().isEmpty());
        answer.getUsageTypes().forEach(row -> assertEquals(VM, row.getResourceTypeCode()));
    }

    @Test
    void units() {
        List<MeasureUnitRest> english = Wire.exact(
                BSS.listMeasureUnits(new ListMeasureUnitsRequest().withXLanguage("en_US"))).getMeasureUnits();
        Map<Integer, Integer> types = english.stream()
                .collect(Collectors.toMap(MeasureUnitRest::getMeasureId, MeasureUnitRest::getMeasureType));
        Map.of(1, 1, 4, 2, 10, 3, 14, 12, 15, 16, 17, 7)
                .forEach((unit, type) -> assertEquals(type, types.get(unit), "the measure_type of unit " + unit));
        List<MeasureUnitRest> other = Wire.exact(
                BSS.listMeasureUnits(new ListMeasureUnitsRequest())).getMeasureUnits();
        assertEquals(english.size(), other.size());
        assertTrue(other.stream().anyMatch(unit -> chinese(new Row("", unit.getMeasureName()))));
    }

    @Test
    void conversions() {
        List<Conversion> every = Wire.exact(BSS.listConversions(new ListConversionsRequest())).getConversions();
        List<Conversion> traffic = Wire.exact(
                BSS.listConversions(new ListConversionsRequest().withMeasureType(3))).getConversions();
        assertEquals(every.stream().filter(row -> row.getMeasureType() == 3).toList(), traffic);
        Set<Long> ratios = traffic.stream()
                .filter(row -> row.getMeasureId() == 10 && row.getRefMeasureId() == 11)
                .map(Conversion::getConversionRatio).collect(Collectors.toSet());
        assertEquals(Set.of(1024L), ratios, "1 GB is 1024 MB");
    }
}
