// Sends one photograph to a running service and says what the applicant is to be told. Java 17; the JDK alone.
//
//   BONAFIDE_URL=http://127.0.0.1:8080 BONAFIDE_KEY=bf_… java Check.java photo.jpg

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public final class Check {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    // The JDK reads no JSON: where a library is at hand, read the answer with that.
    private static final Pattern DECISION = Pattern.compile("\"decision\":\"(\\w+)\"");
    private static final Pattern REASON =
        Pattern.compile("\\{\"code\":\"(\\w+)\",\"action\":\"\\w+\".*?\"en\":\"((?:[^\"\\\\]|\\\\.)*)\"");

    /** The report of a photograph, the untouched file of the camera, as JSON. */
    static String check(Path photograph, String document) throws IOException, InterruptedException {
        String url = System.getenv().getOrDefault("BONAFIDE_URL", "http://127.0.0.1:8080");
        String query = document.isEmpty() ? "" : "?document=" + document;
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + "/v1/check" + query))
            .timeout(Duration.ofMinutes(1))
            .header("Content-Type", "application/octet-stream")
            // The same key each time: what was recorded before the answer was lost is not recorded twice.
            .header("Idempotency-Key", UUID.randomUUID().toString())
            .POST(HttpRequest.BodyPublishers.ofFile(photograph));
        String key = System.getenv("BONAFIDE_KEY");
        if (key != null) {
            request.header("Authorization", "Bearer " + key);
        }
        for (int tries = 4;; tries--) {
            HttpResponse<String> answer = CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
            int status = answer.statusCode();
            if (status == 200) {
                return answer.body();
            }
            if (status != 429 && status != 503 || tries <= 1) {
                throw new IOException(status + " " + answer.body());
            }
            Thread.sleep(1000 * answer.headers().firstValueAsLong("Retry-After").orElse(1));
        }
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        String report = check(Path.of(arguments[0]), "");
        Matcher decision = DECISION.matcher(report);
        System.out.println(decision.find() ? decision.group(1) : "no decision");
        Matcher reason = REASON.matcher(report);
        while (reason.find()) {
            System.out.println(reason.group(1) + ": " + reason.group(2));
        }
    }
}
