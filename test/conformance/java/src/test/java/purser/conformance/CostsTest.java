package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static purser.conformance.Demo.BSS;

import com.huaweicloud.sdk.bssintl.v2.model.Cost;
import com.huaweicloud.sdk.bssintl.v2.model.CostDataByDimension;
import com.huaweicloud.sdk.bssintl.v2.model.FilterFactor;
import com.huaweicloud.sdk.bssintl.v2.model.FilterV2;
import com.huaweicloud.sdk.bssintl.v2.model.GroupBy;
import com.huaweicloud.sdk.bssintl.v2.model.ListCostsReq;
import com.huaweicloud.sdk.bssintl.v2.model.ListCostsRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ListCostsResponse;
import com.huaweicloud.sdk.bssintl.v2.model.TimeCondition;
import java.math.BigDecimal;
import java.time.YearMonth;
import java.time.ZoneId;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Costs of the first demo customer: groups come to the whole, months to their row; the decoder is strict about types. */
class CostsTest {
    private static final YearMonth RUNNING = YearMonth.now(ZoneId.of("Asia/Shanghai"));

    private static ListCostsReq query(String kind, String... groups) {
        return new ListCostsReq()
                .withTimeCondition(new TimeCondition().withTimeMeasureId(2).withBeginTime(RUNNING.minusMonths(1).toString()).withEndTime(RUNNING.toString()))
                .withGroupby(Stream.of(groups).map(key -> new GroupBy().withType("dimension").withKey(key)).toList())
                .withCostType(kind).withAmountType("PAYMENT_AMOUNT").withLimit(1000);
    }

    private static BigDecimal total(ListCostsReq query) {
        ListCostsResponse answer = Wire.exact(BSS.listCosts(new ListCostsRequest().withBody(query)));
        assertEquals("USD", answer.getCurrency());
        assertEquals(answer.getTotalCount(), answer.getCostData().size());
        BigDecimal all = BigDecimal.ZERO;
        for (CostDataByDimension row : answer.getCostData()) {
            BigDecimal months = BigDecimal.ZERO;
            for (Cost cost : row.getCosts()) {
                assertEquals(2, cost.getTimeMeasureId());
                months = months.add(new BigDecimal(cost.getAmount()));
            }
            assertEquals(0, months.compareTo(new BigDecimal(row.getAmountByCosts())));
            assertEquals(query.getGroupby().size(), row.getDimensions().size());
            all = all.add(months);
        }
        return all;
    }

    @Test
    void groupsComeToTheWhole() {
        BigDecimal whole = total(query("ORIGINAL_COST", "CLOUD_SERVICE_TYPE"));
        assertTrue(whole.signum() > 0);
        assertEquals(0, whole.compareTo(total(query("ORIGINAL_COST", "REGION_CODE", "CHARGING_MODE"))));
        assertEquals(0, whole.compareTo(total(query("ORIGINAL_COST", "AZ_CODE"))));
        BigDecimal amortised = total(query("AMORTIZED_COST", "CLOUD_SERVICE_TYPE"));
        assertTrue(amortised.signum() > 0 && amortised.compareTo(whole) < 0);
    }

    @Test
    void aFilterAndItsOpposite() {
        BigDecimal both = BigDecimal.ZERO;
        for (int operator = 0; operator <= 1; operator++) {
            FilterV2 filter = new FilterV2().withOperator(operator).withFilterFactor(new FilterFactor().withKey("CHARGING_MODE").withValue(List.of("1")));
            both = both.add(total(query("ORIGINAL_COST", "CLOUD_SERVICE_TYPE").withFilters(List.of(filter))));
        }
        assertEquals(0, both.compareTo(total(query("ORIGINAL_COST", "CLOUD_SERVICE_TYPE"))));
    }

    @Test
    void refusals() {
        for (ListCostsReq wrong : List.of(query("COST", "CLOUD_SERVICE_TYPE"), query("ORIGINAL_COST", "COLOUR"), query("ORIGINAL_COST", "BE_ID").withLimit(1001))) {
            Demo.refused(400, "CBC.0100", () -> BSS.listCosts(new ListCostsRequest().withBody(wrong)));
        }
    }
}
