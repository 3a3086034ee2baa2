"""The API on a loopback port, for the measurements of this folder."""

import signal
import subprocess
import sys


class Simulator:
    """Serves until the `with` block ends. `url` is its address; with TLS, `ca` is its CA file."""

    def __init__(self, build, arguments):
        self.url = self.ca = ""
        self.process = subprocess.Popen(
            [build / "tests/simulator/copernica-simulator", *arguments],
            stdout=subprocess.PIPE, text=True,
        )
        # It prints its address once it listens.
        for line in self.process.stdout:
            name, _, value = line.strip().partition(" ")
            if name == "URL":
                self.url = value.strip()
            elif name == "CA":
                self.ca = value.strip()
            elif name == "Try:":
                return
        sys.exit("the simulator did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate()
