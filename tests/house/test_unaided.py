"""The product runs on what its locks name, and on no library or program that the machine happens to have."""

import subprocess
import sys

IMPORTS = """
import pkgutil, sys

STARTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system")
started = []
sys.addaudithook(lambda event, given: started.append((event, given[:2])) if event in STARTS else None)

import onepam

for module in pkgutil.walk_packages(onepam.__path__, "onepam."):
    __import__(module.name)
assert "asyncssh" in sys.modules, "nothing was imported"
print(started)
"""

ALGORITHMS = """
import ctypes.util

find = ctypes.util.find_library
import onepam
import asyncssh.crypto, asyncssh.mac

assert ctypes.util.find_library is find
print(asyncssh.crypto.mlkem_available, asyncssh.crypto.sntrup_available, asyncssh.mac._umac_available)
"""


def test_importing_all_of_it_starts_no_process() -> None:
    assert _printed(IMPORTS) == "[]"


def test_ssh_has_the_algorithms_of_its_locked_libraries_only() -> None:
    """ML-KEM comes with `cryptography`; NTRU Prime and UMAC would come with what is installed beside."""
    assert _printed(ALGORITHMS) == "True False False"


def _printed(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=240)
    return done.stdout.strip()
