"""What the server itself can do: pgbench on the same PostgreSQL, single-row indexed reads and durable inserts."""

import re
import subprocess
import tempfile
from pathlib import Path

from salerno.kernel.embedded import EmbeddedPostgres

READ = "\\set id random(1, 100000)\nSELECT payload FROM bench_rows WHERE id = :id;\n"
INSERT = "INSERT INTO bench_inserts (payload) VALUES (repeat('x', 400));\n"
TABLES = """
    DROP TABLE IF EXISTS bench_rows, bench_inserts;
    CREATE TABLE bench_rows (id int PRIMARY KEY, payload text);
    INSERT INTO bench_rows SELECT n, repeat('x', 400) FROM generate_series(1, 100000) n;
    CREATE TABLE bench_inserts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload text);
    VACUUM ANALYZE bench_rows;"""


def measure(
    server: EmbeddedPostgres, clients: tuple[int, ...] = (1, 8, 32), seconds: int = 4
) -> dict[str, dict[int, float]]:
    """Transactions per second by kind and number of connections."""
    tools, url = server.dump_tools(), server.url("postgres", "postgres")
    for statement in TABLES.strip().split(";"):
        if statement.strip():
            subprocess.run([tools / "psql", "-qX", "-v", "ON_ERROR_STOP=1", url, "-c", statement], check=True)
    found: dict[str, dict[int, float]] = {"read": {}, "insert": {}}
    for kind, script in (("read", READ), ("insert", INSERT)):
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            for count in clients:
                found[kind][count] = _pgbench(tools, url, file.name, count, seconds)
    return found


def _pgbench(tools: Path, url: str, script: str, clients: int, seconds: int) -> float:
    options = ["-n", "-M", "prepared", "-j", "1", "-f", script, "-c", str(clients), "-T", str(seconds)]
    done = subprocess.run([tools / "pgbench", *options, url], check=True, capture_output=True, text=True)
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    assert rate, done.stdout
    return float(rate.group(1))
