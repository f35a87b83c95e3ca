package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static purser.conformance.Demo.BSS;

import com.huaweicloud.sdk.bssintl.v2.BssintlClient;
import com.huaweicloud.sdk.bssintl.v2.model.AccountBalanceV3;
import com.huaweicloud.sdk.bssintl.v2.model.IQueryUserCouponsResultV2;
import com.huaweicloud.sdk.bssintl.v2.model.ListSubCustomerCouponsRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ListSubCustomerCouponsResponse;
import com.huaweicloud.sdk.bssintl.v2.model.ShowCustomerAccountBalancesRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ShowCustomerAccountBalancesResponse;
import com.huaweicloud.sdk.bssintl.v2.model.ShowCustomerExpenditureQuotaRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ShowCustomerExpenditureQuotaResponse;
import java.math.BigDecimal;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Balances and quota of the first demo customer. */
class AccountTest {
    @Test
    void balances() {
        BssintlClient quiet = Demo.build(BssintlClient.newBuilder(), Demo.CLOUD.customers.get(2).global()); // has bought nothing
        ShowCustomerAccountBalancesResponse answer =
                Wire.exact(quiet.showCustomerAccountBalances(new ShowCustomerAccountBalancesRequest()));
        Map<Integer, AccountBalanceV3> rows = answer.getAccountBalances().stream()
                .collect(Collectors.toMap(AccountBalanceV3::getAccountType, row -> row));
        assertEquals(java.util.Set.of(1, 2, 5, 7), rows.keySet());
        assertEquals(0, rows.get(1).getAmount().compareTo(new BigDecimal("10000")));
        assertEquals(0, rows.get(5).getAmount().compareTo(new BigDecimal("50")));
        assertEquals(0, answer.getDebtAmount().compareTo(BigDecimal.ZERO));
        assertEquals("USD", answer.getCurrency());
        assertEquals(1, answer.getMeasureId());
    }

    @Test
    void coupons() {
        ListSubCustomerCouponsResponse answer =
                Wire.exact(BSS.listSubCustomerCoupons(new ListSubCustomerCouponsRequest().withStatus(2)));
        assertEquals(2, answer.getCount());
        for (IQueryUserCouponsResultV2 row : answer.getUserCoupons()) {
            assertEquals("0", row.getIsFrozen());
            assertEquals(row.getCouponVersion() == 2, row.getBalance() != null);
        }
    }

    @Test
    void prepaidCustomersHaveNoQuota() {
        ShowCustomerExpenditureQuotaResponse answer =
                Wire.exact(BSS.showCustomerExpenditureQuota(new ShowCustomerExpenditureQuotaRequest()));
        assertEquals(0, answer.getGrantingAmount().compareTo(BigDecimal.ZERO));
        assertEquals(0, answer.getPercentageGrantingAmountUsed().compareTo(BigDecimal.ZERO));
    }
}
