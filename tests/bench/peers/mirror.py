#!/usr/bin/python3
"""The script that one writes: pages by start, one after another, into SQLite."""

import json
import os
import sqlite3
import sys

import requests

url, database = sys.argv[1:]
page_size = 1000

db = sqlite3.connect(database)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = NORMAL")
db.execute(
    "CREATE TABLE impressions (id INTEGER PRIMARY KEY, mailing INTEGER, timestamp TEXT, ip TEXT,"
    " useragent TEXT, device TEXT, destination INTEGER, profile INTEGER, subprofile INTEGER)"
)
db.execute("CREATE INDEX impressions_timestamp ON impressions (timestamp)")
db.execute("CREATE INDEX impressions_mailing ON impressions (mailing)")

session = requests.Session()
start = 0
count = 0
while True:
    reply = session.get(
        url + "/ms/impressions",
        params={
            "access_token": os.environ["COPERNICA_ACCESS_TOKEN"],
            "start": start,
            "limit": page_size,
            "total": "false",
        },
        timeout=60,
    )
    reply.raise_for_status()
    count += 1
    rows = reply.json()["data"]
    with db:
        db.executemany(
            "INSERT INTO impressions VALUES (:ID, :mailing, :timestamp, :ip, :useragent, :device,"
            " :destination, :profile, :subprofile) ON CONFLICT (id) DO UPDATE SET"
            " mailing = excluded.mailing, timestamp = excluded.timestamp, ip = excluded.ip,"
            " useragent = excluded.useragent, device = excluded.device,"
            " destination = excluded.destination, profile = excluded.profile,"
            " subprofile = excluded.subprofile",
            rows,
        )
    if len(rows) < page_size:
        break
    start += len(rows)
db.close()
print(json.dumps({"requests": count}))
