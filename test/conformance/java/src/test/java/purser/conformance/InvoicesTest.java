package purser.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static purser.conformance.Demo.BSS;

import com.huaweicloud.sdk.bssintl.v2.model.InvoiceRequestInfoIntl;
import com.huaweicloud.sdk.bssintl.v2.model.ListInvoicesRequest;
import com.huaweicloud.sdk.bssintl.v2.model.ListInvoicesResponse;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Invoices of the first demo customer: the decoder is strict about types, and offset is a page here. */
class InvoicesTest {
    private static ListInvoicesRequest request(int page, int limit) {
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        return new ListInvoicesRequest().withStartTime(now.minus(60, ChronoUnit.DAYS).toString())
                .withEndTime(now.plus(1, ChronoUnit.DAYS).toString()).withOffset(page).withLimit(limit);
    }

    @Test
    void list() {
        ListInvoicesResponse answer = Wire.exact(BSS.listInvoices(request(1, 100)));
        assertEquals(answer.getCount(), answer.getInvoices().size());
        Map<String, InvoiceRequestInfoIntl> rows = answer.getInvoices().stream()
                .collect(Collectors.toMap(InvoiceRequestInfoIntl::getRequestId, Function.identity()));
        long memos = 0;
        for (InvoiceRequestInfoIntl row : answer.getInvoices()) {
            assertEquals(2, row.getInvoiceMethod());
            assertTrue(row.getTradeType() == 8 || row.getTradeType() == 3);
            assertEquals("0", row.getInvoiceMode());
            if (row.getInvoiceState() == 0) { // of an order of other tests; its number follows within seconds
                assertEquals("", row.getInvoiceNo());
            } else {
                assertTrue(row.getInvoiceNo().startsWith("INV-"));
            }
            if (row.getRequestMode().equals("1")) {
                memos++;
                assertTrue(row.getInvoiceAmount().compareTo(BigDecimal.ZERO) < 0);
                assertTrue(rows.containsKey(row.getSrcRequestId()));
            }
        }
        assertTrue(memos > 0);
    }

    @Test
    void pages() {
        ListInvoicesResponse all = BSS.listInvoices(request(1, 100));
        ListInvoicesResponse second = BSS.listInvoices(request(2, 1));
        assertEquals(all.getCount(), second.getCount());
        assertEquals(all.getInvoices().get(1).getRequestId(), second.getInvoices().get(0).getRequestId());
        Demo.refused(400, "CBC.0100", () -> BSS.listInvoices(request(1, 101)));
        Demo.refused(400, "CBC.0100", () -> BSS.listInvoices(request(0, 1)));
    }
}
