package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static purser.conformance.Demo.BSS;
import static purser.conformance.Demo.CTS;
import static purser.conformance.Demo.CUSTOMER;

import com.huaweicloud.sdk.bssintl.v2.model.PayCustomerOrderV3Req;
import com.huaweicloud.sdk.bssintl.v2.model.PayOrdersRequest;
import com.huaweicloud.sdk.cts.v3.model.CreateTrackerRequest;
import com.huaweicloud.sdk.cts.v3.model.CreateTrackerRequestBody;
import com.huaweicloud.sdk.cts.v3.model.DataBucket;
import com.huaweicloud.sdk.cts.v3.model.DeleteTrackerRequest;
import com.huaweicloud.sdk.cts.v3.model.ListTracesRequest;
import com.huaweicloud.sdk.cts.v3.model.ListTracesResponse;
import com.huaweicloud.sdk.cts.v3.model.ListTrackersRequest;
import com.huaweicloud.sdk.cts.v3.model.Traces;
import com.huaweicloud.sdk.cts.v3.model.UpdateTrackerRequest;
import com.huaweicloud.sdk.cts.v3.model.UpdateTrackerRequestBody;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The official Java SDK lists traces and runs trackers. */
class TracesTest {
    private static final String ORDER = "CS2611231300JAVA";

    @Test
    void listsTracesToTheLastPage() {
        for (int i = 0; i < 3; i++) {
            Demo.refused(400, "CBC.30000010", () -> BSS.payOrders(new PayOrdersRequest().withBody(
                    new PayCustomerOrderV3Req().withOrderId(ORDER).withUseCoupon("NO").withUseDiscount("NO"))));
        }
        List<Traces> seen = new ArrayList<>();
        String marker = null;
        for (int page = 0; page < 10; page++) {
            ListTracesResponse answer = CTS.listTraces(new ListTracesRequest()
                    .withTraceType(ListTracesRequest.TraceTypeEnum.SYSTEM).withLimit(2).withResourceId(ORDER).withNext(marker));
            if (answer.getTraces().isEmpty()) {
                break;
            }
            seen.addAll(answer.getTraces());
            marker = answer.getMetaData().getMarker();
        }
        assertEquals(3, seen.size());
        for (Traces trace : seen) {
            assertEquals("payCustomerOrderV3", trace.getTraceName());
            assertEquals("400", trace.getCode());
            assertEquals(CUSTOMER.accessKey(), trace.getUser().getAccessKeyId());
            assertTrue(trace.getTime() > 1_000_000_000_000L);
        }
    }

    @Test
    void runsTrackers() {
        Demo.refused(400, "CTS.0201", () -> CTS.createTracker(new CreateTrackerRequest().withBody(new CreateTrackerRequestBody()
                .withTrackerType(CreateTrackerRequestBody.TrackerTypeEnum.SYSTEM).withTrackerName("system"))));
        assertEquals("java", CTS.createTracker(new CreateTrackerRequest().withBody(new CreateTrackerRequestBody()
                .withTrackerType(CreateTrackerRequestBody.TrackerTypeEnum.DATA).withTrackerName("java")
                .withDataBucket(new DataBucket().withDataBucketName("java-files")))).getTrackerName());
        CTS.updateTracker(new UpdateTrackerRequest().withBody(new UpdateTrackerRequestBody()
                .withTrackerType(UpdateTrackerRequestBody.TrackerTypeEnum.DATA).withTrackerName("java")
                .withStatus(UpdateTrackerRequestBody.StatusEnum.DISABLED)));
        assertEquals("disabled", CTS.listTrackers(new ListTrackersRequest().withTrackerName("java"))
                .getTrackers().get(0).getStatus().getValue());
        CTS.deleteTracker(new DeleteTrackerRequest().withTrackerName("java"));
        Demo.refused(404, "CTS.0214", () -> CTS.listTrackers(new ListTrackersRequest().withTrackerName("java")));
    }
}
