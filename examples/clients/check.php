<?php
// Sends one photograph to a running service and says what the applicant is to be told. PHP 8, no extension.
//
//   BONAFIDE_URL=http://127.0.0.1:8080 BONAFIDE_KEY=bf_… php check.php photo.jpg

/** The report of a photograph: the untouched file of the camera. Throws for a file that is none. */
function check(string $photograph, string $document = '', int $tries = 4): array
{
    $url = getenv('BONAFIDE_URL') ?: 'http://127.0.0.1:8080';
    $headers = ['Content-Type: application/octet-stream', 'Idempotency-Key: ' . bin2hex(random_bytes(16))];
    if (getenv('BONAFIDE_KEY')) {
        $headers[] = 'Authorization: Bearer ' . getenv('BONAFIDE_KEY');
    }
    $options = ['method' => 'POST', 'header' => $headers, 'content' => $photograph, 'ignore_errors' => true, 'timeout' => 60];
    $where = "$url/v1/check" . ($document === '' ? '' : "?document=$document");
    while (true) {
        $answer = file_get_contents($where, false, stream_context_create(['http' => $options]));
        if ($answer === false) {
            throw new RuntimeException("$url was not reached");
        }
        $status = (int) explode(' ', $http_response_header[0])[1];
        $body = json_decode($answer, true, 512, JSON_THROW_ON_ERROR);
        if ($status === 200) {
            return $body;
        }
        if (!in_array($status, [429, 503], true) || --$tries === 0) {
            throw new RuntimeException("{$body['code']}: {$body['detail']}");
        }
        $wait = preg_grep('/^retry-after:/i', $http_response_header);
        // The same key: what was recorded before the answer was lost is not recorded twice.
        sleep($wait ? max(1, (int) substr(reset($wait), 12)) : 1);
    }
}

$report = check(file_get_contents($argv[1]));
echo $report['decision'], "\n";
foreach ($report['reasons'] as $reason) {
    echo "{$reason['code']}: {$reason['en']}\n";
}
