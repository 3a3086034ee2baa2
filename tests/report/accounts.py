"""The accounts whose report is looked at: simulated, mirrored, and left in some state."""

import contextlib
import datetime
import http.client
import os
import pathlib
import select
import signal
import socket
import sqlite3
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
from simulator import Simulator  # noqa: E402

TOKEN = "report"
LONGEST_MESSAGE = 4096


def day(ago):
    return str(datetime.date.today() - datetime.timedelta(ago))


# Some mailings a week for two months, up to an hour ago. Few deliveries: how many there are shows nowhere.
def usual(rows=60_000):
    return ["--from", day(60), "--rows", str(rows), "--deliveries", "90000", "--agents", "48", "--late-share", "0.01"]


class Account:
    """A mirror in a directory of its own."""

    def __init__(self, build, directory):
        self.build = build
        self.directory = directory
        self.url = "http://127.0.0.1:9"  # where nothing listens
        self.settings = {}
        directory.mkdir()

    @property
    def database(self):
        return self.directory / "impressions.db"

    def configure(self, listen=""):
        mirror = {"streams": "all", "give_up_after": "1s", **self.settings}
        lines = ["[api]", f'url = "{self.url}"', "[mirror]", *(f'{key} = "{value}"' for key, value in mirror.items())]
        lines += ["[metrics]", f'listen = "{listen}"', "[log]", 'level = "error"']
        (self.directory / "config.toml").write_text("\n".join(lines) + "\n")

    def command(self, *arguments):
        program = self.build / "daemon/copernica-mirror"
        return [program, "--config", self.directory / "config.toml", *arguments]

    def mirror(self, *arguments, codes=(0,)):
        self.configure()
        done = subprocess.run(
            self.command(*arguments), env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )
        if done.returncode not in codes:
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")

    @contextlib.contextmanager
    def running(self, ready):
        """`run`, from when `ready` is true until the block ends. Gives the address of its page: of the one that
        waits for its counts, and does not change while it is looked at."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            where = "{}:{}".format(*free.getsockname())
        self.configure(where)
        path = self.directory / "notify"
        with service_manager(path) as messages:
            process = subprocess.Popen(
                self.command("run"), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={**environment(), "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "2000000"},
            )
            try:
                self.wait(process, messages, lambda: answers(where) and ready(self))
                messages.close()
                yield f"http://{where}/still"
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait()

    @staticmethod
    def wait(process, messages, ready):
        """Until `ready`, which is asked again after each message."""
        ended = os.pidfd_open(process.pid)
        try:
            while not ready():
                if ended in select.select([messages, ended], [], [])[0]:
                    raise RuntimeError(f"run ended with {process.wait()}")
                messages.recv(LONGEST_MESSAGE)
        finally:
            os.close(ended)

    def rows(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as file:
            try:
                return file.execute("SELECT count(*) FROM impressions").fetchone()[0]
            except sqlite3.OperationalError:  # its tables are just being made
                return 0


@contextlib.contextmanager
def service_manager(path):
    """A socket for what `run` sends to systemd: that it is ready, its status, and regularly that it works.

    Closed, it takes no more: one that nobody reads would fill up, and hold up who writes to it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messages:
        messages.bind(str(path))
        yield messages


def environment():
    return {**os.environ, "COPERNICA_ACCESS_TOKEN": TOKEN}


def answers(where):
    connection = http.client.HTTPConnection(where, timeout=60)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def at_once(_account):
    return True


@contextlib.contextmanager
def simulated(account, *arguments):
    with Simulator(account.build, ["--token", TOKEN, "--story", *arguments]) as simulator:
        account.url = simulator.url
        yield


@contextlib.contextmanager
def empty(account):
    """Everything is known, and there is nothing."""
    with simulated(account, "--rows", "0"):
        account.mirror("sync")
        with account.running(at_once) as page:
            yield page


@contextlib.contextmanager
def loading(account):
    """The first load has just begun: each reply takes its time."""
    with simulated(account, *usual(300_000), "--latency-ms", "6000"):
        with account.running(lambda account: account.database.exists() and account.rows() > 0) as page:
            yield page


@contextlib.contextmanager
def healthy(account):
    """The demonstration account."""
    with simulated(account, *usual()):
        account.mirror("sync")
        with account.running(at_once) as page:
            yield page


@contextlib.contextmanager
def stuck(account):
    """The API has not answered for six days, and a week before was never fetched."""
    account.settings = {"start": day(18)}
    with simulated(account, *usual(), "--to", day(6), "--now", f"{day(6)} 12:00:00", "--refuse", "clicks=403"):
        account.mirror("sync", codes=(0, 5))
        account.mirror("backfill", "--from", day(40), "--to", day(25), codes=(0, 5))
    account.url = "http://127.0.0.1:9"
    account.mirror("sync", "--stream", "impressions", codes=(1,))
    with account.running(at_once) as page:
        yield page


@contextlib.contextmanager
def hostile(account):
    """User agents, devices, subjects, messages and the account's name are made to break a page."""
    with simulated(account, "--hostile", "--nasty", "--from", day(60), "--rows", "60000", "--deliveries", "0",
                   "--agents", "16"):
        account.mirror("sync", codes=(0, 5))
        with account.running(at_once) as page:
            yield page


ALL = [empty, loading, healthy, stuck, hostile]
