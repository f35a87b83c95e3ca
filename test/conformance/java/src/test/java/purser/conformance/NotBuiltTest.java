package purser.conformance;

import static purser.conformance.Demo.BSS;
import static purser.conformance.Demo.EPS;

import com.huaweicloud.sdk.bssintl.v2.model.*;
import com.huaweicloud.sdk.eps.v1.model.ListEnterpriseProjectRequest;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Operations of the contract that are still to come: 501, and readable. When an operation is built, take its line
 * out of the table and write its tests.
 */
class NotBuiltTest {

    static Stream<Arguments> operations() {
        return Stream.of(
                row("ShowCustomerMonthlySum", () -> BSS.showCustomerMonthlySum(
                        new ShowCustomerMonthlySumRequest().withBillCycle("2026-05"))),
                row("ListCustomerselfResourceRecords", () -> BSS.listCustomerselfResourceRecords(
                        new ListCustomerselfResourceRecordsRequest().withCycle("2026-05"))),
                row("ListCustomerselfResourceRecordDetails", () -> BSS.listCustomerselfResourceRecordDetails(
                        new ListCustomerselfResourceRecordDetailsRequest().withBody(
                                new QueryResRecordsDetailReq().withCycle("2026-05")))),
                row("CreateEnterpriseProjectAuth",
                        () -> BSS.createEnterpriseProjectAuth(new CreateEnterpriseProjectAuthRequest())),
                row("EPS ListEnterpriseProject",
                        () -> EPS.listEnterpriseProject(new ListEnterpriseProjectRequest())));
    }

    private static Arguments row(String operation, Executable call) {
        return Arguments.of(operation, call);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("operations")
    void answers501(String operation, Executable call) {
        Demo.refused(501, "PURSER.0501", call);
    }
}
