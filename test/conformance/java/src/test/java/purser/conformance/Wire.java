package purser.conformance;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.huaweicloud.sdk.core.HttpListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assertions;

/**
 * Holds an answer's bytes against the SDK's own model of it.
 *
 * <p>The SDK's decoder refuses an int or a string of the wrong JSON type, but it drops unknown names and takes a
 * quoted number as a decimal. This walks the last answer along the model's fields and reports both.
 */
final class Wire {
    private static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
    private static volatile String last;

    /** What the other SDKs' models of this release have, and this one's lack. */
    private static final List<String> NEWER = List.of(
            "the field \"account_name\" is not in the SDK's BillSumRecordInfoV2",
            "the field \"account_name\" is not in the SDK's ResFeeRecordV2", "the field \"period_num\" is not in the SDK's ResFeeRecordV2",
            "the field \"account_name\" is not in the SDK's MonthlyBillRes", "the field \"period_num\" is not in the SDK's MonthlyBillRes");

    /** Keeps the body of every answer; the tests run one after the other. */
    static final HttpListener LISTENER =
            HttpListener.forResponseListener(answer -> last = answer.body().orElse(null));

    /** Fails unless the last answer is what the model of the given response declares; hands the response back. */
    static <T> T exact(T response) {
        List<String> found = new ArrayList<>();
        try {
            Assertions.assertNotNull(last, "the answer has no body");
            compare(JSON.readTree(last), response.getClass(), "$", found);
        } catch (IOException e) {
            throw new UncheckedIOException(last, e);
        }
        found.removeIf(what -> NEWER.stream().anyMatch(what::contains));
        Assertions.assertTrue(found.isEmpty(),
                () -> "the answer differs from the SDK's model:\n  " + String.join("\n  ", found));
        return response;
    }

    private static void compare(JsonNode value, Type declared, String path, List<String> found) {
        if (value.isNull()) {
            return; // null is allowed anywhere
        }
        if (declared instanceof ParameterizedType list) {
            if (!value.isArray()) {
                found.add(path + ": a list was expected, got " + value);
                return;
            }
            for (int i = 0; i < value.size(); i++) {
                compare(value.get(i), list.getActualTypeArguments()[0], path + "[" + i + "]", found);
            }
            return;
        }
        Class<?> type = (Class<?>) declared;
        if (type.getName().startsWith("java.lang.") || type == BigDecimal.class) {
            boolean fits = type == String.class ? value.isTextual()
                    : type == Boolean.class ? value.isBoolean()
                    : type == Integer.class || type == Long.class ? value.isIntegralNumber()
                    : value.isNumber();
            if (!fits) {
                found.add(path + ": " + type.getSimpleName() + " was expected, got " + value);
            }
            return;
        }
        if (!value.isObject()) {
            found.add(path + ": an object (" + type.getSimpleName() + ") was expected, got " + value);
            return;
        }
        Map<String, Type> fields = new HashMap<>();
        for (Field field : type.getDeclaredFields()) {
            JsonProperty name = field.getAnnotation(JsonProperty.class);
            if (name != null) {
                fields.put(name.value(), field.getGenericType());
            }
        }
        value.fields().forEachRemaining(entry -> {
            Type field = fields.get(entry.getKey());
            if (field == null) {
                found.add(path + ": the field \"" + entry.getKey() + "\" is not in the SDK's " + type.getSimpleName());
            } else {
                compare(entry.getValue(), field, path + "." + entry.getKey(), found);
            }
        });
    }

    /** How many decimals an amount carries, trailing zeros not counted. */
    static int places(BigDecimal amount) {
        return Math.max(0, amount.stripTrailingZeros().scale());
    }

    private Wire() {}
}
