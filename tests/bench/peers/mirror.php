<?php
// In the manner of Copernica's own REST class: a new handle, and so a new connection, for each
// request. Pages by start, one after another, into SQLite by PDO.

class RestClient
{
    private string $url;
    private string $token;
    public int $requests = 0;

    public function __construct(string $url, string $token)
    {
        $this->url = $url;
        $this->token = $token;
    }

    public function get(string $resource, array $parameters): array
    {
        $query = http_build_query(array('access_token' => $this->token) + $parameters);
        $curl = curl_init($this->url . '/' . $resource . '?' . $query);
        $options = array(CURLOPT_RETURNTRANSFER => true);
        if (getenv('CA_FILE')) {
            $options[CURLOPT_CAINFO] = getenv('CA_FILE');
        }
        curl_setopt_array($curl, $options);
        $answer = curl_exec($curl);
        if ($answer === false || curl_getinfo($curl, CURLINFO_HTTP_CODE) != 200) {
            throw new Exception('request failed: ' . curl_error($curl));
        }
        curl_close($curl);
        $this->requests += 1;
        return json_decode($answer, true);
    }
}

[, $url, $file] = $argv;
$pageSize = 1000;

$db = new PDO('sqlite:' . $file);
$db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$db->exec('PRAGMA journal_mode = WAL');
$db->exec('PRAGMA synchronous = NORMAL');
$db->exec('CREATE TABLE impressions (id INTEGER PRIMARY KEY, mailing INTEGER, timestamp TEXT,
    ip TEXT, useragent TEXT, device TEXT, destination INTEGER, profile INTEGER,
    subprofile INTEGER)');
$db->exec('CREATE INDEX impressions_timestamp ON impressions (timestamp)');
$db->exec('CREATE INDEX impressions_mailing ON impressions (mailing)');
$upsert = $db->prepare('INSERT INTO impressions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET mailing = excluded.mailing, timestamp = excluded.timestamp,
    ip = excluded.ip, useragent = excluded.useragent, device = excluded.device,
    destination = excluded.destination, profile = excluded.profile,
    subprofile = excluded.subprofile');

$api = new RestClient($url, getenv('COPERNICA_ACCESS_TOKEN'));
$start = 0;
do {
    $page = $api->get('ms/impressions', array(
        'start' => $start,
        'limit' => $pageSize,
        'total' => 'false',
    ));
    $db->beginTransaction();
    foreach ($page['data'] as $row) {
        $upsert->execute(array($row['ID'], $row['mailing'], $row['timestamp'], $row['ip'],
            $row['useragent'], $row['device'], $row['destination'], $row['profile'],
            $row['subprofile']));
    }
    $db->commit();
    $start += count($page['data']);
} while (count($page['data']) == $pageSize);

echo json_encode(array('requests' => $api->requests)), "\n";
