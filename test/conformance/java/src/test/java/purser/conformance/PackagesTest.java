package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static purser.conformance.Demo.BSS;

import com.huaweicloud.sdk.bssintl.v2.model.FreeResourceDetail;
import com.huaweicloud.sdk.bssintl.v2.model.FreeResourcePackageV3;
import com.huaweicloud.sdk.bssintl.v2.model.FreeResourceRecord;
import com.huaweicloud.sdk.bssintl.v2.model.FreeResourceV3;
import com.huaweicloud.sdk.bssintl.v2.model.ListFreeResourceInfosReq;
import com.huaweicloud.sdk.bssintl.v2.model.ListFreeResourceInfosRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ListFreeResourceUsagesReq;
import com.huaweicloud.sdk.bssintl.v2.model.ListFreeResourceUsagesRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ListFreeResourcesUsageRecordsRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ListFreeResourcesUsageRecordsResponse;
import com.huaweicloud.sdk.core.exception.ClientRequestException;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is left of the first demo customer's packages, and each use of them. */
class PackagesTest {
    private static final LocalDate TODAY = LocalDate.now(ZoneId.of("Asia/Shanghai"));

    private static FreeResourcePackageV3 storage() {
        return BSS.listFreeResourceInfos(new ListFreeResourceInfosRequest().withBody(
                        new ListFreeResourceInfosReq().withServiceTypeCodeList(List.of("hws.service.type.obs"))))
                .getFreeResourcePackages().stream()
                .filter(p -> p.getSourceType() == 0 && p.getBundleType().equals("ATOMIC_PKG")).findFirst().orElseThrow();
    }

    private static ListFreeResourcesUsageRecordsRequest lastDays(int back) {
        return new ListFreeResourcesUsageRecordsRequest().withDeductTimeBegin(TODAY.minusDays(back).toString())
                .withDeductTimeEnd(TODAY.toString()).withLimit(100);
    }

    @Test
    void leftIsWhatWasNotUsed() {
        FreeResourceV3 item = storage().getFreeResources().get(0);
        ListFreeResourcesUsageRecordsResponse records =
                BSS.listFreeResourcesUsageRecords(lastDays(10).withFreeResourceId(item.getFreeResourceId()));
        assertEquals(24, records.getTotalCount());
        BigDecimal used = records.getFreeResourceRecords().stream().map(FreeResourceRecord::getUsedAmount)
                .map(BigDecimal::new).reduce(BigDecimal.ZERO, BigDecimal::add);
        assertEquals(0, used.compareTo(new BigDecimal("72")));
        assertEquals(0, new BigDecimal(item.getOriginalAmount()).subtract(used).compareTo(new BigDecimal(item.getAmount())));
        for (FreeResourceRecord row : records.getFreeResourceRecords()) {
            assertEquals("archive", row.getResourceId());
            assertEquals(0, new BigDecimal(row.getAvailableAmount()).subtract(new BigDecimal(row.getUsedAmount()))
                    .compareTo(new BigDecimal(row.getRemainingAmount())));
        }
    }

    @Test
    void usagesAreNumbers() {
        FreeResourceV3 item = storage().getFreeResources().get(0);
        List<FreeResourceDetail> rows = Wire.exact(BSS.listFreeResourceUsages(new ListFreeResourceUsagesRequest().withXLanguage("en_US").withBody(
                new ListFreeResourceUsagesReq().withFreeResourceIds(List.of(item.getFreeResourceId(), "no-such-item"))))).getFreeResources();
        assertEquals(1, rows.size());
        assertEquals(0, rows.get(0).getAmount().compareTo(new BigDecimal(item.getAmount())));
        assertEquals(0, rows.get(0).getOriginalAmount().compareTo(new BigDecimal("100")));
        assertEquals(4, rows.get(0).getQuotaReuseCycle());
        assertEquals(2, rows.get(0).getQuotaReuseCycleType());
        assertTrue(rows.get(0).getEndTime().endsWith("T15:59:59Z"));
    }

    @Test
    void badQueries() {
        for (ListFreeResourcesUsageRecordsRequest wrong : List.of(lastDays(91), lastDays(10).withDeductTimeEnd("2020-01-01"),
                lastDays(10).withDeductTimeBegin("2026-13-01"), lastDays(10).withLimit(0))) {
            ClientRequestException refusal = assertThrows(ClientRequestException.class, () -> BSS.listFreeResourcesUsageRecords(wrong));
            assertEquals(400, refusal.getHttpStatusCode());
            assertEquals("CBC.0100", refusal.getErrorCode());
        }
    }
}
