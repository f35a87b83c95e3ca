package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static purser.conformance.Demo.BSS;

import com.huaweicloud.sdk.bssintl.v2.model.BillSumRecordInfoV2;
import com.huaweicloud.sdk.bssintl.v2.model.ListCustomerselfResourceRecordDetailsRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ListCustomerselfResourceRecordDetailsResponse;
import com.huaweicloud.sdk.bssintl.v2.model.ListCustomerselfResourceRecordsRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ListCustomerselfResourceRecordsResponse;
import com.huaweicloud.sdk.bssintl.v2.model.MonthlyBillRes;
import com.huaweicloud.sdk.bssintl.v2.model.QueryResRecordsDetailReq;
import com.huaweicloud.sdk.bssintl.v2.model.ResFeeRecordV2;
import com.huaweicloud.sdk.bssintl.v2.model.ShowCustomerMonthlySumRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ShowCustomerMonthlySumResponse;
import java.math.BigDecimal;
import java.time.YearMonth;
import java.time.ZoneId;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The three bill queries of the first demo customer say the same; the decoder is strict about types. */
class BillsTest {
    private static final YearMonth RUNNING = YearMonth.now(ZoneId.of("Asia/Shanghai"));
    private static final int MOST = 1000;

    private static BigDecimal sum(Stream<BigDecimal> list) {
        return list.reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    private static ListCustomerselfResourceRecordsRequest fees(String month, int offset) {
        return new ListCustomerselfResourceRecordsRequest().withCycle(month).withOffset(offset).withLimit(MOST).withXLanguage("en_US");
    }

    private static ListCustomerselfResourceRecordDetailsRequest resources(String month, int kind, int offset) {
        return new ListCustomerselfResourceRecordDetailsRequest().withBody(
                new QueryResRecordsDetailReq().withCycle(month).withStatisticType(kind).withOffset(offset).withLimit(MOST));
    }

    private static BigDecimal allFees(String month) {
        BigDecimal all = BigDecimal.ZERO;
        for (int offset = 0, total = 1; offset < total; offset += MOST) {
            ListCustomerselfResourceRecordsResponse page = Wire.exact(BSS.listCustomerselfResourceRecords(fees(month, offset)));
            total = page.getTotalCount();
            for (ResFeeRecordV2 r : page.getFeeRecords()) {
                BigDecimal parts = sum(Stream.of(r.getCashAmount(), r.getCreditAmount(), r.getCouponAmount(), r.getFlexipurchaseCouponAmount(),
                        r.getStoredCardAmount(), r.getBonusAmount(), r.getDebtAmount(), r.getAdjustmentAmount()));
                assertEquals(0, parts.compareTo(r.getAmount()));
                assertTrue(List.of("1", "3").contains(r.getChargeMode()));
                all = all.add(r.getAmount());
            }
        }
        return all;
    }

    private static BigDecimal allResources(String month, int kind) {
        BigDecimal all = BigDecimal.ZERO;
        for (int offset = 0, total = 1; offset < total; offset += MOST) {
            ListCustomerselfResourceRecordDetailsResponse page = Wire.exact(BSS.listCustomerselfResourceRecordDetails(resources(month, kind, offset)));
            total = page.getTotalCount();
            for (MonthlyBillRes r : page.getMonthlyRecords()) {
                assertEquals(month, r.getCycle());
                assertTrue(r.getResourceTypeCode().startsWith("hws.resource.type."));
                all = all.add(r.getConsumeAmount());
            }
        }
        return all;
    }

    @Test
    void allSayTheSame() {
        for (YearMonth of : List.of(RUNNING.minusMonths(1), RUNNING)) {
            String month = of.toString();
            ShowCustomerMonthlySumResponse summary =
                    Wire.exact(BSS.showCustomerMonthlySum(new ShowCustomerMonthlySumRequest().withBillCycle(month).withLimit(MOST)));
            assertEquals(summary.getTotalCount(), summary.getBillSums().size());
            BigDecimal consumed = sum(summary.getBillSums().stream().map(BillSumRecordInfoV2::getConsumeAmount));
            BigDecimal cut = sum(summary.getBillSums().stream().map(BillSumRecordInfoV2::getTruncatedAmount));
            assertEquals(0, consumed.compareTo(summary.getConsumeAmount()));
            BigDecimal fees = allFees(month);
            assertEquals(0, fees.subtract(cut).compareTo(consumed));
            for (int kind = 1; kind <= 3; kind++) {
                assertEquals(0, allResources(month, kind).compareTo(fees));
            }
        }
    }

    @Test
    void refusals() {
        String month = RUNNING.toString();
        Demo.refused(400, "CBC.0100", () -> BSS.showCustomerMonthlySum(new ShowCustomerMonthlySumRequest().withBillCycle("2026-13")));
        Demo.refused(400, "CBC.0100", () -> BSS.showCustomerMonthlySum(new ShowCustomerMonthlySumRequest().withBillCycle(month).withMethod("sub_customer")));
        Demo.refused(400, "CBC.0100", () -> BSS.listCustomerselfResourceRecords(fees(month, 0).withLimit(MOST + 1)));
        Demo.refused(400, "CBC.0100", () -> BSS.listCustomerselfResourceRecords(fees(month, 0).withChargeMode("2")));
        Demo.refused(400, "CBC.0100", () -> BSS.listCustomerselfResourceRecordDetails(resources(month, 4, 0)));
    }
}
