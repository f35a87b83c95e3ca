package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static purser.conformance.Demo.BSS;
import static purser.conformance.Demo.refused;

import com.huaweicloud.sdk.bssintl.v2.model.*;
import java.math.BigDecimal;
import java.util.List;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Orders, refunds and resources of the first demo customer; every sum agrees to the last digit. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OrdersTest {
    private static BigDecimal cash() {
        return BSS.showCustomerAccountBalances(new ShowCustomerAccountBalancesRequest()).getAccountBalances().stream()
                .filter(row -> row.getAccountType() == 1).findFirst().orElseThrow().getAmount();
    }

    private static List<CustomerOrderV2> unpaid() {
        ListCustomerOrdersResponse answer = Wire.exact(BSS.listCustomerOrders(
                new ListCustomerOrdersRequest().withStatus(6).withOrderBy("createTime")));
        assertEquals(answer.getTotalCount(), answer.getOrderInfos().size());
        return answer.getOrderInfos();
    }

    private static CustomerOrderV3 details(String id) {
        return Wire.exact(BSS.showCustomerOrderDetails(
                new ShowCustomerOrderDetailsRequest().withOrderId(id).withXLanguage("en_US"))).getOrderInfo();
    }

    private static PayOrdersRequest pay(String id, String coupon, String discount) {
        PayCustomerOrderV3Req body = new PayCustomerOrderV3Req().withOrderId(id)
                .withUseCoupon(coupon == null ? "NO" : "YES").withUseDiscount(discount == null ? "NO" : "YES");
        if (coupon != null) {
            body.withCouponInfos(List.of(new CouponSimpleInfoOrderPayV3().withId(coupon).withType(301)));
        }
        if (discount != null) {
            body.withDiscountInfos(List.of(new DiscountSimpleInfoV3().withId(discount).withType(2)));
        }
        return new PayOrdersRequest().withBody(body);
    }

    private static BigDecimal dec(Object value) {
        return new BigDecimal(String.valueOf(value));
    }

    private static void same(BigDecimal a, BigDecimal b) {
        assertEquals(0, a.compareTo(b), () -> a + " and " + b);
    }

    @Test
    @Order(1)
    void walk() {
        BigDecimal before = cash();
        IQueryUserCouponsResultV2 coupon = BSS.listSubCustomerCoupons(new ListSubCustomerCouponsRequest().withStatus(2))
                .getUserCoupons().stream().filter(row -> row.getCouponVersion() == 2).findFirst().orElseThrow();
        CustomerOrderV2 order = unpaid().get(0);
        String id = order.getOrderId();
        List<DiscountInfoV3> offers =
                Wire.exact(BSS.listOrderDiscounts(new ListOrderDiscountsRequest().withOrderId(id))).getDiscounts();
        DiscountInfoV3 contract = offers.stream().filter(row -> row.getDiscountType() == 2).findFirst().orElseThrow();
        BigDecimal off = contract.getOrders().get(0).getOrderLineItems().stream()
                .map(OrderLineItemV3::getDiscountAmount).reduce(BigDecimal.ZERO, BigDecimal::add);
        refused(400, "CBC.99003108", () -> BSS.payOrders(pay(id, null, "DI-NONE")));
        refused(400, "CBC.99003112", () -> BSS.payOrders(pay(id, "CP-NONE", null)));
        BSS.payOrders(pay(id, coupon.getCouponId(), contract.getDiscountId()));
        refused(400, "CBC.99003106", () -> BSS.payOrders(pay(id, null, null)));
        CustomerOrderV3 paid = details(id);
        assertEquals(5, paid.getStatus());
        same(dec(paid.getAmountAfterDiscount()), dec(paid.getOfficialAmount()).subtract(off));
        BigDecimal used = dec(paid.getAmountInfo().getCouponAmount());
        same(before.subtract(cash()), dec(paid.getAmountAfterDiscount()).subtract(used));
        IQueryUserCouponsResultV2 after = BSS.listSubCustomerCoupons(
                new ListSubCustomerCouponsRequest().withCouponId(coupon.getCouponId())).getUserCoupons().get(0);
        same(dec(coupon.getBalance()).subtract(dec(after.getBalance())), used);
    }

    @Test
    @Order(2)
    void refund() {
        BigDecimal before = cash();
        String id = unpaid().get(0).getOrderId();
        BSS.payOrders(pay(id, null, null));
        ListPayPerUseCustomerResourcesResponse resources = Wire.exact(BSS.listPayPerUseCustomerResources(
                new ListPayPerUseCustomerResourcesRequest().withBody(new QueryResourcesReq().withOrderId(id).withOnlyMainResource(1))));
        BigDecimal back = BigDecimal.ZERO;
        for (OrderInstanceV2 resource : resources.getData()) {
            assertEquals(2, resource.getStatus());
            UnsubscribeResourcesReq body = new UnsubscribeResourcesReq()
                    .withResourceIds(List.of(resource.getResourceId())).withUnsubscribeType(1);
            CancelResourcesSubscriptionRequest request = new CancelResourcesSubscriptionRequest().withBody(body);
            String ended = Wire.exact(BSS.cancelResourcesSubscription(request)).getOrderIds().get(0);
            refused(400, "CBC.30000067", () -> BSS.cancelResourcesSubscription(request));
            ShowRefundOrderDetailsResponse rows =
                    Wire.exact(BSS.showRefundOrderDetails(new ShowRefundOrderDetailsRequest().withOrderId(ended)));
            BigDecimal sum = rows.getRefundInfos().stream().map(OrderRefundInfoV2::getAmount)
                    .filter(amount -> amount.signum() < 0).reduce(BigDecimal.ZERO, BigDecimal::subtract);
            CustomerOrderV3 order = details(ended);
            assertEquals(4, order.getOrderType());
            same(dec(order.getAmountAfterDiscount()), sum);
            back = back.add(sum);
        }
        assertTrue(back.signum() > 0);
        same(before.subtract(cash()), dec(details(id).getAmountAfterDiscount()).subtract(back));
        refused(400, "CBC.99005026", () -> BSS.showRefundOrderDetails(new ShowRefundOrderDetailsRequest().withOrderId(id)));
        refused(400, "CBC.99003012", () -> BSS.cancelResourcesSubscription(new CancelResourcesSubscriptionRequest()
                .withBody(new UnsubscribeResourcesReq().withResourceIds(List.of("none")).withUnsubscribeType(1))));
    }

    @Test
    @Order(3)
    void cancel() {
        String id = unpaid().get(0).getOrderId();
        CancelCustomerOrderRequest request =
                new CancelCustomerOrderRequest().withBody(new CancelCustomerOrderReq().withOrderId(id));
        BSS.cancelCustomerOrder(request);
        refused(400, "CBC.99005010", () -> BSS.cancelCustomerOrder(request));
        assertEquals(4, details(id).getStatus());
    }

    @Test
    @Order(4)
    void renewals() {
        String id = unpaid().get(0).getOrderId();
        BSS.payOrders(pay(id, null, null));
        OrderInstanceV2 resource = BSS.listPayPerUseCustomerResources(new ListPayPerUseCustomerResourcesRequest()
                .withBody(new QueryResourcesReq().withOrderId(id).withOnlyMainResource(1))).getData().get(0);
        String one = resource.getResourceId();
        ListRenewRateOnPeriodResponse price = Wire.exact(BSS.listRenewRateOnPeriod(new ListRenewRateOnPeriodRequest()
                .withBody(new ListRenewRateOnPeriodReq().withResourceIds(List.of(one, "nothing")).withPeriodType(2).withPeriodNum(1))));
        assertEquals(1, price.getRenewInquiryResults().size());
        assertEquals("CBC.30050009", price.getFailResourceInfos().get(0).getErrorCode());
        RenewalResourcesRequest request = new RenewalResourcesRequest().withBody(new RenewalResourcesReq()
                .withResourceIds(List.of(one)).withPeriodType(2).withPeriodNum(1));
        String renewal = Wire.exact(BSS.renewalResources(request)).getOrderIds().get(0);
        refused(400, "CBC.99003100", () -> BSS.renewalResources(request));
        same(dec(details(renewal).getOfficialAmount()), dec(price.getOfficialWebsiteRatingResult().getOfficialWebsiteAmount()));
        BSS.payOrders(pay(renewal, null, null));
        assertEquals(2, details(renewal).getOrderType());
        CancelAutoRenewalResourcesRequest off = new CancelAutoRenewalResourcesRequest().withResourceId(one);
        refused(400, "CBC.99003605", () -> BSS.cancelAutoRenewalResources(off));
        BSS.autoRenewalResources(new AutoRenewalResourcesRequest().withResourceId(one));
        BSS.cancelAutoRenewalResources(off);
        UpdatePeriodToOnDemandResponse demand = Wire.exact(BSS.updatePeriodToOnDemand(new UpdatePeriodToOnDemandRequest()
                .withBody(new PeriodToOnDemandReq().withOperation("SET_UP").withResourceIds(List.of(one, "nothing")))));
        assertEquals("nothing", demand.getErrorDetails().get(0).getId());
        assertEquals("CBC.0000", Wire.exact(BSS.setResourcesRenewConfig(new SetResourcesRenewConfigRequest().withBody(
                new RenewResourceConfigReq().withConfigName(RenewResourceConfigReq.ConfigNameEnum.DEDUCTION_DATE)
                        .withConfigValue("7")))).getErrorCode());
    }
}
