"""DynamoDB beyond single reads and writes: queries, scans, transactions, latencies beside the disk's, a large table."""
import os
import pathlib
import statistics
import time

from common import Dynalite, ROOT, call, cpu_seconds, item, load, prepare, signed, table, virga_server, write_requests

KEYS = {"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]}
PARTITIONS = 100
SCAN_ITEMS = 20_000


def fill(endpoint, name, items):
    for at in range(0, len(items), 25):
        call(endpoint, "BatchWriteItem", {"RequestItems": {name: [{"PutRequest": {"Item": i}} for i in items[at:at + 25]]}})


def prepare_query(endpoint, path):
    """Partitions of ten items, each about 300 bytes of JSON."""
    call(endpoint, "CreateTable", {"TableName": "lists", "BillingMode": "PAY_PER_REQUEST", **KEYS})
    time.sleep(1)  # a peer's table may still be creating
    fill(endpoint, "lists", [item(p) | {"sk": {"N": str(n)}} for p in range(PARTITIONS) for n in range(10)])
    write_requests(path, [signed(endpoint, "Query", {
        "TableName": "lists", "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": item(p)["pk"]}}) for p in range(PARTITIONS)])
    return path


def prepare_writes(endpoint, folder):
    """Of the table that `prepare` makes: a conditional update and transactions of four puts."""
    count = 4000
    paths = {kind: folder / f"shape-{kind}" for kind in ("UpdateItem", "TransactWriteItems")}
    write_requests(paths["UpdateItem"], [signed(endpoint, "UpdateItem", {
        "TableName": "bench", "Key": {"pk": item(i)["pk"]}, "UpdateExpression": "SET age = age + :one",
        "ConditionExpression": "attribute_exists(pk)", "ExpressionAttributeValues": {":one": {"N": "1"}}})
        for i in range(count)])
    write_requests(paths["TransactWriteItems"], [signed(endpoint, "TransactWriteItems", {
        "TransactItems": [{"Put": {"TableName": "bench", "Item": item((4 * i + k) % count)}} for k in range(4)]})
        for i in range(count)])
    return paths


def scan_whole(endpoint, pids, **more):
    """Reads the table to its end; items in all and items per second of the server's CPU."""
    before, items, start = cpu_seconds(pids), 0, None
    body = {"TableName": "rows", **more}
    while True:
        page = call(endpoint, "Scan", body | ({"ExclusiveStartKey": start} if start else {}))
        items += page["Count"]
        start = page.get("LastEvaluatedKey")
        if not start:
            return items, items / max(cpu_seconds(pids) - before, 0.01)


def bench_scan(server, pids, rounds):
    call(server.endpoint, "CreateTable", {"TableName": "rows", "BillingMode": "PAY_PER_REQUEST", **KEYS})
    fill(server.endpoint, "rows", [{"pk": {"S": f"row{n:06d}"}, "sk": {"N": str(n)}, "n": {"N": str(n)}}
                                   for n in range(SCAN_ITEMS)])
    print("\n### Scan, 20,000 items of three attributes, no filter\n\n| what | items per second of the server's CPU |\n|---|---|")
    for what, more in (("whole items", {}), ("Select COUNT", {"Select": "COUNT"})):
        rates = []
        for _ in range(rounds):
            items = cpu = 0
            while items < 50 * SCAN_ITEMS:  # many: CPU time is counted in hundredths of a second
                found, rate = scan_whole(server.endpoint, pids, **more)
                items += found
                cpu += found / rate
            rates.append(items / cpu)
        print(f"| {what} | {statistics.median(rates):,.0f} |")


def bench_shapes(options, folder):
    rows = {}
    server = virga_server.Server().start()
    peer = Dynalite() if (ROOT / "bench" / "node_modules" / "dynalite").exists() else None
    if peer is None:
        print("dynalite is not installed (npm ci in bench/): left out")
    try:
        pids = [server.process.pid, *virga_server.descendants(server.process.pid)]
        paths = prepare(server.endpoint, folder, "virga", count=4000)
        paths |= prepare_writes(server.endpoint, folder)
        paths["Query"] = prepare_query(server.endpoint, folder / "virga-Query")
        load(server.port, paths["PutItem"], 64, 1, pids)
        theirs = prepare_query(peer.endpoint, folder / "dynalite-Query") if peer else None
        for _ in range(options.rounds):
            for kind, what in (("PutItem", "PutItem"), ("UpdateItem", "UpdateItem with a condition"),
                               ("TransactWriteItems", "TransactWriteItems of 4 puts"), ("Query", "Query of 10 items")):
                rows.setdefault(f"virga {what}", []).append(load(server.port, paths[kind], 64, options.seconds, pids))
            if peer:
                rows.setdefault("dynalite Query of 10 items, in memory", []).append(
                    load(peer.port, theirs, 64, options.seconds, peer.pids()))
        table("DynamoDB, other operations, 64 connections", rows)
        bench_scan(server, pids, options.rounds)
    finally:
        server.close()
        if peer:
            peer.close()


def sync_probe(folder, count=2000):
    """Microseconds of overwriting 4 KiB with fdatasync: what a durable answer costs at least. Median, 99th percentile."""
    path = folder / "probe"
    path.write_bytes(b"\0" * 4096 * 256)
    times = []
    fd = os.open(path, os.O_RDWR)
    try:
        os.fsync(fd)
        for n in range(count):
            begin = time.perf_counter_ns()
            os.pwrite(fd, b"x" * 4096, n % 256 * 4096)
            os.fdatasync(fd)
            times.append((time.perf_counter_ns() - begin) / 1000)
    finally:
        os.close(fd)
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def bench_latency(options, folder):
    server = virga_server.Server().start()
    alone, probe, half = [], [], []
    try:
        pids = [server.process.pid, *virga_server.descendants(server.process.pid)]
        path = prepare(server.endpoint, folder, "virga", count=4000)["PutItem"]
        full = load(server.port, path, 64, options.seconds, pids)["per_second"]
        for _ in range(options.rounds):
            probe.append(sync_probe(pathlib.Path(server.data)))
            alone.append(load(server.port, path, 1, options.seconds, pids)["p50_us"])
            half.append(load(server.port, path, 64, options.seconds, pids, f"rate={full / 2:.0f}"))
    finally:
        server.close()
    ratio = statistics.median(a / p[0] for a, p in zip(alone, probe))
    print("\n### PutItem, durable: latencies\n\n| what | measured |\n|---|---|")
    print(f"| one connection, p50, beside fdatasync of 4 KiB | {statistics.median(alone):.0f} us, "
          f"{statistics.median(p[0] for p in probe):.0f} us: {ratio:.2f}x |")
    print(f"| that fdatasync's own p99 / p50 | {statistics.median(p[1] / p[0] for p in probe):.1f}x |")
    middle, far = (statistics.median(h[q] for h in half) for q in ("p50_us", "p99_us"))
    print(f"| half of the greatest rate ({full / 2:.0f}/s), p50, p99 | {middle:.0f} us, {far:.0f} us: {far / middle:.1f}x |")


def high_water_mb(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM:")) / 1024


def bench_ten_million(options, folder, items=10_000_000):
    """One table of ten million items of about 100 bytes: loading, point reads, a scan, memory."""
    server = virga_server.Server().start()
    try:
        pids = [server.process.pid, *virga_server.descendants(server.process.pid)]
        call(server.endpoint, "CreateTable", {"TableName": "rows", "BillingMode": "PAY_PER_REQUEST", **KEYS})

        def numbered(path, target, body):
            write_requests(path, [signed(server.endpoint, target, body)])
            return path

        def key(place="##########"):
            return {"pk": {"S": "row" + place}, "sk": {"N": "1"}}

        put = numbered(folder / "put", "BatchWriteItem", {"RequestItems": {"rows": [
            {"PutRequest": {"Item": key() | {"name": {"S": "Ada Lovelace"}, "note": {"S": "x" * 40}}}} for _ in range(25)]}})
        get = numbered(folder / "get", "GetItem", {"TableName": "rows", "Key": key()})
        print(f"\n### One table of {items:,} items\n\n| what | measured |\n|---|---|")
        loaded = load(server.port, put, 32, 1800, pids, f"number={items}")
        print(f"| loading, batches of 25 | {items / loaded['seconds']:,.0f} items/s, "
              f"{loaded['cpu_us'] / 25:.1f} us CPU each |", flush=True)
        read = load(server.port, get, 64, options.seconds, pids, f"random={items}")
        print(f"| GetItem of any, 64 connections | {read['per_second']:,.0f}/s, {read['cpu_us']:.1f} us CPU, "
              f"p50 {read['p50_us']} us, p99 {read['p99_us']} us |", flush=True)
        found, rate = scan_whole(server.endpoint, pids, Select="COUNT")
        assert found == items, f"{found} items"
        print(f"| Scan of all, Select COUNT | {rate:,.0f} items per second of the server's CPU |")
        print(f"| resident memory of the server process, greatest | {max(high_water_mb(p) for p in pids):.0f} MB |")
    finally:
        server.close()
